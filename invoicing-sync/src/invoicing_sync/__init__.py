"""The Stripe door: usage out, webhooks in, periods frozen and finalised."""
