"""A credit note is told with where its money went, and with the entries behind it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from settled_cli import credit_notes

ENTRY = {
    "entry_id": "e1",
    "customer": "acme",
    "subject": "conversation-7",
    "subject_kind": "conversation",
    "meter": "resolution",
    "value": "-1",
    "amount_minor": -99,
    "reason": "customer_returned",
    "how": None,
    "effective_at": "2026-10-02T00:00:00Z",
    "recorded_at": "2026-11-02T00:00:00Z",
}
NOTE: dict[str, Any] = {
    "id": "credit:acme:0:1",
    "stripe_id": "cn_1",
    "number": "X-CN-01",
    "customer": "acme",
    "invoice_id": "in_1",
    "period_start": "2026-10-01T00:00:00Z",
    "period_end": "2026-11-01T00:00:00Z",
    "state": "issued",
    "refused": None,
    "currency": "USD",
    "amount_minor": 99,
    "lowered_minor": 99,
    "refund_minor": None,
    "balance_minor": 0,
    "lines": [{"item": "resolution", "amount_minor": 99, "invoice_line": "il_1", "entries": ["e1"]}],
    "entries": [ENTRY],
}


def shown(**changes: Any) -> str:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(credit_notes.view(NOTE | changes, width=160))
    return console.export_text()


def test_a_note_names_its_lines_and_its_conversations() -> None:
    text = shown()

    for part in ("X-CN-01", "il_1", "conversation-7", "customer_returned", "USD 0.99 lower what is open of in_1"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lowered_minor": 0, "balance_minor": 99}, "USD 0.99 stand on the customer's balance."),
        ({"state": "refused", "refused": "No room."}, "Stripe refuses it: No room."),
        ({"state": "dropped"}, "Invoice in_1 is void"),
        ({"state": "intended", "number": None}, "It is about to be made for invoice in_1."),
    ],
)
def test_it_says_where_its_money_went(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in shown(**changes)


def test_a_sheet_has_a_row_for_each_entry() -> None:
    [row] = credit_notes.entry_rows(NOTE)

    assert (row["credit_note"], str(row["amount"]), row["reason"]) == ("cn_1", "-0.99", "customer_returned")
    assert set(row) == set(credit_notes.ENTRIES)
