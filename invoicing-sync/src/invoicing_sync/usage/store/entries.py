"""The ledger's copy: appended once by entry id, never changed; and how far it reaches without a gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from event_schemas.wire import ProgressData, RatedEntry
from invoicing_sync.invoices.domain.gate import PartitionProgress
from invoicing_sync.store.pool import Connection, Pool

_APPEND = """
INSERT INTO entries (entry_id, partition, seq, customer, subject, subject_kind, meter, op, ordinal, quantity,
                     effective_at, caused_at, recorded_at, cause)
SELECT * FROM unnest(
    $1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[],
    $10::numeric[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::jsonb[])
ORDER BY 1
ON CONFLICT (entry_id) DO NOTHING
RETURNING entry_id
"""


async def append_once(tx: Connection, entries: Sequence[RatedEntry]) -> set[str]:
    """Store the entries that are not there yet; the ids of those that were new."""
    columns: list[Iterable[Any]] = [
        [e.entry_id for e in entries],
        [e.partition for e in entries],
        [e.seq for e in entries],
        [e.customer for e in entries],
        [e.subject for e in entries],
        [e.subject_kind for e in entries],
        [e.meter for e in entries],
        [e.op for e in entries],
        [e.ordinal for e in entries],
        [Decimal(e.quantity) for e in entries],
        [e.effective_at for e in entries],
        [e.caused_at for e in entries],
        [e.recorded_at for e in entries],
        [msgspec.to_builtins(e.cause) for e in entries],
    ]
    return {row["entry_id"] for row in await tx.fetch(_APPEND, *columns)}


async def present(tx: Connection, entry_ids: Iterable[str]) -> set[str]:
    """Which of these entries are here."""
    rows = await tx.fetch("SELECT entry_id FROM entries WHERE entry_id = ANY($1::text[])", list(entry_ids))
    return {row["entry_id"] for row in rows}


async def note_progress(tx: Connection, data: ProgressData) -> None:
    """Keep the furthest that rating has told of a partition; repeating it changes nothing."""
    await tx.execute(
        """
        INSERT INTO progress (partition, topic_id, read_up_to, seq) VALUES ($1, $2, $3, $4)
        ON CONFLICT (partition) DO UPDATE
        SET topic_id = excluded.topic_id, read_up_to = excluded.read_up_to, seq = excluded.seq
        WHERE (progress.read_up_to, progress.seq) < (excluded.read_up_to, excluded.seq)
           OR progress.topic_id <> excluded.topic_id
        """,
        data.partition,
        data.topic_id,
        data.read_up_to,
        data.seq,
    )


_HOLD = """
WITH run AS (
    SELECT p.partition, count(*) AS more, max(e.seq) AS last
    FROM progress p
    JOIN LATERAL (
        SELECT seq, seq - row_number() OVER (ORDER BY seq) AS before
        FROM entries WHERE entries.partition = p.partition AND seq > p.held_up_to
    ) e ON e.before = p.held_up_to
    GROUP BY p.partition
)
UPDATE progress p SET held_up_to = run.last,
    held_recorded_at = (SELECT recorded_at FROM entries e WHERE e.partition = p.partition AND e.seq = run.last)
FROM run WHERE run.partition = p.partition
"""


async def read_progress(pool: Pool) -> list[PartitionProgress]:
    """Every partition's progress, with `held_up_to` moved over what has come in without a gap."""
    await pool.execute(_HOLD)
    rows = await pool.fetch("SELECT partition, read_up_to, seq, held_up_to, held_recorded_at FROM progress")
    return [PartitionProgress(**row) for row in rows]


async def offsets(pool: Pool, topic: str, topic_id: str) -> dict[int, int]:
    """The next offset to read in each partition of a topic; a topic made anew starts from its beginning."""
    rows = await pool.fetch(
        "SELECT partition, next_offset FROM offsets WHERE topic = $1 AND topic_id = $2", topic, topic_id
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def move_offsets(tx: Connection, topic: str, topic_id: str, to: Mapping[int, int]) -> None:
    """Move on in each partition, never back."""
    await tx.execute(
        """
        INSERT INTO offsets (topic, topic_id, partition, next_offset)
        SELECT $1, $2, * FROM unnest($3::int[], $4::bigint[]) ORDER BY 3
        ON CONFLICT (topic, topic_id, partition) DO UPDATE
        SET next_offset = greatest(offsets.next_offset, excluded.next_offset)
        """,
        topic,
        topic_id,
        list(to),
        list(to.values()),
    )
