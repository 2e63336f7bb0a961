"""A credit note for people: its lines, and the late entries that it gathers, each with what it changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.sheets import major
from settled_cli.tables import Column, day, fitting, moment, money

ENTRIES = (
    *("customer", "credit_note", "entry_id", "subject", "subject_kind", "meter", "quantity", "amount", "currency"),
    *("reason", "effective_at", "recorded_at"),
)
LINES = (Column("item", wraps=True), Column("line", "line of the invoice", drop=1), Column("amount", justify="right"))
BEHIND = (
    Column("recorded", drop=2),
    Column("about"),
    Column("meter", drop=1),
    Column("units", justify="right"),
    Column("amount", justify="right"),
    Column("why", wraps=True),
)


def entry_rows(note: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries behind a credit note for a spreadsheet."""
    names = ("customer", "entry_id", "subject", "subject_kind", "meter", "reason", "effective_at", "recorded_at")
    return [
        {
            **{name: entry[name] for name in names},
            "credit_note": note["stripe_id"] or note["id"],
            "quantity": Decimal(entry["value"]),
            "amount": major(entry["amount_minor"], note["currency"]),
            "currency": note["currency"],
        }
        for entry in note["entries"]
    ]


def view(note: dict[str, Any], *, width: int) -> RenderableType:
    """The note, where its money went, its lines and what is behind them."""
    currency = note["currency"]
    span = f"{day(note['period_start'])} to {day(note['period_end'])}"
    name = note["number"] or note["id"]
    amount = money(note["amount_minor"], currency)
    lines = [
        {
            "item": line["item"],
            "line": line["invoice_line"] or "its own",
            "amount": money(line["amount_minor"], currency),
        }
        for line in note["lines"]
    ]
    entries = [
        {
            "recorded": moment(entry["recorded_at"]),
            "about": entry["subject"],
            "meter": entry["meter"],
            "units": f"{Decimal(entry['value']):+f}",
            "amount": money(entry["amount_minor"], currency),
            "why": entry["reason"] or entry["how"] or "",
        }
        for entry in note["entries"]
    ]
    return Group(
        Text(f"{note['customer']} · {name} · {note['state']} · {amount} for {span}", style="bold"),
        Text(_went(note)),
        Text(),
        fitting("What it credits", LINES, lines, width=width),
        fitting("Entry by entry, in their order of arrival", BEHIND, entries, width=width),
    )


def _went(note: dict[str, Any]) -> str:
    """Where its money went, in a sentence."""
    if note["refused"]:
        return f"Stripe refuses it: {note['refused']}"
    if note["state"] == "dropped":
        return f"Invoice {note['invoice_id']} is void: nothing of it is to be paid, and nothing is credited."
    if note["state"] != "issued":
        return f"It is about to be made for invoice {note['invoice_id']}."
    parts = []
    if note["lowered_minor"]:
        parts.append(f"{money(note['lowered_minor'], note['currency'])} lower what is open of {note['invoice_id']}")
    if note["balance_minor"]:
        parts.append(f"{money(note['balance_minor'], note['currency'])} stand on the customer's balance")
    if note["refund_minor"]:
        parts.append(f"{money(note['refund_minor'], note['currency'])} go back the way they were paid")
    return f"{', '.join(parts)}."
