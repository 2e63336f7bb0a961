"""Contracts reach Stripe as a plan: pure, shown before it runs, empty when applied again."""
