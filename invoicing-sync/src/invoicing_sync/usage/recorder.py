"""Stores how calls ended, many at a time."""

from __future__ import annotations

import asyncio

from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.gaps import failpoints
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.store import deliveries
from invoicing_sync.usage.store.deliveries import Result


class Recorder:
    """`store` returns once the result is committed; results that come within `gather_s` share one transaction."""

    def __init__(self, pool: Pool, *, gather_s: float) -> None:
        self._pool = pool
        self._gather_s = gather_s
        self._waiting: list[tuple[Result, asyncio.Future[None]]] = []
        self._come = asyncio.Event()
        self.stored = 0

    async def store(self, result: Result) -> None:
        """Return when the result is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        self._come.set()
        await done

    async def run(self) -> None:
        """Store results until cancelled; who still waits then is cancelled too, and its delivery stays in flight."""
        batch: list[tuple[Result, asyncio.Future[None]]] = []
        try:
            while True:
                await self._come.wait()
                await asyncio.sleep(self._gather_s)
                self._come.clear()
                batch, self._waiting = self._waiting, []
                await self._commit([result for result, _ in batch])
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
        finally:
            for _, done in [*batch, *self._waiting]:
                done.cancel()

    async def _commit(self, results: list[Result]) -> None:
        failpoints.reach("call-answered")
        if any(result.cancelled for result in results):
            failpoints.reach("adjustment-answered")
        async with transaction(self._pool) as tx:
            await deliveries.settle(tx, results)
        failpoints.reach("result-stored")
        self.stored += len(results)
        for result in results:
            metrics.delivered.labels(result.state.value).inc()
