"""A stand-in of Stripe for machines without an account."""
