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
        SELECT DISTINCT customer FROM corrections
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


async def periods(pool: Pool, customers: list[str]) -> list[asyncpg.Record]:
    """The periods of some customers that their invoices bill the usage of."""
    return await pool.fetch(
        "SELECT * FROM periods WHERE customer = ANY($1::text[]) AND period_start < period_end", customers
    )
