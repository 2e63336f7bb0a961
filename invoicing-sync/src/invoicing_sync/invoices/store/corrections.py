"""Corrections as people ask for them: by customer and period, with the entries of the ledger behind them."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from invoicing_sync.store.pool import Pool


async def customers(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> list[str]:
    """Customers with corrections (in the period that holds an instant), in order, behind `after`."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT customer FROM (
            SELECT customer, period_start, period_end FROM corrections
            UNION ALL
            SELECT g.customer, p.period_start, p.period_end FROM gatherings g
            JOIN periods p ON p.customer = g.customer AND p.number = g.number
        ) corrected
        WHERE ($1::text IS NULL OR customer = $1) AND ($3::text IS NULL OR customer > $3)
          AND ($2::timestamptz IS NULL OR (period_start <= $2 AND $2 < period_end))
        ORDER BY customer LIMIT $4
        """,
        customer,
        period,
        after,
        limit,
    )
    return [row["customer"] for row in rows]


async def entries(pool: Pool, customers: list[str], period: datetime | None) -> list[asyncpg.Record]:
    """The corrections of some customers with what they are about: by customer and period, then in order of arrival."""
    return await pool.fetch(
        """
        SELECT c.*, e.effective_at, e.subject, e.subject_kind
        FROM corrections c JOIN entries e ON e.entry_id = c.entry_id
        WHERE c.customer = ANY($1::text[])
          AND ($2::timestamptz IS NULL OR (c.period_start <= $2 AND $2 < c.period_end))
        ORDER BY c.customer, c.period_end, c.recorded_at, c.entry_id
        """,
        customers,
        period,
    )


async def documents(pool: Pool, customers: list[str], period: datetime | None) -> list[asyncpg.Record]:
    """What settles the corrections of some customers: by customer and period, the oldest first."""
    return await pool.fetch(
        """
        SELECT g.*, p.period_start, p.period_end, c.period_start AS carrier_start FROM gatherings g
        JOIN periods p ON p.customer = g.customer AND p.number = g.number
        LEFT JOIN periods c ON c.customer = g.customer AND c.number = g.carried_by
        WHERE g.customer = ANY($1::text[])
          AND ($2::timestamptz IS NULL OR (p.period_start <= $2 AND $2 < p.period_end))
        ORDER BY g.customer, p.period_end, g.gathering
        """,
        customers,
        period,
    )


async def periods(pool: Pool, customers: list[str]) -> list[asyncpg.Record]:
    """The periods of some customers; a first invoice's is empty."""
    return await pool.fetch("SELECT * FROM periods WHERE customer = ANY($1::text[])", customers)
