"""A sender's secret is made and hashed as a key of the house is. Looking hashes up, its time tells nothing about it."""

from __future__ import annotations

from chassis.keyring import digest_of, new_secret

__all__ = ["digest_of", "new_secret"]
