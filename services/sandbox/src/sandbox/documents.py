"""
Documents in memory that are durable when they were answered: for stand-ins that keep what they know as JSON.

Changes of all requests are gathered and committed in one transaction, in the order in which they were made, and an
answer waits for its commit. Memory is ahead of the table by what was not answered yet; while the database is away
commits are tried again and answers wait. All documents lie in one table:

    CREATE TABLE documents (kind text NOT NULL, id text NOT NULL, body text NOT NULL, PRIMARY KEY (kind, id))
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours

log = logging.getLogger(__name__)

Body = dict[str, Any]
Key = tuple[str, str]  # kind, id

_PUT = """
INSERT INTO documents (kind, id, body) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"""
_REMOVE = """
DELETE FROM documents AS d USING unnest($1::text[], $2::text[]) AS gone (kind, id)
WHERE d.kind = gone.kind AND d.id = gone.id"""

encoder = msgspec.json.Encoder(decimal_format="number")  # a decimal stays a JSON number, digit by digit
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decode(text: str | bytes) -> Any:
    """JSON with numbers as int and Decimal, never as float. Raises msgspec.DecodeError."""
    return _decoder.decode(text)


async def keep_session(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """For the pool, in place of its reset of a returned connection: documents set nothing that needs one."""


class Documents:
    """Group commit of documents. `put` and `remove` await nothing, so what one request changes is committed whole."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, gather_ms: float) -> None:
        self._pool = pool
        self._gather_s = gather_ms / 1000
        self._changed: dict[Key, str | None] = {}
        self._wake = asyncio.Event()
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped = False
        self._alone = asyncio.Lock()

    def put(self, kind: str, id_: str, body: Body) -> None:
        """Keep a document; it is encoded here and now, so later changes of `body` are not kept with it."""
        self._changed[kind, id_] = encoder.encode(body).decode()

    def remove(self, kind: str, id_: str) -> None:
        """Keep it no longer."""
        self._changed[kind, id_] = None

    async def committed(self) -> None:
        """Return once the changes made so far are durable."""
        if self._stopped:  # requests that end while the process stops
            async with self._alone:
                await self._flush()
            return
        self._wake.set()
        await asyncio.shield(self._next)

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
        changed, self._changed = self._changed, {}
        attempt = 0
        while True:
            try:
                await self._write(changed)
                break
            except AWAY as error:
                raise_if_ours(error)
                attempt += 1
                log.warning("commit waits for the database", extra={"error": type(error).__name__, "attempt": attempt})
                await asyncio.sleep(backoff_s(attempt, base_s=0.1, cap_s=2.0))
        future.set_result(None)

    async def _write(self, changed: dict[Key, str | None]) -> None:
        """One transaction; repeating it changes nothing."""
        if not changed:
            return
        kept = [(kind, id_, body) for (kind, id_), body in changed.items() if body is not None]
        gone = [key for key, body in changed.items() if body is None]
        async with self._pool.acquire() as connection, connection.transaction():
            if kept:
                await connection.execute(_PUT, *map(list, zip(*kept, strict=True)))
            if gone:
                await connection.execute(_REMOVE, *map(list, zip(*gone, strict=True)))

    async def load(self) -> list[tuple[str, str, Body]]:
        """Everything that is kept, as (kind, id, body)."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch("SELECT kind, id, body FROM documents")
        return [(row["kind"], row["id"], decode(row["body"])) for row in rows]

    async def wipe(self, *, keep: Iterable[str] = ()) -> None:
        """Forget everything but the documents of some kinds."""
        await self.committed()
        async with self._pool.acquire() as connection:
            await connection.execute("DELETE FROM documents WHERE NOT (kind = ANY ($1::text[]))", list(keep))
