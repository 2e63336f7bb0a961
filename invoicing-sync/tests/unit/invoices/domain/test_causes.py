"""Each cause is told of the difference that it makes, and of no other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain import causes
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.gate import MeterCheck


def line(kind: Any, item: str, quantity: str, minor: int) -> Line:
    return Line(kind, item, Decimal(quantity), Money(minor, Currency.USD))


SEATS = line("advance", "seat", "3", 11_700)
TIERS = [line("usage", "sms", "500", 3_000), line("usage", "sms", "100", 300)]
EXPECTED = [SEATS, *TIERS]


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (EXPECTED, None),
        ([*EXPECTED, line("usage", "other", "7", 0)], None),
        ([line("advance", "seat", "3", 14_700), *TIERS], "the price of seat was changed by hand"),
        ([line("usage", "unknown:price_9", "3", 14_700), *TIERS], "the price of seat was changed by hand"),
        ([line("advance", "seat", "4", 15_600), *TIERS], "the quantity of seat was changed by hand"),
        (TIERS, "seat was removed by hand"),
        ([SEATS, TIERS[0], line("usage", "sms", "100", 500)], "the price of sms was changed by hand"),
        ([SEATS, TIERS[0], line("usage", "sms", "40", 120)], "usage of sms is missing at Stripe"),
        ([SEATS, TIERS[0]], "usage of sms is missing at Stripe"),
        ([SEATS], "usage of sms is missing at Stripe"),
        ([*EXPECTED, line("usage", "sms", "1", 3)], "usage of sms came to Stripe that is not of the ledger"),
        ([*EXPECTED, line("usage", "unpriced:il_1", "1", 500)], "an item was added by hand"),
        ([*EXPECTED, line("usage", "unknown:price_9", "1", 500)], "an item was added by hand"),
        (
            [*EXPECTED, line("usage", "proration:il_1", "1", 500)],
            "a quantity or an item was changed by hand in mid-term, and Stripe prorated it",
        ),
    ],
)
def test_of_lines(found: list[Line], cause: str | None) -> None:
    assert causes.of_lines(EXPECTED, found) == (() if cause is None else (cause,))


def test_each_cause_of_several_is_told_once() -> None:
    found = [
        line("advance", "seat", "4", 15_600),
        line("usage", "unpriced:1", "1", 5),
        line("usage", "unpriced:2", "1", 5),
    ]

    assert causes.of_lines(EXPECTED, found) == (
        "an item was added by hand",
        "the quantity of seat was changed by hand",
        "usage of sms is missing at Stripe",
    )


@pytest.mark.parametrize(
    ("subtotal", "total", "begins"), [(300, 300, None), (300, 270, "a discount"), (300, 360, "a tax"), (270, 270, None)]
)
def test_of_totals(subtotal: int, total: int, begins: str | None) -> None:
    """A subtotal that differs is a matter of the lines."""
    found = causes.of_totals(*(Money(minor, Currency.USD) for minor in (300, subtotal, total)))

    assert [sentence.partition(" was added by hand")[0] for sentence in found] == (
        [] if begins is None else [begins if begins == "a discount" else "a tax or a charge"]
    )


ITEMS: dict[str, tuple[str, int | None]] = {"3 of seat": ("p1", 3), "the price of meter sms": ("p2", None)}


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ([("p1", 3), ("p2", None)], None),
        (
            [("p1", 4), ("p2", None)],
            "the quantity was changed by hand on the subscription: 3 of seat was agreed, 4 is there",
        ),
        ([("p9", 3), ("p2", None)], "the price was changed by hand on the subscription: 3 of seat is at p9 there"),
        ([("p2", None)], "an item was removed by hand from the subscription: 3 of seat"),
        ([("p1", 3), ("p2", None), ("p9", 7)], "an item was added by hand to the subscription: 7 of price p9"),
    ],
)
def test_of_items(found: list[tuple[str, int | None]], cause: str | None) -> None:
    assert causes.of_items(ITEMS, found) == (() if cause is None else (cause,))


def test_of_usage() -> None:
    checks = [
        MeterCheck("equal", Decimal(2), Decimal(2)),
        MeterCheck("less", Decimal(2), Decimal(1)),
        MeterCheck("more", Decimal(2), Decimal(3)),
    ]

    assert causes.of_usage(checks) == (
        "usage of less is missing at Stripe",
        "usage of more came to Stripe that is not of the ledger",
    )
