"""Invoices and corrections in the golden file's form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from event_schemas.times import iso
from event_schemas.values import decimal_text
from pricing.corrections import Correction
from pricing.lines import Invoice, Kind, Line, TaxRow

Fields = dict[str, Any]


def invoice_form(invoice: Invoice, *, credits_left: int | None) -> Fields:
    """An invoice with all that the file may say about one."""
    return {
        "date": date(invoice.billing_day),
        "lines": in_order(map(line_form, invoice.lines)),
        "net": invoice.net.minor,
        "tax": [tax_form(row) for row in invoice.tax],
        "total": invoice.total.minor,
        "payable": invoice.payable.minor,
        "payment_rounding": invoice.payment_rounding.minor,
        "balance_applied": invoice.balance_applied.minor,
        "amount_due": invoice.amount_due.minor,
        "customer_credit_after": invoice.customer_credit_after.minor,
        "credits_left": credits_left,
    }


def in_order(lines: Iterable[Fields]) -> list[Fields]:
    """Lines sorted: their order is no part of the file's contract, their multiset is."""
    return sorted(lines, key=lambda line: sorted((key, str(value)) for key, value in line.items()))


def line_form(line: Line) -> Fields:
    """The fields that the file gives a line of its kind, all of them and no others."""
    form: Fields = {"item": line.item, "kind": line.kind.value, "amount": line.amount.minor}
    return form | dict(_of_kind(line))


def _of_kind(line: Line) -> Iterator[tuple[str, Any]]:
    match line.kind:
        case Kind.SHORTFALL if line.minimum is not None:
            yield "minimum", line.minimum.minor
        case Kind.DISCOUNT:
            yield "percent", f"{line.percent:f}" if line.percent is not None else None
            yield "base", line.base.minor if line.base is not None else None
            if line.whole_invoice:
                yield "scope", "invoice"
        case Kind.CREDIT_DRAWDOWN:
            pass
        case Kind.PRIOR_PERIOD:
            yield "qty", number(line.quantity)
            yield "period", f"{line.period.start:%Y-%m}"
        case _:
            yield from _with_quantity(line)


def _with_quantity(line: Line) -> Iterator[tuple[str, Any]]:
    yield "qty", number(line.quantity)
    yield "unit", f"{line.unit_price:f}" if line.unit_price is not None else None
    if line.at is not None:
        yield "at", iso(line.at)
    if line.tier:
        yield "tier", line.tier
    if line.packs is not None:
        yield "packs", line.packs
    if line.counts is not None and line.counts.reversed:
        yield "gross_qty", number(line.counts.gross)
        yield "reversed_qty", number(line.counts.reversed)
    if line.counts is not None and line.counts.not_billed:
        yield "capped_at", line.counts.capped_at
        yield "not_billed", number(line.counts.not_billed)


def tax_form(row: TaxRow) -> Fields:
    """One rate."""
    return {
        "name": row.name,
        "percent": f"{row.percent:f}",
        "base": row.base.minor,
        "rounding": row.rounding,
        "amount": row.amount.minor,
    }


def credit_note_form(correction: Correction, noted: str) -> Fields:
    """A correction of one item as a credit note."""
    (item,) = correction.items
    return {
        "date": noted,
        "for_invoice": date(correction.for_invoice),
        "qty_before": number(item.quantity_before),
        "qty_after": number(item.quantity_after),
        "gross": item.gross.minor,
        "discount": item.discount.minor,
        "net": correction.net.minor,
        "tax": sum(row.amount.minor for row in correction.tax),
        "total": correction.total.minor,
    }


def number(quantity: Decimal | None) -> int | str | None:
    """A quantity as the file writes it: whole ones as numbers."""
    if quantity is None:
        return None
    return int(quantity) if quantity == int(quantity) else decimal_text(quantity)


def date(instant: datetime) -> str:
    """A day."""
    return f"{instant:%Y-%m-%d}"
