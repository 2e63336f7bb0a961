"""Reading deliveries: lists, one with its journal, how much is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from chassis.deliveries.domain.states import State
from chassis.store import Pool

_COLUMNS = """
    d.delivery_id, d.destination, d.record, d.version, d.kind, d.parents, d.content::text AS content, d.caused_at,
    d.created_at, d.state, d.calls, d.sent_at, d.settled_at, d.code, d.sentence, d.reference,
    CASE WHEN d.state IN ('pending', 'in_flight', 'unclear') THEN l.due_at END AS due_at,
    CASE WHEN d.state = 'pending' THEN l.waits_for END AS waits_for
"""
_FROM = "deliveries d JOIN delivery_lanes l USING (destination, record)"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left for one destination. `due`: lanes that could go on now; `answers` grows while work moves."""

    depth: dict[State, int]
    oldest_created_at: datetime | None
    now: datetime
    due: int
    waiting_for_parents: int
    answers: int
    breaker: str


async def page(
    pool: Pool,
    *,
    states: Sequence[State] | None = None,
    destination: str | None = None,
    record: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[asyncpg.Record]:
    """Deliveries in the order in which they were handed over."""
    return await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
        WHERE d.delivery_id > $1 AND ($2::text[] IS NULL OR d.state = ANY($2))
          AND ($3::text IS NULL OR d.destination = $3) AND ($4::text IS NULL OR d.record = $4)
        ORDER BY d.delivery_id LIMIT $5
        """,
        after,
        None if states is None else [state.value for state in states],
        destination,
        record,
        limit,
    )


async def one(pool: Pool, delivery_id: int) -> asyncpg.Record | None:
    """One delivery."""
    return await pool.fetchrow(f"SELECT {_COLUMNS} FROM {_FROM} WHERE d.delivery_id = $1", delivery_id)


async def journal(pool: Pool, delivery_id: int) -> list[asyncpg.Record]:
    """All that was intended, answered and done by people about one delivery, in order."""
    return await pool.fetch(
        "SELECT at, call, what, act, answer, code, sentence, by FROM delivery_journal WHERE delivery_id = $1 "
        "ORDER BY entry_id",
        delivery_id,
    )


async def backlog(pool: Pool, destination: str) -> Backlog:
    """How much is left for a destination."""
    counted = await pool.fetch(
        """
        SELECT state, count(*) AS n, min(created_at) AS oldest FROM deliveries
        WHERE destination = $1 AND state IN ('pending', 'in_flight', 'unclear', 'refused', 'waiting_for_person')
        GROUP BY state
        """,
        destination,
    )
    row = await pool.fetchrow(
        """
        SELECT clock_timestamp() AS now,
            coalesce((SELECT answers FROM delivery_destinations WHERE destination = $1), 0) AS answers,
            coalesce((SELECT breaker FROM delivery_destinations WHERE destination = $1), 'closed') AS breaker,
            (SELECT count(*) FROM delivery_lanes WHERE destination = $1 AND due_at <= clock_timestamp()
             AND (owner IS NULL OR expires_at <= clock_timestamp())) AS due,
            (SELECT count(*) FROM delivery_lanes WHERE destination = $1 AND waits_for IS NOT NULL) AS waiting
        """,
        destination,
    )
    assert row is not None
    depth = {State(one["state"]): one["n"] for one in counted}
    still_open = [one["oldest"] for one in counted if one["state"] not in ("refused", "waiting_for_person")]
    oldest = min(still_open, default=None)
    return Backlog(depth, oldest, row["now"], row["due"], row["waiting"], row["answers"], row["breaker"])


async def waiting(pool: Pool, at: datetime) -> list[str]:
    """
    For `/quiet`: what is still to be delivered of facts up to business time `at`, as sentences; empty: nothing.

    What waits for a parent or a person does not count: the parent does, and a person is not waited for.
    """
    rows = await pool.fetch(
        """
        SELECT d.destination, count(*) AS n FROM deliveries d JOIN delivery_lanes l USING (destination, record)
        WHERE d.state IN ('pending', 'in_flight', 'unclear') AND d.caused_at <= $1 AND l.due_at IS NOT NULL
        GROUP BY d.destination ORDER BY d.destination
        """,
        at,
    )
    return [f"{row['n']} deliveries to {row['destination']}" for row in rows]
