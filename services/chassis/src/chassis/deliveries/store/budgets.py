"""The row of a destination: its tokens, its pause, its breaker. Whoever locks it decides alone for all replicas."""

from __future__ import annotations

from datetime import datetime

from chassis.deliveries.domain.breaker import Breaker, Position
from chassis.deliveries.domain.budget import Budget
from chassis.store import HotConnection, Pool


async def ensure_destination(tx: HotConnection | Pool, destination: str) -> None:
    """Make the row where it is missing, with an empty bucket."""
    await tx.execute(
        """
        INSERT INTO delivery_destinations (destination, tokens, refilled_at) VALUES ($1, 0, clock_timestamp())
        ON CONFLICT DO NOTHING
        """,
        destination,
    )


async def lock(tx: HotConnection, destination: str) -> tuple[Budget, datetime]:
    """
    The budget, locked until the end of the transaction, and now by the database's clock.

    This row is locked before any lane, by everybody who locks both.
    """
    row = await tx.fetchrow("SELECT * FROM delivery_destinations WHERE destination = $1 FOR UPDATE", destination)
    assert row is not None, "a destination has its row before its first delivery"
    breaker = Breaker(Position(row["breaker"]), row["breaker_failures"], row["breaker_openings"], row["breaker_until"])
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    return Budget(row["tokens"], row["refilled_at"], row["paused_until"], breaker), now


async def in_use(tx: HotConnection, destination: str, now: datetime) -> int:
    """How many calls of all replicas are under way."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM delivery_lanes WHERE destination = $1 AND owner IS NOT NULL AND expires_at > $2",
        destination,
        now,
    )
    return count


async def save(tx: HotConnection, destination: str, budget: Budget, *, answers: int) -> None:
    """Store the budget; `answers` more calls have ended."""
    breaker = budget.breaker
    await tx.execute(
        """
        UPDATE delivery_destinations SET tokens = $2, refilled_at = $3, paused_until = $4, breaker = $5,
            breaker_failures = $6, breaker_openings = $7, breaker_until = $8, answers = answers + $9
        WHERE destination = $1
        """,
        destination,
        budget.tokens,
        budget.refilled_at,
        budget.paused_until,
        breaker.position.value,
        breaker.failures,
        breaker.openings,
        breaker.until,
        answers,
    )
