"""Contracts: what is agreed becomes objects at Stripe."""
