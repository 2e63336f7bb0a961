"""Business time as every stand-in has it: it stands still, moves in steps, and never goes back."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class NeverBack(Exception):
    """Business time was to go back."""


class Steps(Protocol):
    """A stand-in's clock, and what becomes due by it."""

    async def advance(self, to: datetime) -> None:
        """Move forward and do all that is due up to then; durable on return. Raises NeverBack."""

    async def wait_for_version(self, newer_than: int, wait_s: float) -> None:
        """Return once the clock's version is newer, or the wait is over."""
