"""What routes and readers work with: made once in `app.py`, handed to everything else."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.bus import BatchProducer
from chassis.clock import BusinessClock
from chassis.log_ends import LogEnds
from chassis.problems import Problem
from chassis.testing import SetClock
from usage_ingest.broker import Log
from usage_ingest.keyring import KeyRing
from usage_ingest.register import CustomerRegister
from usage_ingest.seals import Seals
from usage_ingest.settings import Settings


@dataclass(slots=True)
class Parts:
    """The service's clients and its state in memory."""

    settings: Settings
    clock: BusinessClock | SetClock
    producer: BatchProducer
    engine: AsyncEngine
    keys: KeyRing
    register: CustomerRegister
    ends: LogEnds
    accepted: Log
    seals: Seals
    pool: asyncpg.Pool[asyncpg.Record] | None = None
    ready: bool = False  # the clock is seen, keys and customers are loaded, the broker has answered once
    open_requests: int = 0
    confirmed: int = 0  # requests that the broker has answered, well or not

    def require_ready(self) -> None:
        """Raises Problem 503 while the service is still starting."""
        if not self.ready:
            raise Problem(503, "starting", "the service is starting; send again", headers={"Retry-After": "1"})

    @property
    def hot_pool(self) -> asyncpg.Pool[asyncpg.Record]:
        """The pool for bulk statements, which is there once the service is ready."""
        if self.pool is None:
            raise Problem(503, "starting", "the service is starting; send again", headers={"Retry-After": "1"})
        return self.pool
