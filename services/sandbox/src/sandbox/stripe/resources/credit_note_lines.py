"""The lines of a credit note: parts of an invoice's lines with their discounts, and lines of its own."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from sandbox.stripe.domain.amounts import whole
from sandbox.stripe.domain.credits import part_of
from sandbox.stripe.errors import absent, invalid, missing, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

_KNOWN = ("type", "invoice_line_item", "amount", "quantity", "description", "unit_amount", "unit_amount_decimal")


def read_lines(state: State, invoice: Body, given: Any) -> list[Body]:
    """The lines that a credit note is asked to have; nothing is changed."""
    if given in (None, ""):
        return []
    if not isinstance(given, list):
        raise invalid("lines", "Invalid array")
    lines = []
    for place, entry in enumerate(given):
        where = f"lines[{place}]"
        for name in entry:
            if name not in _KNOWN:
                raise unsupported(f"{where}[{name}]")
        kind = p.one_of(entry, "type", ("custom_line_item", "invoice_line_item"))
        lines.append(_of_invoice(state, invoice, entry, where) if kind == "invoice_line_item" else _own(state, entry))
    named = [line["invoice_line_item"] for line in lines if "invoice_line_item" in line]
    if len(set(named)) != len(named):
        raise invalid("lines", "A line of the invoice may be named once only.")
    return lines


def _of_invoice(state: State, invoice: Body, entry: Params, where: str) -> Body:
    id_ = p.text(entry, "invoice_line_item")
    line = next((row for row in invoice["lines"]["data"] if row["id"] == id_), None)
    if line is None:
        raise absent("invoice line item", id_, param=f"{where}[invoice_line_item]")
    quantity, amount = p.integer(entry, "quantity"), p.integer(entry, "amount")
    if (quantity is None) == (amount is None):
        raise invalid(where, "Give either an amount or a quantity for a line of the invoice.")
    if amount is None:
        amount = part_of(line["amount"], quantity or 0, Fraction(line["quantity_decimal"] or "1"))
    already = invoice.get("_credited", {}).get(id_, 0)
    if amount < 0 or amount + already > line["amount"]:
        raise refused(f"The line {id_} can be credited by {line['amount'] - already} at most.", param=where)
    body = _line(state, "invoice_line_item", amount, entry, line["description"])
    body["invoice_line_item"], body["quantity"] = id_, quantity
    body["discount_amounts"] = [
        {"amount": part_of(off["amount"], amount, line["amount"]), "discount": off["discount"]}
        for off in line["discount_amounts"]
    ]
    body["discount_amount"] = sum(off["amount"] for off in body["discount_amounts"])
    return body


def _own(state: State, entry: Params) -> Body:
    if p.optional(entry, "description") is None:
        raise missing("lines[description]")
    quantity = p.whole(entry, "quantity", 1)
    unit = Decimal(str(entry.get("unit_amount_decimal") or p.whole(entry, "unit_amount", 0)))
    if quantity < 0 or unit < 0:
        raise invalid("lines", "A line of a credit note is not negative.")
    body = _line(state, "custom_line_item", whole(quantity * unit), entry, None)
    body["quantity"], body["unit_amount_decimal"] = quantity, format(unit, "f")
    body["unit_amount"] = int(unit) if unit == unit.to_integral_value() else None
    return body


def _line(state: State, kind: str, amount: int, entry: Params, description: str | None) -> Body:
    return {
        "id": state.new_id("credit_note_line_item"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": p.optional(entry, "description") or description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": None,
        "tax_rates": [],
        "taxes": [],
        "type": kind,
        "unit_amount": None,
        "unit_amount_decimal": None,
    }
