"""The contracts of the bus: values, event models, their fast wire form, and the topics that carry them."""
