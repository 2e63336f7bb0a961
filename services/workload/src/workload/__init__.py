"""Seeded months of conversations with their ground truth."""
