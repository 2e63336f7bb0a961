"""The catalogue: what is offered, at which prices, in which version."""
