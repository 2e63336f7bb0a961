"""Webhooks: Stripe's events are verified, stored, put on the bus and acted on."""
