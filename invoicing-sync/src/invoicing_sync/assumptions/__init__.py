"""What this service assumes of Stripe, numbered, so that each can be tried on an account."""
