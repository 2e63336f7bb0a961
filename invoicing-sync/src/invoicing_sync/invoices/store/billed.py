"""Invoices of contracts of version 2 that were finalised as expected: what the next ones find as billed before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Pool
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
    """What a customer's invoices before that of a period left."""
    rows = await pool.fetch(
        "SELECT billing_day, drawn FROM billed WHERE customer = $1 AND number < $2 ORDER BY number", customer, number
    )
    drawn: Counter[str] = Counter()
    for row in rows:
        drawn.update(row["drawn"])
    return BilledBefore(invoice_days=tuple(row["billing_day"] for row in rows), prepaid_drawn=drawn)


async def reopened(pool: Pool, customer: str, number: int) -> BilledBefore:
    """
    What a period finds that is rated again: its earlier invoices, and of each prepaid credit what it has drawn itself
    and what nobody has drawn by now.
    """
    rows = await pool.fetch(
        "SELECT number, billing_day, drawn FROM billed WHERE customer = $1 ORDER BY number", customer
    )
    elsewhere: Counter[str] = Counter()
    for row in rows:
        if row["number"] != number:
            elsewhere.update(row["drawn"])
    days = tuple(row["billing_day"] for row in rows if row["number"] < number)
    return BilledBefore(invoice_days=days, prepaid_drawn=elsewhere)
