"""Stripe's wire format and manners: nothing outside this folder knows them."""
