"""What people and commands ask for."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from event_schemas.times import Period
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.store.contracts import FREE, PRICED
from invoicing_sync.contracts.store.ownership import IS_OURS
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.store.deliveries import UNSETTLED_STATES


async def periods_of_invoices(pool: Pool, invoice_ids: list[str]) -> dict[str, asyncpg.Record]:
    """The periods that invoices bill: by the invoice they were finalised with, else by customer and end."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT ON (i.invoice_id) i.invoice_id AS bills, p.* FROM invoices i
        JOIN periods p ON p.customer = i.customer
          AND (p.invoice_id = i.invoice_id OR (p.invoice_id IS NULL AND p.period_end = i.period_end))
        WHERE i.invoice_id = ANY($1::text[]) ORDER BY i.invoice_id, p.number
        """,
        invoice_ids,
    )
    return {row["bills"]: row for row in rows}


# A period's frozen set: what took effect in it and is no correction. From the moment at which its deliveries begin to
# be taken away (store/pruning.py) the entries say the same, found by their instant.
_FROZEN = """
SELECT d.identifier, d.meter, d.value, d.reverses, d.state AS delivery FROM deliveries d
WHERE d.customer = $1 AND d.period_end = $2 AND d.state <> 'correction'
  AND NOT EXISTS (SELECT FROM periods p WHERE p.customer = $1 AND p.period_end = $2
                  AND p.deliveries_pruned_at IS NOT NULL)
UNION ALL
SELECT e.entry_id, e.meter, CASE e.op WHEN 'charge' THEN e.quantity ELSE -e.quantity END, e.cause ->> 'reverses', NULL
FROM periods p JOIN entries e ON e.customer = p.customer
  AND e.effective_at >= p.period_start AND e.effective_at < p.period_end
WHERE p.customer = $1 AND p.period_end = $2 AND p.number >= 0 AND p.deliveries_pruned_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM corrections c WHERE c.entry_id = e.entry_id)
"""


async def counts(pool: Pool, customer: str, period_end: datetime) -> dict[str, asyncpg.Record]:
    """By meter: charges, reversals and net of a period's frozen set, corrections left out."""
    rows = await pool.fetch(
        f"""
        SELECT meter, count(*) FILTER (WHERE reverses IS NULL) AS charges,
               count(*) FILTER (WHERE reverses IS NOT NULL) AS reversals, sum(value) AS net
        FROM ({_FROZEN}) frozen GROUP BY meter
        """,
        customer,
        period_end,
    )
    return {row["meter"]: row for row in rows}


async def running_counts(pool: Pool, customer: str, period: Period) -> list[asyncpg.Record]:
    """By meter, of a period that is not over: charges, reversals, net and open ones of its usage; and corrections."""
    return await pool.fetch(
        f"""
        SELECT meter, count(*) FILTER (WHERE counts AND reverses IS NULL) AS charges,
               count(*) FILTER (WHERE counts AND reverses IS NOT NULL) AS reversals,
               sum(value) FILTER (WHERE counts) AS net, count(*) FILTER (WHERE NOT counts) AS corrections,
               count(*) FILTER (WHERE state IN {UNSETTLED_STATES}) AS open
        FROM (SELECT *, state <> 'correction' AS counts FROM deliveries WHERE customer = $1 AND period_end = $2) d
        GROUP BY meter ORDER BY meter
        """,
        customer,
        period.end,
    )


async def entries_behind(
    pool: Pool, customer: str, meter: str, period_end: datetime, *, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """
    The entries behind a usage line, in order of their instant; all tiers of a meter share them.

    `delivery` is its state, None where it was settled so long ago that it is no longer kept.
    """
    return await pool.fetch(
        f"""
        SELECT e.*, f.delivery FROM ({_FROZEN}) f JOIN entries e ON e.entry_id = f.identifier
        WHERE f.meter = $3
          AND ($4::text IS NULL OR (e.effective_at, e.entry_id) >
               (SELECT a.effective_at, a.entry_id FROM entries a WHERE a.entry_id = $4))
        ORDER BY e.effective_at, e.entry_id LIMIT $5
        """,
        customer,
        period_end,
        meter,
        after,
        limit,
    )


async def entries_by_state(
    pool: Pool, start: datetime, end: datetime, issuers: Issuers
) -> tuple[int, int, list[asyncpg.Record], dict[str, tuple[frozenset[str], frozenset[str]]]]:
    """
    What took effect in [start, end), at one moment: how many entries, and how many that are another door's; how many by
    customer, meter and state of their delivery; and the meters that each applied contract prices and declares free.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        counted = await connection.fetchrow(
            f"""
            WITH elsewhere AS (SELECT customer FROM contracts WHERE NOT {IS_OURS}),
            found AS (
                SELECT customer IN (SELECT customer FROM elsewhere) AS other FROM entries
                WHERE effective_at >= $2 AND effective_at < $3
            )
            SELECT count(*) FILTER (WHERE NOT other) AS own, count(*) FILTER (WHERE other) AS others FROM found
            """,
            sorted(issuers),
            start,
            end,
        )
        rows = await connection.fetch(
            """
            SELECT customer, meter, state, count(*) AS count FROM deliveries
            WHERE effective_at >= $1 AND effective_at < $2 GROUP BY customer, meter, state
            """,
            start,
            end,
        )
        contracts = await connection.fetch(
            f"""
            SELECT customer, {PRICED} AS priced, {FREE} AS free
            FROM contracts WHERE customer = ANY($1::text[]) AND applied_revision IS NOT NULL
            """,
            sorted({row["customer"] for row in rows}),
        )
    agreed = {row["customer"]: (frozenset(row["priced"]), frozenset(row["free"])) for row in contracts}
    assert counted is not None, "a count has a row"
    return counted["own"], counted["others"], rows, agreed


async def corrections(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Corrections by customer and by an instant in their period, in order of their entries."""
    return await pool.fetch(
        """
        SELECT * FROM corrections
        WHERE ($1::text IS NULL OR customer = $1)
          AND ($2::timestamptz IS NULL OR (period_start <= $2 AND $2 < period_end))
          AND ($3::text IS NULL OR entry_id > $3)
        ORDER BY entry_id LIMIT $4
        """,
        customer,
        period,
        after,
        limit,
    )


async def deliveries(
    pool: Pool, *, state: str | None, customer: str | None, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Deliveries by state and customer, in order of their identifiers."""
    return await pool.fetch(
        """
        SELECT * FROM deliveries
        WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR customer = $2)
          AND ($3::text IS NULL OR identifier > $3)
        ORDER BY identifier LIMIT $4
        """,
        state,
        customer,
        after,
        limit,
    )


async def cases(
    pool: Pool, *, customer: str | None, closed: bool, before: int | None, limit: int
) -> list[asyncpg.Record]:
    """Cases, latest first, below the id `before`; closed ones only where asked for."""
    return await pool.fetch(
        """
        SELECT * FROM cases WHERE ($1::text IS NULL OR customer = $1) AND ($2 OR closed_at IS NULL)
          AND ($4::bigint IS NULL OR id < $4)
        ORDER BY id DESC LIMIT $3
        """,
        customer,
        closed,
        limit,
        before,
    )
