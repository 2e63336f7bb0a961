"""Invoices as Stripe last showed them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from event_schemas.times import iso
from event_schemas.values import decimal_text
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import instant, seconds
from invoicing_sync.stripe_door.wire import Invoice, InvoiceLine


async def keep(pool: Pool, invoice: Invoice, customer: str, *, now: datetime) -> None:
    """Store the invoice as it was just read; a finalised state never gives way to a draft."""
    await pool.execute(
        """
        INSERT INTO invoices (invoice_id, customer, billing_reason, period_start, period_end, status, number, currency,
                              subtotal_minor, total_minor, auto_advance, lines, read_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (invoice_id) DO UPDATE
        SET status = excluded.status, number = excluded.number, subtotal_minor = excluded.subtotal_minor,
            total_minor = excluded.total_minor, auto_advance = excluded.auto_advance, lines = excluded.lines,
            read_at = excluded.read_at
        WHERE invoices.status = 'draft' OR excluded.status <> 'draft'
        """,
        invoice.invoice_id,
        customer,
        invoice.billing_reason,
        invoice.period_start,
        invoice.period_end,
        invoice.status,
        invoice.number,
        invoice.currency,
        invoice.subtotal_minor,
        invoice.total_minor,
        invoice.auto_advance,
        [_row_line(line) for line in invoice.lines],
        now,
    )


async def of_period(pool: Pool, customer: str, number: int, period_end: datetime) -> str | None:
    """The invoice that bills the usage of a period, or a customer's first one (number -1)."""
    found: str | None = await pool.fetchval(
        """
        SELECT invoice_id FROM invoices
        WHERE customer = $1 AND status NOT IN ('void', 'deleted') AND period_end = $2
          AND (billing_reason = 'subscription_cycle' OR (billing_reason = 'subscription_create' AND $3 < 0))
        ORDER BY read_at DESC LIMIT 1
        """,
        customer,
        period_end,
        number,
    )
    return found


async def held_back(pool: Pool, invoice_id: str) -> bool:
    """Whether we know that Stripe will not finalise this invoice by itself, or has done so already."""
    return bool(
        await pool.fetchval(
            "SELECT NOT auto_advance OR status <> 'draft' FROM invoices WHERE invoice_id = $1", invoice_id
        )
    )


def _row_line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "price": line.price,
        "amount_minor": line.amount_minor,
        "quantity": decimal_text(line.quantity),
        "description": line.description,
        "period_start": seconds(line.period_start),
        "period_end": seconds(line.period_end),
        "proration": line.proration,
        "natural_key": line.natural_key,
        "loose": line.loose,
    }


def from_row_line(row: dict[str, Any]) -> InvoiceLine:
    """A line as it was stored."""
    return InvoiceLine(
        line_id=row["id"],
        price=row["price"],
        amount_minor=row["amount_minor"],
        quantity=Decimal(row["quantity"]),
        description=row["description"],
        period_start=instant(row["period_start"]),
        period_end=instant(row["period_end"]),
        proration=row["proration"],
        natural_key=row.get("natural_key"),
        loose=row.get("loose", False),
    )


async def search(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Invoices by customer and by an instant in the period whose usage they bill, in order of their ids."""
    return await pool.fetch(
        """
        SELECT * FROM invoices
        WHERE ($1::text IS NULL OR customer = $1)
          AND ($2::timestamptz IS NULL OR (period_start <= $2 AND $2 < period_end) OR period_start = $2)
          AND ($3::text IS NULL OR invoice_id > $3)
        ORDER BY invoice_id LIMIT $4
        """,
        customer,
        period,
        after,
        limit,
    )


async def one(pool: Pool, invoice_id: str) -> asyncpg.Record | None:
    """One invoice."""
    return await pool.fetchrow("SELECT * FROM invoices WHERE invoice_id = $1", invoice_id)


def line_window(line: InvoiceLine) -> str:
    """The window of a line for people."""
    return f"{iso(line.period_start)}/{iso(line.period_end)}"
