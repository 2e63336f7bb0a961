"""Sealed contents of quarantined events: read one, take away what is too old or done with, seal anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import RowMapping, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.retention import Pruned
from usage_ingest.seals import CannotOpen, RowKey, Sealed, Seals
from usage_ingest.store.tables import QUARANTINE, SEALED_CONTENTS

_EXPIRE = """
DELETE FROM sealed_contents WHERE quarantine_id IN (
    SELECT quarantine_id FROM sealed_contents WHERE kept_at < $1 ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


def row_key(row: RowMapping) -> RowKey:
    """What a row's content is bound to."""
    return row["source"], row["event_id"], row["reason"], bytes(row["fingerprint"])


async def sealed_of(connection: AsyncConnection, quarantine_id: int) -> Sealed | None:
    """The content of a row; None where none is kept (any more)."""
    columns = SEALED_CONTENTS.c
    query = select(columns.key_id, columns.sealed).where(columns.quarantine_id == quarantine_id)
    found = (await connection.execute(query)).one_or_none()
    return Sealed(found.key_id, bytes(found.sealed)) if found is not None else None


async def quarantined_row(connection: AsyncConnection, quarantine_id: int) -> RowMapping | None:
    """One row of the quarantine."""
    query = select(QUARANTINE).where(QUARANTINE.c.quarantine_id == quarantine_id)
    return (await connection.execute(query)).mappings().one_or_none()


async def forget_contents(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """These rows' events are on the bus: what was sent is needed no longer. Safe to repeat."""
    await connection.execute(delete(SEALED_CONTENTS).where(SEALED_CONTENTS.c.quarantine_id.in_(ids)))


async def expire_contents(pool: asyncpg.Pool[asyncpg.Record], before: datetime, most: int) -> Pruned:
    """Delete at most so many contents that were last delivered before an instant. Safe to repeat."""
    tag = await pool.execute(_EXPIRE, before, most)
    rows = int(tag.split()[-1])
    return Pruned(rows, more=rows == most)


async def seals_in_use(engine: AsyncEngine) -> dict[str, int]:
    """How many contents each key has sealed, by the key's id."""
    columns = SEALED_CONTENTS.c
    query = select(columns.key_id, func.count()).group_by(columns.key_id).order_by(columns.key_id)
    async with engine.connect() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


async def seal_anew(engine: AsyncEngine, seals: Seals, *, after: int, most: int) -> tuple[int, int | None]:
    """
    Look at so many contents of the other keys, in one transaction, and seal them under the first; how many were, and
    where to go on (None: the end). Contents whose key is not given, or whose seal is broken, stay as they are.
    """
    current, *others = seals.key_ids
    columns = SEALED_CONTENTS.c
    query = (
        select(QUARANTINE, columns.key_id, columns.sealed)
        .join(SEALED_CONTENTS, columns.quarantine_id == QUARANTINE.c.quarantine_id)
        .where(columns.key_id.in_(others), columns.quarantine_id > after)
        .order_by(columns.quarantine_id)
        .limit(most)
        .with_for_update(of=SEALED_CONTENTS)
    )
    async with engine.begin() as connection:
        rows = list((await connection.execute(query)).mappings())
        done = 0
        for row in rows:
            key = row_key(row)
            try:
                content = seals.open(Sealed(row["key_id"], bytes(row["sealed"])), key)
            except CannotOpen:
                continue  # counted with what stays
            done += 1
            await connection.execute(
                update(SEALED_CONTENTS)
                .where(columns.quarantine_id == row["quarantine_id"])
                .values(key_id=current, sealed=seals.seal(content, key).text)
            )
    return done, rows[-1]["quarantine_id"] if len(rows) == most else None
