"""Watches deliveries: gauges, and whether they stand still while lanes are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from chassis.deliveries import metrics
from chassis.deliveries.domain.states import DEAD_LETTERS, OPEN
from chassis.deliveries.store import reading
from chassis.health import Health, Progress
from chassis.store import AWAY, Pool, raise_if_ours

log = logging.getLogger(__name__)
EVERY_S = 2.0
LIMIT_S = 180.0  # longer than a breaker stays open: while it probes, work moves


class Monitor:
    """`/healthz` fails when no call of any replica has ended for a while though lanes are due."""

    def __init__(self, pool: Pool, health: Health, destinations: Iterable[str], *, limit_s: float = LIMIT_S) -> None:
        self._pool = pool
        self._progress = {name: health.watch(f"deliveries to {name}", limit_s=limit_s) for name in destinations}

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            try:
                await self.look()
            except AWAY as error:
                raise_if_ours(error)
                log.warning("the backlog of deliveries is not known", extra={"error": type(error).__name__})
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Look once."""
        for destination, progress in self._progress.items():
            await self._look(destination, progress)

    async def _look(self, destination: str, progress: Progress) -> None:
        left = await reading.backlog(self._pool, destination)
        progress.note(left.answers, behind=left.due)
        for state in OPEN | DEAD_LETTERS:
            metrics.depth.labels(destination, state.value).set(left.depth.get(state, 0))
        age_s = (left.now - left.oldest_created_at).total_seconds() if left.oldest_created_at else 0.0
        metrics.oldest.labels(destination).set(max(0.0, age_s))
        metrics.waiting_for_parents.labels(destination).set(left.waiting_for_parents)
        metrics.breaker_open.labels(destination).set(left.breaker != "closed")
