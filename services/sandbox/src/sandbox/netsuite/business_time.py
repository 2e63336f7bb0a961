"""Business time of a stand-in used by itself or beside the sandbox that owns it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from chassis.clock import SteppedClock
from chassis.service_key import ServiceKey
from event_schemas.times import iso, parse_instant, to_micros
from sandbox.business_time import NeverBack
from sandbox.documents import Body, Documents

KIND = "clock"


class BusinessTime:
    """
    Our own time, kept in `documents` and moved by `advance`, or that of another sandbox, followed while `run` runs.

    `now()` is real time until business time is known. Time never goes back.
    """

    def __init__(self, documents: Documents, *, owner_url: str | None, key: ServiceKey) -> None:
        self._documents = documents
        self._owner = SteppedClock(owner_url, key=key) if owner_url else None
        self._set: datetime | None = None
        self._version = 0
        self._moved = asyncio.Condition()

    @property
    def follows(self) -> bool:
        """Whether another sandbox owns it."""
        return self._owner is not None

    @property
    def shown(self) -> datetime | None:
        """Business time, None until it is known."""
        if self._owner is None:
            return self._set
        with suppress(RuntimeError):  # before its first step was seen
            return self._owner.now()
        return None

    def now(self) -> datetime:
        """Business time, and real time so long as that is not known."""
        return self.shown or datetime.now(UTC)

    @property
    def shown_micros(self) -> int | None:
        """The same in microseconds since 1970."""
        return None if self.shown is None else to_micros(self.shown)

    @property
    def clock_version(self) -> int:
        """Grows with each step of our own time."""
        return self._version

    async def advance(self, to: datetime) -> None:
        """
        Move our own time forward; durable on return. The same instant again is fine.

        Raises:
            NeverBack: it lies before.
        """
        if self._set is not None and to < self._set:
            raise NeverBack
        self._set, self._version = to, self._version + 1
        self._documents.put(KIND, KIND, {"now": iso(to), "version": self._version})
        await self._documents.committed()
        async with self._moved:
            self._moved.notify_all()

    async def wait_for_version(self, newer_than: int, wait_s: float) -> None:
        """Return once the version is newer, or the wait is over."""
        async with self._moved:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._moved.wait_for(lambda: self._version > newer_than)

    def load(self, body: Body) -> None:
        """Take up what was kept."""
        self._set, self._version = parse_instant(body["now"]), body["version"]

    def forget(self) -> None:
        """Our own time is not set any more."""
        self._set, self._version = None, 0

    async def run(self) -> None:
        """Follow the owner until cancelled; without one there is nothing to do."""
        if self._owner is None:
            await asyncio.Event().wait()
            return
        await self._owner.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self._owner.stop()
