"""Contracts, and the commands that change them."""
