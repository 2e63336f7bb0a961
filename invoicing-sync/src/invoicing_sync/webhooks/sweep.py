"""Reads Stripe's lists of events, and stores what no webhook has brought. Failpoint sweep-stored precedes a cursor."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync import metrics
from invoicing_sync.gaps import failpoints
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.wire import Event
from invoicing_sync.webhooks.store import webhooks
from invoicing_sync.webhooks.store.webhooks import StoredEvent

log = logging.getLogger(__name__)
OVERLAP = timedelta(hours=1)  # an event may be listed late, behind the cursor: now and then the last hour is read again
DEEP_S = 900.0


class Sweep:
    """
    The cursor is an event's id: lists are consistent at once, and in order of creation.

    Thin events have a list of their own, without a place to go on from: its cursor is a time, read with an overlap.
    """

    def __init__(
        self, pool: Pool, door: StripeDoor, clock: Clock, *, every_s: float, stored: Callable[[], None]
    ) -> None:
        self._pool, self._door, self._clock, self._every_s, self._stored = pool, door, clock, every_s, stored
        self._deep_at = time.monotonic()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.once()
                if time.monotonic() - self._deep_at > DEEP_S:
                    await self.deep()
            except TryLater as later:
                log.warning("the sweep waits", extra={"why": str(later)})
            await asyncio.sleep(self._every_s)

    async def once(self) -> int:
        """Store what came after the cursor; how many events no webhook had brought."""
        cursor = await webhooks.cursor(self._pool, first=self._clock.now())
        found = 0
        async for page in self._door.notices.events(since=cursor.since, after=cursor.after):
            found += await self._store(page)
            failpoints.reach("sweep-stored")
            if page:
                await webhooks.move_cursor(self._pool, page[-1].event_id)
        return found + await self._thin(cursor.thin_since)

    async def _thin(self, since: datetime) -> int:
        events = await self._door.notices.thin_events(since=since - OVERLAP)
        if not events:
            return 0
        found = await self._store(events, thin=True)
        failpoints.reach("sweep-stored")
        if events[-1].created > since:
            await webhooks.move_thin_cursor(self._pool, events[-1].created)
        return found

    async def deep(self) -> int:
        """Read the last hour again, whatever the cursor says."""
        self._deep_at = time.monotonic()
        found = 0
        async for page in self._door.notices.events(since=self._clock.now() - OVERLAP, after=None):
            found += await self._store(page)
        return found

    async def _store(self, page: Sequence[Event], *, thin: bool = False) -> int:
        missing = await webhooks.unknown(self._pool, [event.event_id for event in page])
        lost = [StoredEvent(e.event_id, e.type, thin, e.created, e.body) for e in page if e.event_id in missing]
        if not lost:
            return 0
        new = await webhooks.store_once(self._pool, lost, came_by="sweep")
        metrics.lost_webhooks.inc(new)
        self._stored()
        return new
