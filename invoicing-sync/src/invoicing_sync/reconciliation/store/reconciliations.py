"""Reconciliations: what was compared, what differs and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from invoicing_sync.reconciliation.domain.drift import Cause, Evidence
from invoicing_sync.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Drift:
    """One customer, meter and UTC day whose numbers differ."""

    customer: str
    meter: str
    day: datetime
    evidence: Evidence
    cause: Cause


async def start(pool: Pool, customer: str | None, from_day: datetime, to_day: datetime, *, now: datetime) -> int:
    """A new run; its id."""
    return int(
        await pool.fetchval(
            "INSERT INTO reconciliations (customer, from_day, to_day, state, started_at) "
            "VALUES ($1, $2, $3, 'running', $4) RETURNING id",
            customer,
            from_day,
            to_day,
            now,
        )
    )


async def add_drift(pool: Pool, run: int, found: Sequence[Drift]) -> None:
    """Record what differs."""
    await pool.executemany(
        "INSERT INTO drift VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        [
            (
                run,
                d.customer,
                d.meter,
                d.day,
                d.evidence.ledger,
                d.evidence.stripe,
                d.cause.value,
                _evidence(d.evidence),
            )
            for d in found
        ],
    )


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "not_pushed": evidence.not_pushed,
        "refused": evidence.refused,
        "lately": evidence.lately,
        "waiting": evidence.waiting,
        "overdue": evidence.overdue,
        "sent_again": list(evidence.sent_again),
    }


async def finish(pool: Pool, run: int, *, compared: int, now: datetime, failure: str | None = None) -> None:
    """The run has ended; `compared` counts (customer, meter, day) with numbers on either side."""
    await pool.execute(
        "UPDATE reconciliations SET state = $2, compared = $3, finished_at = $4, detail = $5 WHERE id = $1",
        run,
        "done" if failure is None else "failed",
        compared,
        now,
        failure,
    )


async def read(pool: Pool, run: int | None) -> tuple[asyncpg.Record, list[asyncpg.Record]] | None:
    """A run, or the latest one, with its drift."""
    row = await pool.fetchrow(
        "SELECT * FROM reconciliations WHERE $1::bigint IS NULL OR id = $1 ORDER BY id DESC LIMIT 1", run
    )
    if row is None:
        return None
    drift = await pool.fetch("SELECT * FROM drift WHERE reconciliation = $1 ORDER BY customer, meter, day", row["id"])
    return row, drift


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a difference may be nobody's fault, in process time; and the business time of the look."""

    settle: timedelta  # Stripe may still be summing what was delivered
    turn: timedelta  # due work may wait its turn in a lane
    now: datetime


_EVIDENCE = """
WITH found AS (
    SELECT date_trunc('day', effective_at, 'UTC') AS day, value, state, calls, cancels, settled_at,
        state IN ('waiting_for_contract', 'waiting_for_charge', 'pending', 'in_flight', 'unclear') AS unsent,
        due_since <= now() - $6::interval AND not_before <= $7::timestamptz - $6::interval AS long_due
    FROM deliveries
    WHERE customer = $1 AND meter = $2 AND effective_at >= $3 AND effective_at < $4
)
SELECT day,
    coalesce(sum(value) FILTER (WHERE state <> 'correction'), 0) AS ledger,
    coalesce(sum(value) FILTER (WHERE unsent), 0) AS not_pushed,
    coalesce(sum(value) FILTER (WHERE state IN ('refused', 'netted')), 0) AS refused,
    bool_or(unsent AND NOT long_due) AS waiting,
    bool_or(unsent AND long_due) AS overdue,
    coalesce(bool_or(settled_at > now() - $5::interval AND state IN ('delivered', 'cancelled')), false) AS lately,
    coalesce(array_agg(value ORDER BY value) FILTER (WHERE calls > 1 AND state = 'delivered' AND NOT cancels), '{}')
        AS sent_again
FROM found GROUP BY day
"""


async def evidence_of(
    pool: Pool, customer: str, meter: str, start: datetime, end: datetime, *, patience: Patience
) -> dict[datetime, Evidence]:
    """What our own rows say of each UTC day in [start, end); Stripe's number is left at 0."""
    rows = await pool.fetch(_EVIDENCE, customer, meter, start, end, patience.settle, patience.turn, patience.now)
    return {
        row["day"]: Evidence(
            ledger=row["ledger"],
            stripe=Decimal(0),
            not_pushed=row["not_pushed"],
            refused=row["refused"],
            lately=row["lately"],
            waiting=row["waiting"],
            overdue=row["overdue"],
            sent_again=tuple(row["sent_again"]),
        )
        for row in rows
    }


async def meters_of(pool: Pool, customer: str) -> list[str]:
    """The meters that a customer has entries of."""
    rows = await pool.fetch("SELECT DISTINCT meter FROM deliveries WHERE customer = $1", customer)
    return [row["meter"] for row in rows]
