"""
Documents in memory that are durable when they were answered: for stand-ins that keep what they know as JSON.

They are committed by `group_commit.py`, in the order in which they were made. All documents lie in one table:

    CREATE TABLE documents (kind text NOT NULL, id text NOT NULL, body text NOT NULL, PRIMARY KEY (kind, id))
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from sandbox.group_commit import GroupCommit

Body = dict[str, Any]
Changes = dict[tuple[str, str], str | None]  # by kind and id; None: kept no longer

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


class Documents:
    """Documents of one table. `put` and `remove` await nothing, so what one request changes is committed whole."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, gather_ms: float) -> None:
        self._pool = pool
        self._changed: Changes = {}
        self._commit = GroupCommit(self._take, self._write, gather_ms=gather_ms)

    def put(self, kind: str, id_: str, body: Body) -> None:
        """Keep a document; it is encoded here and now, so later changes of `body` are not kept with it."""
        self._changed[kind, id_] = encoder.encode(body).decode()

    def remove(self, kind: str, id_: str) -> None:
        """Keep it no longer."""
        self._changed[kind, id_] = None

    async def committed(self) -> None:
        """Return once the changes made so far are durable."""
        await self._commit.committed()

    async def run(self) -> None:
        """Commit for ever; on cancellation the last changes are still committed."""
        await self._commit.run()

    def _take(self) -> Changes:
        changed, self._changed = self._changed, {}
        return changed

    async def _write(self, changed: Changes) -> None:
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
