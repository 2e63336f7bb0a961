"""Takes away cases that were closed long ago; nothing else of rating's is ever taken away."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from chassis.clock import Clock
from chassis.retention import Pace, Pruned, Retention

_CLOSED = """
DELETE FROM cases WHERE case_id IN (SELECT case_id FROM cases WHERE closed_at < $1 ORDER BY closed_at LIMIT $2)
"""


def retention(pool: asyncpg.Pool[asyncpg.Record], clock: Clock, *, keep: timedelta, pace: Pace) -> Retention:
    """Rounds over closed cases older than `keep`, in business time; two processes may go over them side by side."""

    async def closed_cases(most: int) -> Pruned:
        status = await pool.execute(_CLOSED, clock.now() - keep, most)
        gone = int(status.rsplit(" ", 1)[1])
        return Pruned(gone, more=gone == most)

    return Retention({"closed_cases": closed_cases}, pace)
