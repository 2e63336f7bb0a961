"""Invoices of contracts of version 2 that were finalised as expected: what the next ones find as billed before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Connection, Pool
from pricing.usage import BilledBefore


async def keep(pool: Pool, row: PeriodRow, invoice_id: str, drawn: Mapping[str, int]) -> None:
    """The invoice of a period is the expected one; repeating it changes nothing."""
    await pool.execute(
        """
        INSERT INTO billed (customer, number, billing_day, invoice_id, drawn) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        row.customer,
        row.number,
        row.period.end,
        invoice_id,
        dict(drawn),
    )


async def before(pool: Pool, customer: str, number: int) -> BilledBefore:
    """What a customer's invoices before that of a period left, with what corrections have changed of it until then."""
    rows = await pool.fetch(
        "SELECT billing_day, drawn FROM billed WHERE customer = $1 AND number < $2 ORDER BY number", customer, number
    )
    changes = await pool.fetch(
        "SELECT drawn FROM restored WHERE customer = $1 AND number < $2 AND holds_from <= $2", customer, number
    )
    return BilledBefore(
        invoice_days=tuple(row["billing_day"] for row in rows),
        prepaid_drawn=_sum(row["drawn"] for row in (*rows, *changes)),
    )


async def reopened(pool: Pool, customer: str, number: int) -> BilledBefore:
    """
    What a period finds that is rated again: its earlier invoices, and of each prepaid credit what it has drawn itself
    and what nobody has drawn by now.
    """
    rows = await pool.fetch(
        "SELECT number, billing_day, drawn FROM billed WHERE customer = $1 ORDER BY number", customer
    )
    changes = await pool.fetch("SELECT drawn FROM restored WHERE customer = $1 AND number <> $2", customer, number)
    elsewhere = [row["drawn"] for row in rows if row["number"] != number]
    days = tuple(row["billing_day"] for row in rows if row["number"] < number)
    return BilledBefore(invoice_days=days, prepaid_drawn=_sum((*elsewhere, *(row["drawn"] for row in changes))))


async def keep_restored(tx: Connection, row: PeriodRow, drawn: Mapping[str, int], *, holds_from: int) -> None:
    """
    Rated again, an invoice draws this much of each prepaid credit: those from a period on that is not billed yet find
    it so, and those before as they found it.
    """
    was = await tx.fetchval("SELECT drawn FROM billed WHERE customer = $1 AND number = $2", row.customer, row.number)
    if was is None:
        return  # of version 1, or billed before such invoices were kept
    told = await tx.fetch(
        "SELECT drawn FROM restored WHERE customer = $1 AND number = $2 AND holds_from < $3",
        row.customer,
        row.number,
        holds_from,
    )
    change = Counter(drawn)
    change.subtract(_sum((was, *(each["drawn"] for each in told))))
    await tx.execute(
        """
        INSERT INTO restored (customer, number, holds_from, drawn) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer, number, holds_from) DO UPDATE SET drawn = excluded.drawn
        """,
        row.customer,
        row.number,
        holds_from,
        {key: minor for key, minor in change.items() if minor},
    )


def _sum(parts: Iterable[Mapping[str, int]]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for part in parts:
        summed.update(part)
    return summed
