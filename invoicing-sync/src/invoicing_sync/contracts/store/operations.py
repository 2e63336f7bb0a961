"""Operations of plans, from the intent to what Stripe made of it, and what Stripe was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from invoicing_sync.contracts.domain.plan.at_stripe import Told
from invoicing_sync.contracts.domain.plan.operations import Operation
from invoicing_sync.contracts.domain.plan.telling import from_row, to_row
from invoicing_sync.store.pool import Connection, Pool


@dataclass(frozen=True, slots=True)
class Intent:
    """An operation that is to be carried out; one that is not `fresh` may have been already."""

    position: int
    attempt: int
    intended_at: datetime
    fresh: bool


async def intend(pool: Pool, customer: str, revision: int, operation: Operation, *, now: datetime) -> Intent:
    """Store the intent, or find the one that is there."""
    position = await pool.fetchval(
        """
        INSERT INTO operations (customer, key, revision, sentence, needs, state, intended_at)
        VALUES ($1, $2, $3, $4, $5, 'intended', $6)
        ON CONFLICT (customer, key) WHERE state = 'intended' DO NOTHING RETURNING position
        """,
        customer,
        operation.key,
        revision,
        operation.sentence,
        list(operation.needs),
        now,
    )
    row = await pool.fetchrow(
        "SELECT position, attempt, intended_at FROM operations WHERE customer = $1 AND key = $2 AND state = 'intended'",
        customer,
        operation.key,
    )
    assert row is not None, "one process carries out plans"
    return Intent(row["position"], row["attempt"], row["intended_at"], position is not None)


async def next_attempt(pool: Pool, position: int) -> int:
    """Stripe replays a 5xx for the key used: the number of the next key."""
    return int(
        await pool.fetchval(
            "UPDATE operations SET attempt = attempt + 1 WHERE position = $1 RETURNING attempt", position
        )
    )


async def done(tx: Connection, position: int, *, now: datetime) -> None:
    """Stripe has carried it out."""
    await tx.execute("UPDATE operations SET state = 'done', done_at = $2 WHERE position = $1", position, now)


async def refused(pool: Pool, position: int, sentence: str, *, now: datetime) -> None:
    """Stripe will not have it; planned again, it is another intent."""
    await pool.execute(
        "UPDATE operations SET state = 'refused', answer = $2, done_at = $3 WHERE position = $1",
        position,
        sentence,
        now,
    )


async def of_customer(pool: Pool, customer: str) -> list[asyncpg.Record]:
    """What was done, in order."""
    return await pool.fetch(
        "SELECT * FROM operations WHERE customer = $1 AND state = 'done' ORDER BY position", customer
    )


async def tell(
    tx: Pool | Connection, customer: str, told: Told, *, called_at: datetime, prorations: list[dict[str, Any]]
) -> None:
    """What Stripe has been told now; `prorations` are the lines that the call makes there."""
    await tx.execute(
        "INSERT INTO told (customer, called_at, told, prorations) VALUES ($1, $2, $3, $4)",
        customer,
        called_at,
        to_row(told),
        prorations,
    )


async def told_last(pool: Pool, customer: str) -> Told | None:
    """What Stripe was told last; None: nothing yet by a plan."""
    row = await pool.fetchval("SELECT told FROM told WHERE customer = $1 ORDER BY position DESC LIMIT 1", customer)
    return None if row is None else from_row(row)


async def told_before(pool: Pool, customer: str, instant: datetime) -> Told | None:
    """
    What Stripe had been told when it made the invoice of a billing day: by the last call before that instant, else by
    the call that made the subscription.
    """
    row = await pool.fetchval(
        """
        SELECT told FROM told WHERE customer = $1 AND (told ->> 'subscribed')::boolean
        ORDER BY called_at < $2 DESC, CASE WHEN called_at < $2 THEN position ELSE -position END DESC LIMIT 1
        """,
        customer,
        instant,
    )
    return None if row is None else from_row(row)


async def prorations_between(pool: Pool, customer: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The lines that calls of [start, end) make Stripe put onto the invoice of `end`."""
    rows = await pool.fetch(
        "SELECT prorations FROM told WHERE customer = $1 AND called_at >= $2 AND called_at < $3 ORDER BY position",
        customer,
        start,
        end,
    )
    return [line for row in rows for line in row["prorations"]]


async def drop_intents(pool: Pool, customer: str) -> None:
    """Intents that no plan asks for any more: the contract, or Stripe, has moved on."""
    await pool.execute("DELETE FROM operations WHERE customer = $1 AND state = 'intended'", customer)
