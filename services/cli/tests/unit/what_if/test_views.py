"""What a draft came to, in a window of 80 cells, as CSV and as a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from event_schemas.times import Period
from event_schemas.values import Currency
from settled_cli.what_if.domain.reckoning import Item, Side, Tried
from settled_cli.what_if.gathering import Decided, LeftOut
from settled_cli.what_if.plot import draw
from settled_cli.what_if.trying import Answer
from settled_cli.what_if.views import facts, sentences, sheet_rows, view

OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
TURNED = {
    "meter": "resolution",
    "units": -3,
    "before": "assumed",
    "before_in_words": "Charged once: the window ended in silence.",
    "after": "teammate_took_over",
    "after_in_words": "A teammate took over inside the window, and the contract says that this voids it.",
    "example": "c1",
}


def a_side(units: int, minor: int, **unpriced: int) -> Side:
    items = {"resolution": Item(Decimal(units), minor - 5_000), "seat": Item(Decimal(2), 5_000)}
    return Side({"resolution": Decimal(units)}, items, minor, {m: Decimal(n) for m, n in unpriced.items()})


def a_try(name: str, before: int, after: int, *, currency: Currency = Currency.USD, units: int = 120) -> Tried:
    return Tried(name, currency, OCTOBER, a_side(120, before), a_side(units, after))


def an_answer(*tried: Tried, **fields: Any) -> Answer:
    return Answer(fields.get("name", "Tiers"), tried, fields.get("left_out", ()), fields.get("decided"), ())


def shown(answer: Answer, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(view(answer, width=width))
    return captured.get()


def test_a_table_of_customers_fits_80_cells_and_ends_with_the_sum_of_its_currency() -> None:
    many = [a_try(f"customer-{n:04d}", 1_234_567, 1_234_567 + n, units=117) for n in range(1, 31)]

    told = shown(an_answer(*many, a_try("yen", 90_000, 90_001, currency=Currency.JPY)), 80)

    assert max(len(line.rstrip()) for line in told.splitlines()) <= 80
    assert "USD, 30 customers, the 20 that move most shown" in told
    rows = [line.split() for line in told.splitlines()]
    assert ["customer-0030", "120", "117", "12,345.67", "12,345.97", "+0.30"] in [row[:6] for row in rows]
    assert ["all", "30", "3,600", "3,510", "370,370.10", "370,374.75", "+4.65"] in [row[:7] for row in rows]
    assert "JPY, 1 customer" in told


def test_one_customer_is_told_item_by_item() -> None:
    told = shown(an_answer(a_try("acme", 20_000, 17_500)), 80)

    assert "acme, 2026-10-01 to 2026-11-01, in USD" in told
    assert [line.split() for line in told.splitlines() if line.strip().startswith(("resolution", "before taxes"))] == [
        ["resolution", "120", "150.00", "125.00", "-25.00", "-16.7"],
        ["before", "taxes", "200.00", "175.00", "-25.00", "-12.5"],
    ]


def test_reasons_wrap_and_no_word_of_them_is_lost() -> None:
    decided = Decided()
    decided.add({"conversations": 40, "meters": [], "turned": [TURNED]})
    decided.add({"conversations": 2, "meters": [], "turned": [TURNED]})

    told = " ".join(shown(an_answer(a_try("acme", 1, 2), decided=decided), 80).split())

    assert "What the policy turns, of 42 conversations" in told
    assert "resolution -6 Charged once: the window ended in silence. → A teammate took over inside" in told


def test_what_has_to_be_known_is_said_in_sentences() -> None:
    out = [LeftOut("a", "pays in EUR"), LeftOut("b", "pays in EUR")]
    unpriced = Tried("c", Currency.USD, OCTOBER, a_side(1, 1), a_side(1, 1, fax=7))

    assert sentences(an_answer(unpriced, left_out=out)) == [
        "Without a price under the draft, on no invoice: 7 of fax with 1 customer. Give it a price, or name it under"
        " free.",
        "Left out: a and 1 more: pays in EUR.",
        "Before taxes, as of each period's freeze. Nothing was written.",
    ]


def test_the_rows_of_the_csv_add_up_to_the_invoices() -> None:
    answer = an_answer(a_try("acme", 20_000, 17_500), a_try("yen", 6_000, 6_001, currency=Currency.JPY))

    rows = sheet_rows(answer)

    assert [(row["item"], row["amount_before"], row["difference"]) for row in rows[:2]] == [
        ("resolution", Decimal("150.00"), Decimal("-25.00")),
        ("seat", Decimal("50.00"), Decimal("0.00")),
    ]
    assert sum(row["amount_after"] for row in rows if row["currency"] == "JPY") == 6_001
    assert [one["difference_minor"] for one in facts(answer)["sums"]] == [-2_500, 1]


@pytest.mark.parametrize("customers", [1, 30])
def test_the_picture_is_drawn_for_one_and_for_many(tmp_path: Path, customers: int) -> None:
    tried = [a_try(f"customer-{n:04d}", 10_000 + n, 10_000 + n * n % 7) for n in range(customers)]

    draw(an_answer(*tried), tmp_path / "new" / "draft.png")

    assert (tmp_path / "new" / "draft.png").read_bytes().startswith(b"\x89PNG")
