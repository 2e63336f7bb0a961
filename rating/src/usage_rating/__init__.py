"""Decides outcomes and keeps the ledger of rated usage."""
