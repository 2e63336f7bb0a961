"""The quarantine's rows: one for each (event, content, reason), with a count of its deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import BigInteger, ColumnElement, RowMapping, cast, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from usage_ingest.convert import Delivery
from usage_ingest.seals import Seals
from usage_ingest.store.tables import QUARANTINE, SEALED_CONTENTS

# One statement, so one transaction: no row without its sealed content, no content without its row. A later delivery
# keeps the content longer, since its 202 has promised as much; a row that was replayed gets none again.
_RECORD = """
WITH u AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::bytea[], $10::text[], $11::timestamptz[], $12::bigint[], $14::text[],
                         $15::bytea[])
         AS u (source, event_id, subject, customer, type, reason, field, sentence, fingerprint, event,
               received_at, deliveries, key_id, sealed)
), recorded AS (
    INSERT INTO quarantine (origin, source, event_id, subject, customer, type, reason, field, sentence, fingerprint,
                            event, received_at, last_received_at, deliveries, key_name)
    SELECT 'door', source, event_id, subject, customer, type, reason, field, sentence, fingerprint, event::jsonb,
           received_at, received_at, deliveries, $13
    FROM u
    ON CONFLICT (source, event_id, reason, fingerprint) WHERE origin = 'door'
    DO UPDATE SET deliveries = quarantine.deliveries + EXCLUDED.deliveries,
                  last_received_at = greatest(quarantine.last_received_at, EXCLUDED.last_received_at)
    RETURNING quarantine_id, source, event_id, reason, fingerprint, state
)
INSERT INTO sealed_contents (quarantine_id, key_id, sealed, kept_at)
SELECT recorded.quarantine_id, u.key_id, u.sealed, u.received_at
FROM recorded JOIN u USING (source, event_id, reason, fingerprint)
WHERE u.sealed IS NOT NULL AND recorded.state = 'waiting'
ON CONFLICT (quarantine_id) DO UPDATE SET kept_at = greatest(sealed_contents.kept_at, EXCLUDED.kept_at)
"""


async def record_deliveries(
    pool: asyncpg.Pool[asyncpg.Record], deliveries: Sequence[Delivery], *, key_name: str, seals: Seals
) -> None:
    """
    Add these deliveries, each a new row with its sealed content, or one more on the row that is there. Committed on
    return.

    A row that was replayed stays replayed: the repeated delivery is the event that the replay has put on the bus.
    """
    merged: dict[tuple[str, str, str, bytes], tuple[Delivery, int]] = {}
    for delivery in deliveries:
        first, count = merged.get(delivery.key, (delivery, 0))
        merged[delivery.key] = (first, count + 1)
    # sorted by key: unsorted concurrent batches that share keys deadlock
    rows = [merged[key] for key in sorted(merged)]
    firsts = [first for first, _ in rows]
    sealed = [seals.seal(d.content, d.key) if d.content is not None else None for d in firsts]
    await pool.execute(
        _RECORD,
        [d.source for d in firsts],
        [d.event_id for d in firsts],
        [d.subject for d in firsts],
        [d.customer for d in firsts],
        [d.type for d in firsts],
        [d.reason for d in firsts],
        [d.field for d in firsts],
        [d.sentence for d in firsts],
        [d.fingerprint for d in firsts],
        [d.event for d in firsts],
        [d.received_at for d in firsts],
        [count for _, count in rows],
        key_name,
        [seal.key_id if seal else None for seal in sealed],
        [seal.text if seal else None for seal in sealed],
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: all that match every criterion given, in order of their ids, after `after`, at most `limit`."""

    ids: tuple[int, ...] | None = None
    reason: str | None = None
    customer: str | None = None
    source: str | None = None
    event_id: str | None = None
    state: str | None = None
    after: int = 0
    limit: int = 100

    def criteria(self) -> list[ColumnElement[bool]]:
        """The same as SQL."""
        columns = QUARANTINE.c
        found = [columns.quarantine_id > self.after]
        if self.ids is not None:
            found.append(columns.quarantine_id.in_(self.ids))
        for column, wanted in (
            (columns.reason, self.reason),
            (columns.customer, self.customer),
            (columns.source, self.source),
            (columns.event_id, self.event_id),
            (columns.state, self.state),
        ):
            if wanted is not None:
                found.append(column == wanted)
        return found


async def list_rows(engine: AsyncEngine, selection: Selection) -> tuple[list[RowMapping], bool]:
    """The rows of a page, and whether there are more."""
    query = (
        select(QUARANTINE, SEALED_CONTENTS.c.kept_at)
        .outerjoin(SEALED_CONTENTS, SEALED_CONTENTS.c.quarantine_id == QUARANTINE.c.quarantine_id)
        .where(*selection.criteria())
        .order_by(QUARANTINE.c.quarantine_id)
        .limit(selection.limit + 1)
    )
    async with engine.connect() as connection:
        rows = list((await connection.execute(query)).mappings())
    return rows[: selection.limit], len(rows) > selection.limit


async def lock_waiting(connection: AsyncConnection, selection: Selection) -> tuple[list[RowMapping], bool]:
    """The waiting rows of a page, locked for this transaction, and whether there are more. Skips locked ones."""
    query = (
        select(QUARANTINE)
        .where(*replace(selection, state="waiting").criteria())
        .order_by(QUARANTINE.c.quarantine_id)
        .limit(selection.limit + 1)
        .with_for_update(skip_locked=True)
    )
    rows = list((await connection.execute(query)).mappings())
    return rows[: selection.limit], len(rows) > selection.limit


async def mark_replayed(
    connection: AsyncConnection, ids: Sequence[int], *, at: datetime, by: str, changes: dict[str, Any] | None
) -> None:
    """These rows no longer wait: when, by whose key, and what was changed in them. Safe to repeat."""
    columns = QUARANTINE.c
    await connection.execute(
        update(QUARANTINE)
        .where(columns.quarantine_id.in_(ids), columns.state == "waiting")
        .values(state="replayed", replayed_at=at, replayed_by=by, changes=null() if changes is None else changes)
    )


async def counts(engine: AsyncEngine) -> list[Any]:
    """(origin, state, reason, rows, deliveries) of all rows."""
    columns = QUARANTINE.c
    deliveries = cast(func.sum(columns.deliveries), BigInteger)
    query = select(columns.origin, columns.state, columns.reason, func.count(), deliveries).group_by(
        columns.origin, columns.state, columns.reason
    )
    async with engine.connect() as connection:
        return list(await connection.execute(query))
