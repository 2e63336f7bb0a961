"""Fakes that tests of services import."""

from __future__ import annotations

from datetime import datetime, timedelta


class SetClock:
    """A business clock that stands where a test has put it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Where the test has put it."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to an instant, never back."""
        if now < self._now:
            raise ValueError("business time never goes back")
        self._now = now

    def advance(self, **by: float) -> None:
        """Move forward, such as `advance(hours=1)`."""
        self.set(self._now + timedelta(**by))

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""
