"""
Group commit: what requests have changed in memory is gathered for a moment and written in one transaction.

An answer goes out only after its commit. Memory is ahead of the tables by what has not been answered yet, so a commit
that fails is tried again until the database is back, and the answers wait; nothing that was answered is ever lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import asyncpg

from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")


async def keep_session(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """For the pool, in place of its reset of a returned connection: a stand-in sets nothing that needs one."""


class GroupCommit(Generic[Batch]):
    """
    `committed()` returns once everything that memory holds at the call is in the tables.

    `take` takes the changes out of memory, encoded here and now; `write` writes them in one transaction, and may be
    repeated; `written` hears of each batch once it is durable.
    """

    def __init__(
        self,
        take: Callable[[], Batch],
        write: Callable[[Batch], Awaitable[None]],
        *,
        gather_ms: float,
        written: Callable[[Batch], None] = lambda batch: None,
    ) -> None:
        self._take, self._write, self._written = take, write, written
        self._gather_s = gather_ms / 1000
        self._wake = asyncio.Event()
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.commits = 0
        self._stopped = False
        self._alone = asyncio.Lock()

    async def committed(self) -> None:
        """Return once the changes made so far are durable."""
        if self._stopped:  # requests that end while the process stops
            async with self._alone:
                await self._flush()
            return
        self._wake.set()
        await asyncio.shield(self._next)

    def nudge(self) -> None:
        """Have the changes made so far committed soon, without waiting for it."""
        self._wake.set()

    async def run(self) -> None:
        """Commit for ever; on cancellation the last changes are still committed."""
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(self._gather_s)
                flushing = asyncio.create_task(self._flush())
                try:
                    await asyncio.shield(flushing)
                except asyncio.CancelledError:
                    await flushing
                    raise
        finally:
            self._stopped = True
            async with self._alone:
                await self._flush()

    async def _flush(self) -> None:
        self._wake.clear()
        future, self._next = self._next, asyncio.get_running_loop().create_future()
        batch = self._take()
        attempt = 0
        while True:
            try:
                await self._write(batch)
                break
            except AWAY as error:
                raise_if_ours(error)
                attempt += 1
                log.warning("commit waits for the database", extra={"error": type(error).__name__, "attempt": attempt})
                await asyncio.sleep(backoff_s(attempt, base_s=0.1, cap_s=2.0))
        self.commits += 1
        future.set_result(None)
        self._written(batch)
