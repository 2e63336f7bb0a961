"""Stripe's events as they came: stored once, published, handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoicing_sync.store.pool import Connection, Pool


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event, a snapshot or a thin notification."""

    event_id: str
    type: str
    thin: bool
    created: datetime
    body: dict[str, Any]


async def store_once(pool: Pool, events: Sequence[StoredEvent], *, came_by: str) -> int:
    """Store the events that are not there yet; how many were new. A repeated one is counted."""
    rows = await pool.fetch(
        """
        INSERT INTO webhooks (event_id, type, thin, created, body, came_by, received_at)
        SELECT i, y, t, c, b, $6, clock_timestamp()
        FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[], $5::jsonb[]) AS u(i, y, t, c, b)
        ON CONFLICT (event_id) DO UPDATE SET deliveries = webhooks.deliveries + (excluded.came_by = 'webhook')::int
        RETURNING (xmax = 0) AS new
        """,
        [e.event_id for e in events],
        [e.type for e in events],
        [e.thin for e in events],
        [e.created for e in events],
        [e.body for e in events],
        came_by,
    )
    return sum(row["new"] for row in rows)


async def has_come(pool: Pool, type_: str, object_id: str) -> bool:
    """Whether an event of this type about this object is known, handled or not."""
    return bool(
        await pool.fetchval(
            "SELECT EXISTS (SELECT FROM webhooks WHERE type = $1 AND body->'data'->'object'->>'id' = $2)",
            type_,
            object_id,
        )
    )


async def unknown(pool: Pool, event_ids: Sequence[str]) -> set[str]:
    """Which of these events are not here."""
    rows = await pool.fetch(
        "SELECT i FROM unnest($1::text[]) AS t(i) WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.event_id = t.i)",
        list(event_ids),
    )
    return {row["i"] for row in rows}


async def unpublished(pool: Pool, limit: int) -> list[StoredEvent]:
    """Events that may not be on the bus yet, in order of arrival."""
    return await _select(pool, "published_at IS NULL", limit)


async def unhandled(pool: Pool, limit: int) -> list[StoredEvent]:
    """Events that are on the bus and have not been handled here."""
    return await _select(pool, "published_at IS NOT NULL AND handled_at IS NULL", limit)


async def _select(pool: Pool, condition: str, limit: int) -> list[StoredEvent]:
    rows = await pool.fetch(
        f"SELECT event_id, type, thin, created, body FROM webhooks WHERE {condition} ORDER BY position LIMIT $1", limit
    )
    return [StoredEvent(**row) for row in rows]


async def mark_published(pool: Pool, events: Sequence[StoredEvent]) -> None:
    """The bus has confirmed these."""
    await pool.execute(
        "UPDATE webhooks SET published_at = clock_timestamp() WHERE event_id = ANY($1::text[])",
        [event.event_id for event in events],
    )


async def mark_handled(at: Pool | Connection, events: Sequence[StoredEvent]) -> None:
    """These have had their effect here."""
    await at.execute(
        "UPDATE webhooks SET handled_at = clock_timestamp() WHERE event_id = ANY($1::text[])",
        [event.event_id for event in events],
    )


async def undone(pool: Pool) -> int:
    """Events that are still to be published or handled."""
    return int(await pool.fetchval("SELECT count(*) FROM webhooks WHERE published_at IS NULL OR handled_at IS NULL"))


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the sweep is: the last snapshot event seen, where it begins without one, the newest thin event seen."""

    since: datetime
    after: str | None
    thin_since: datetime


async def cursor(pool: Pool, *, first: datetime) -> Cursor:
    """The sweep's cursor; started at `first` by whoever asks first."""
    await pool.execute("INSERT INTO sweep (since) VALUES ($1) ON CONFLICT DO NOTHING", first)
    row = await pool.fetchrow("SELECT since, after_event, coalesce(thin_since, since) AS thin_since FROM sweep")
    assert row is not None
    return Cursor(row["since"], row["after_event"], row["thin_since"])


async def move_cursor(pool: Pool, after: str) -> None:
    """All snapshot events up to this one are stored."""
    await pool.execute("UPDATE sweep SET after_event = $1", after)


async def move_thin_cursor(pool: Pool, since: datetime) -> None:
    """All thin events made until then are stored."""
    await pool.execute("UPDATE sweep SET thin_since = $1", since)
