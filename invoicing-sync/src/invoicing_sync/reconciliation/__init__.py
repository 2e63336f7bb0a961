"""Reconciliation: the ledger and Stripe, compared by customer, meter and day."""
