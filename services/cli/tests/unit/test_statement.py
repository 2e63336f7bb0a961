"""The invoice that the demo ends with: in groups and in order of time, each line with its reason, in any window."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from settled_cli.demo.statement import richness, rows_of, statement

Fields = dict[str, Any]


def line(kind: str, item: str, minor: int, formula: str = "", **why: str) -> Fields:
    reason = {
        "clause": f"items.{item}",
        "quantity": "",
        "price_version": f"{item}/1",
        "formula": formula,
        "rounding": "exact",
    }
    return {"kind": kind, "item": item, "amount_minor": minor, "quantity": "1", "why": reason | why}


SPAN = "paid for 2026-10-01 to 2026-11-01"
THREE_DAYS = "× 259200000000 / 2678400000000 microseconds"
LINES = [
    line("discount", "seat", -1_300, "10 % of USD 130.00", clause="discounts.spring", price_version=""),
    line("included", "sms_segment", 0, "no price", quantity="7 charged, less 7 in an allowance"),
    line("usage", "resolution", 198, "2 × 0.99", quantity="3 charged for resolution in 2026-10-01 to 2026-11-01"),
    line(
        *("proration", "seat", 1_132, f"(3 × 39) {THREE_DAYS}"),
        quantity=f"3 from 2026-10-29, {SPAN}",
        rounding="11.322580645161 rounded half away from zero to USD 11.32",
    ),
    line("proration", "seat", -755, f"-(2 × 39) {THREE_DAYS}", quantity=f"2 until 2026-10-29, {SPAN}"),
    line("proration", "seat", 3_000, "(2 × 39) × 12 of 31", quantity=f"2 from 2026-10-05T09:30:00Z, {SPAN}"),
    line("advance", "copilot", 3_500, "1 × 35", quantity="1 in force at 2026-11-01"),
    line("advance", "seat", 11_700, "3 × 39", quantity="3 in force at 2026-11-01"),
    line("usage", "fax", 50),
    line("taken_back", "fax", -50),
]
SHOWN = {
    "number": "S0001431-0002",
    "status": "open",
    "currency": "usd",
    "total_minor": 17_475,
    "period_start": "2026-10-01T00:00:00Z",
    "period_end": "2026-11-01T00:00:00Z",
    "released_at": "2026-11-01T00:31:00Z",
    "lines": LINES,
}
AGREED = {
    "revision": 4,
    "channel": "sales_led",
    "billing": [{"issuer": "settled-us", "name": "Acme & Sons [Ltd]", "billing_email": "billing@acme.example"}],
    "items": [
        {"kind": "licensed", "product": "seat", "plan": "essential_monthly"},
        {"kind": "licensed", "product": "copilot"},
        {"kind": "metered", "product": "resolution"},
    ],
}
NOTE = {"number": "S0001431-0002-CN-01", "amount_minor": 99, "entries": [{}]}


def drawn(width: int, notes: list[Fields]) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(statement(SHOWN, AGREED, notes, width=width))
    return captured.get()


def test_lines_stand_in_groups_what_is_paid_ahead_first_then_changes_in_order_of_time() -> None:
    assert [(row.group, row.what, row.sum, row.amount) for row in rows_of(SHOWN, AGREED)] == [
        ("Seats", "Seat, paid ahead", "3 × 39", "117.00"),
        ("Seats", "Seat, from 5 Oct", "", "30.00"),
        ("Seats", "Seat, until 29 Oct", "-2 × 39, 3.00/31 d", "-7.55"),
        ("Seats", "Seat, from 29 Oct", "3 × 39, 3.00/31 d", "11.32"),
        ("Add-ons", "Copilot, paid ahead", "1 × 35", "35.00"),
        ("Usage", "Resolution", "2 × 0.99", "1.98"),
        ("Usage", "SMS segment, included", "", "0.00"),
        ("Credits and discounts", "Discount on seat", "", "-13.00"),
    ]


def test_the_reason_says_what_the_heading_does_not() -> None:
    """Not the period again, nor a meter's own name; of what was rounded to what; no version where there is no price."""
    reasons = {(row.what, row.amount): row.why.plain for row in rows_of(SHOWN, AGREED)}

    assert reasons["Resolution", "1.98"] == "3 charged: 2 × 0.99 = USD 1.98; by items.resolution, at resolution/1"
    assert reasons["Seat, from 29 Oct", "11.32"] == (
        "3 from 2026-10-29: (3 × 39) × 3.00 of 31 days ≈ 11.32258 rounded half away from zero to USD 11.32;"
        " by items.seat, at seat/1"
    )
    assert reasons["Discount on seat", "-13.00"] == "10 % of USD 130.00 = USD -13.00; by discounts.spring"


@pytest.mark.parametrize("width", [80, 109, 110, 120, 200])
def test_it_fits_its_window_and_cuts_nothing(width: int) -> None:
    text = drawn(width, [NOTE])

    assert max(len(row) for row in text.splitlines()) <= width
    assert "…" not in text
    for whole in ("S0001431-0002-CN-01", "Acme & Sons [Ltd]", "billing@acme.example", "revision 4, sales led"):
        assert whole in text
    assert "USD 174.75" in text
    assert "USD 173.76" in text  # less the credit note


def test_without_a_credit_note_the_total_is_the_last_word() -> None:
    assert "After credit notes" not in drawn(80, [])


def test_an_invoice_with_more_kinds_of_lines_is_richer_and_of_two_alike_the_shorter() -> None:
    plain = {"lines": [line("advance", "seat", 1)]}
    longer = {"lines": [line("advance", "seat", 1), line("advance", "copilot", 1)]}
    richer = {"lines": [line("advance", "seat", 1), line("usage", "resolution", 1)]}

    assert richness(richer, []) > richness(plain, []) > richness(longer, [])
    assert richness(plain, [NOTE]) > richness(richer, [])
