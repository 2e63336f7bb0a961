"""Wires what may be taken away to how long it is kept; carried out by the instance that leads."""

from __future__ import annotations

from datetime import timedelta

from chassis.clock import Clock
from chassis.retention import Pace, Pruned, Retention
from invoicing_sync.settings import Settings
from invoicing_sync.store import pruning
from invoicing_sync.store.pool import Pool


def retention(pool: Pool, clock: Clock, settings: Settings) -> Retention:
    """The door's rules: Stripe's events, settled deliveries, closed cases. Ages are business time."""

    async def events(most: int) -> Pruned:
        before = clock.now() - timedelta(days=settings.keep_events_days)
        return await pruning.prune_events(pool, before=before, most=most)

    async def deliveries(most: int) -> Pruned:
        now = clock.now()
        before = now - timedelta(days=settings.keep_deliveries_days)
        return await pruning.prune_deliveries(pool, before=before, now=now, most=most)

    async def closed_cases(most: int) -> Pruned:
        before = clock.now() - timedelta(days=settings.keep_closed_cases_days)
        return await pruning.prune_cases(pool, before=before, most=most)

    rules = {"events": events, "deliveries": deliveries, "closed_cases": closed_cases}
    pace = Pace(every_s=settings.prune_every_s, rows=settings.prune_rows, pause_s=settings.prune_pause_s)
    return Retention(rules, pace)
