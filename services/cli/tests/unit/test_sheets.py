"""CSV that a spreadsheet opens as it was meant: RFC 4180, exact decimals, and no cell that runs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from settled_cli import corrections, explain, reasons, usage
from settled_cli.sheets import major, sheet

WHY = {
    "clause": "metered.resolution",
    "quantity": "3.5 charged, less 1 reversed",
    "price_version": "contract revision 2",
    "formula": "2.5 × 0.0011",
    "exact": "0.00275",
    "rounding": "0.00275 rounded half away from zero to KWD 0.003",
}
EXACT = {**WHY, "quantity": "2 charged", "formula": "2 × 0.99", "exact": "1.98", "rounding": "exact"}


def test_the_reason_of_an_amount_without_a_price_names_no_version() -> None:
    drawn = {"amount_minor": -198, "why": EXACT | {"clause": "prepaid.credit", "price_version": ""}}

    assert reasons.in_words(drawn, "USD") == "2 charged; 2 × 0.99 = USD -1.98; by prepaid.credit"


def test_lines_end_with_crlf_and_awkward_cells_are_quoted() -> None:
    rows = [{"name": 'Acme, "the" Ltd', "note": "two\nlines", "number": 3, "none": None, "yes": True}]

    assert sheet(("name", "note", "number", "none", "yes"), rows) == (
        'name,note,number,none,yes\r\n"Acme, ""the"" Ltd","two\nlines",3,,yes\r\n'
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_a_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    [[cell]] = list(csv.reader(io.StringIO(sheet(("a",), [{"a": text}]), newline="")))[1:]

    assert cell == f"'{text}"


def test_a_negative_number_stays_a_number() -> None:
    assert sheet(("a", "b"), [{"a": Decimal("-1.50"), "b": -3}]) == "a,b\r\n-1.50,-3\r\n"


def test_a_small_decimal_is_written_without_an_exponent() -> None:
    assert sheet(("a",), [{"a": Decimal("0.000000000001")}]) == "a\r\n0.000000000001\r\n"


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [(1230, "usd", "12.30"), (1200, "JPY", "1200"), (-1, "KWD", "-0.001"), (0, "EUR", "0.00")],
)
def test_amounts_are_in_major_units_with_the_currencys_decimals(minor: int, currency: str, amount: str) -> None:
    assert str(major(minor, currency)) == amount


def test_a_running_month_has_a_row_for_each_line_and_for_what_stands_on_none() -> None:
    period = {
        "customer": "acme",
        "currency": "USD",
        "start": "2026-10-01T00:00:00Z",
        "end": "2026-11-01T00:00:00Z",
        "meters": [
            {"meter": "resolution", "charges": 3, "reversals": 1, "net": "2", "billing": "priced"},
            {"meter": "handoff", "charges": 1, "reversals": 0, "net": "1", "billing": "unpriced"},
        ],
        "expected": [
            {"kind": "advance", "item": "seat", "quantity": "3", "amount_minor": 11_700},
            {"kind": "usage", "item": "resolution", "quantity": "2", "amount_minor": 198, "why": EXACT},
        ],
    }

    rows = usage.sheet_rows(period)

    assert [(row["kind"], row["item"], row.get("charged"), str(row["amount"]), row["billing"]) for row in rows] == [
        ("advance", "seat", None, "117.00", "priced"),
        ("usage", "resolution", 3, "1.98", "priced"),
        ("usage", "handoff", 1, "0.00", "unpriced"),
    ]
    assert rows[1]["why"] == "2 charged; 2 × 0.99 = USD 1.98; by metered.resolution of contract revision 2"
    assert set(rows[0]) | set(rows[1]) | set(rows[2]) - {"amount_minor"} >= set(usage.SHEET)


def test_an_invoice_has_a_row_for_each_line() -> None:
    line = {
        "id": "il_1",
        "kind": "usage",
        "item": "resolution",
        "quantity": "2.5",
        "amount_minor": 3,
        "period_start": "2026-10-01T00:00:00Z",
        "period_end": "2026-11-01T00:00:00Z",
        "charges": 3,
        "reversals": 1,
        "why": WHY,
    }
    invoice = {
        "id": "in_1",
        "customer": "=acme",
        "number": None,
        "status": "draft",
        "billing_reason": "subscription_cycle",
        "currency": "kwd",
        "lines": [line],
    }

    text = sheet(explain.SHEET, explain.sheet_rows(invoice))

    assert text.splitlines()[1] == (
        "'=acme,in_1,,draft,subscription_cycle,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,il_1,usage,resolution,2.5,"
        '0.003,KWD,3,1,"3.5 charged, less 1 reversed; 2.5 × 0.0011 = 0.00275 rounded half away from zero to KWD 0.003;'
        ' by metered.resolution of contract revision 2"'
    )


def test_a_correction_has_a_row_for_each_item_that_changes_and_one_for_each_entry() -> None:
    items = [{"item": "resolution", "quantity_before": "996", "quantity_after": "995.5", "difference_minor": -50}]
    entry = {
        "entry_id": "e1",
        "subject": "c1",
        "subject_kind": "conversation",
        "meter": "resolution",
        "value": "-0.5",
        "reason": "after_freeze",
        "effective_at": "2026-10-30T00:00:00Z",
        "recorded_at": "2026-11-02T00:00:00Z",
        "amount_minor": -50,
    }
    correction = {
        "customer": "acme",
        "period_start": "2026-10-01T00:00:00Z",
        "period_end": "2026-11-01T00:00:00Z",
        "document": "credit_note",
        "currency": "USD",
        "items": items,
        "entries": [entry],
        "why": "October again",
    }

    text = sheet(corrections.SHEET, corrections.sheet_rows(correction))
    behind = sheet(corrections.ENTRIES, corrections.entry_rows(correction))

    assert text.splitlines()[1] == (
        "acme,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,credit_note,resolution,996,995.5,-0.50,USD,October again"
    )
    assert behind.splitlines()[1] == (
        "acme,2026-10-01T00:00:00Z,e1,c1,conversation,resolution,-0.5,-0.50,USD,after_freeze,2026-10-30T00:00:00Z,"
        "2026-11-02T00:00:00Z"
    )
