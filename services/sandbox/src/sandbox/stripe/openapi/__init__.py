"""Stripe's own description of its API, cut to the surface in use, and the checks against it."""
