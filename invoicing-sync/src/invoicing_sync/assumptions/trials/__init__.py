"""The trials: each drives Stripe through one story and says what it showed of some assumptions."""
