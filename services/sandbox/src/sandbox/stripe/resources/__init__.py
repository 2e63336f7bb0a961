"""One module for each resource: parameters in, Stripe's object out, refusals as Stripe's."""
