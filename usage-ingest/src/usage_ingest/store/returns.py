"""What readers of the bus handed back, and how far `events.quarantined` was read: one transaction for both."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from chassis.store import transaction
from usage_ingest.convert import Delivery

_RECORD = """
INSERT INTO quarantine (origin, source, event_id, subject, customer, type, reason, field, sentence, fingerprint, event,
                        received_at, last_received_at, deliveries, record_topic, record_partition, record_offset)
VALUES ('reader', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $11, 1, $12, $13, $14)
ON CONFLICT (record_topic, record_partition, record_offset) WHERE origin = 'reader' DO NOTHING
"""
_MOVE = """
INSERT INTO bus_positions (topic, partition, next_offset) VALUES ($1, $2, $3)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = greatest(bus_positions.next_offset, EXCLUDED.next_offset)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies on the bus."""

    topic: str
    partition: int
    offset: int


async def record_return_once(
    pool: asyncpg.Pool[asyncpg.Record], delivery: Delivery, *, record: Place, read: Place
) -> None:
    """Keep a record that was handed back (`record`) and that its message was read (`read`). Safe to repeat."""
    async with transaction(pool) as connection:
        await connection.execute(
            _RECORD,
            delivery.source,
            delivery.event_id,
            delivery.subject,
            delivery.customer,
            delivery.type,
            delivery.reason,
            delivery.field,
            delivery.sentence,
            delivery.fingerprint,
            delivery.event,
            delivery.received_at,
            record.topic,
            record.partition,
            record.offset,
        )
        await connection.execute(_MOVE, read.topic, read.partition, read.offset + 1)


async def positions(pool: asyncpg.Pool[asyncpg.Record], topic: str) -> dict[int, int]:
    """The next offset to read, by partition; a partition that was never read is missing."""
    rows = await pool.fetch("SELECT partition, next_offset FROM bus_positions WHERE topic = $1", topic)
    return {row["partition"]: row["next_offset"] for row in rows}
