"""The lines that an invoice must have; amounts as computed by hand in the golden invoices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency, Money
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms, Tier
from invoicing_sync.invoices.domain.expected_invoice import Line, differences, expected_lines, total, usage_lines
from invoicing_sync.invoices.domain.unpriced import billed_meters, unpriced_problems

SMS = MeteredTerm(
    "sms_segment",
    "graduated",
    (
        Tier(500, Decimal("0.06")),
        Tier(1000, Decimal("0.03")),
        Tier(4000, Decimal("0.025")),
        Tier(None, Decimal("0.02")),
    ),
)
OUTCOME = MeteredTerm("outcome", "per_unit", (Tier(None, Decimal("0.99")),))


def the_terms(**changes: Any) -> Terms:
    fields: dict[str, Any] = {
        "currency": Currency.USD,
        "billing_anchor": datetime(2026, 2, 1, tzinfo=UTC),
        "metered": (OUTCOME, SMS),
        "licensed": (LicensedTerm("essential_seat", 3, Decimal("39")),),
    }
    return Terms(**(fields | changes))


def amounts(lines: tuple[Line, ...]) -> list[tuple[str, str, str, int]]:
    return [(line.kind, line.item, str(line.quantity), line.amount.minor) for line in lines]


class TestExpectedLines:
    def test_golden_g01_seats_in_advance_outcomes_and_two_tiers_of_segments(self) -> None:
        usage = {"outcome": Decimal(412), "sms_segment": Decimal(730)}

        lines = expected_lines(the_terms(), usage=usage)

        assert amounts(lines) == [
            ("advance", "essential_seat", "3", 11700),
            ("usage", "outcome", "412", 40788),
            ("usage", "sms_segment", "500", 3000),
            ("usage", "sms_segment", "230", 690),
        ]
        assert total(lines, Currency.USD) == Money(56178, Currency.USD)

    def test_a_first_invoice_has_no_usage(self) -> None:
        assert amounts(expected_lines(the_terms(), usage=None)) == [("advance", "essential_seat", "3", 11700)]

    def test_a_meter_without_usage_and_an_item_without_seats_have_no_line(self) -> None:
        terms = the_terms(licensed=(LicensedTerm("essential_seat", 0, Decimal("39")),))

        assert expected_lines(terms, usage={"outcome": Decimal(0)}) == ()

    def test_usage_of_a_meter_without_a_price_has_no_line_and_holds_the_invoice(self) -> None:
        usage = {"unpriced": Decimal(7)}

        assert unpriced_problems(the_terms(), usage) == (
            "meter unpriced: 7 charged, and the contract neither prices it nor declares it free",
        )
        assert expected_lines(the_terms(licensed=()), usage=usage) == ()

    def test_usage_of_a_free_meter_has_no_line_and_holds_nothing(self) -> None:
        terms = the_terms(licensed=(), free=("shown",))
        usage = {"shown": Decimal(7), "netted": Decimal(0)}

        assert expected_lines(terms, usage=usage) == ()
        assert unpriced_problems(terms, usage) == ()
        assert unpriced_problems(terms, None) == ()
        assert billed_meters(terms, usage) == ("netted", "outcome", "sms_segment")


class TestUsageLines:
    def test_the_last_unit_of_a_tier_has_that_tiers_price(self) -> None:
        assert amounts(usage_lines(SMS, Decimal(500), Currency.USD)) == [("usage", "sms_segment", "500", 3000)]

    def test_the_first_unit_above_a_bound_has_the_next_price(self) -> None:
        assert amounts(usage_lines(SMS, Decimal(501), Currency.USD)) == [
            ("usage", "sms_segment", "500", 3000),
            ("usage", "sms_segment", "1", 3),
        ]

    def test_every_tier_line_is_rounded_by_itself(self) -> None:
        # 500 x 6 = 3000; 500 x 3 = 1500; 0.5 x 2.5 = 1.25 -> 1
        assert [minor for *_, minor in amounts(usage_lines(SMS, Decimal("1000.5"), Currency.USD))] == [3000, 1500, 1]

    @pytest.mark.parametrize(
        ("currency", "price", "quantity", "minor"),
        [
            (Currency.USD, "0.05", "0.1", 1),  # half a cent goes away from zero
            (Currency.USD, "0.0175", "30", 53),  # 52.5
            (Currency.USD, "0.99", "2.7", 267),  # 267.3
            (Currency.JPY, "4.5", "3", 14),  # 13.5 yen
            (Currency.KWD, "0.0125", "1", 13),  # 12.5 fils
            (Currency.USD, "0.000000000001", "1", 0),
        ],
    )
    def test_a_line_is_rounded_once_half_away_from_zero(
        self, currency: Currency, price: str, quantity: str, minor: int
    ) -> None:
        term = MeteredTerm("m", "per_unit", (Tier(None, Decimal(price)),))

        [line] = usage_lines(term, Decimal(quantity), currency)

        assert line.amount == Money(minor, currency)

    def test_a_net_below_zero_bills_as_nothing(self) -> None:
        assert usage_lines(OUTCOME, Decimal(-3), Currency.USD) == ()


class TestDifferences:
    def test_the_same_lines_in_another_order_agree(self) -> None:
        lines = expected_lines(the_terms(), usage={"outcome": Decimal(2), "sms_segment": Decimal(501)})

        assert differences(lines, reversed(lines)) == ()

    def test_lines_of_amount_zero_are_ignored_on_both_sides(self) -> None:
        nothing = Line("usage", "outcome", Decimal(0), Money(0, Currency.USD))

        assert differences((nothing,), ()) == ()
        assert differences((), (nothing,)) == ()

    def test_one_cent_is_a_difference_named_from_both_sides(self) -> None:
        expected = Line("usage", "outcome", Decimal(2), Money(198, Currency.USD))
        found = Line("usage", "outcome", Decimal(2), Money(199, Currency.USD))

        assert differences((expected,), (found,)) == (
            "missing: usage outcome, 2 for USD 1.98",
            "not expected: usage outcome, 2 for USD 1.99",
        )

    def test_a_line_that_stands_there_twice_is_a_difference(self) -> None:
        line = Line("usage", "outcome", Decimal(2), Money(198, Currency.USD))

        assert differences((line,), (line, line)) == ("not expected: usage outcome, 2 for USD 1.98",)
