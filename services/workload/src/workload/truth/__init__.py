"""The ground truth: what should come out, by code that shares nothing with the services."""
