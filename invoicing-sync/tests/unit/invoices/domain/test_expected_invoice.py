"""The lines that an invoice must have and their reasons; amounts as computed by hand in the golden invoices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.times import Period, period_number
from event_schemas.values import Currency, Money
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms, Tier
from invoicing_sync.invoices.domain.engine import Sums, cuts, engine_terms
from invoicing_sync.invoices.domain.expected_invoice import (
    Expected,
    Line,
    Reason,
    differences,
    expected,
    net_usage,
    usage_lines,
)
from invoicing_sync.invoices.domain.unpriced import billed_meters, unpriced_problems
from pricing.checking import contradictions
from pricing.usage import Used, used_at

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
ANCHOR = datetime(2026, 2, 1, tzinfo=UTC)
FEBRUARY = Period(ANCHOR, datetime(2026, 3, 1, tzinfo=UTC))


def the_terms(**changes: Any) -> Terms:
    fields: dict[str, Any] = {
        "currency": Currency.USD,
        "billing_anchor": ANCHOR,
        "metered": (OUTCOME, SMS),
        "licensed": (LicensedTerm("essential_seat", 3, Decimal("39")),),
    }
    return Terms(**(fields | changes))


def february(terms: Terms, usage: Mapping[str, Decimal]) -> Expected:
    return expected(terms, FEBRUARY, net_usage(usage, FEBRUARY), revision=7)


def amounts(lines: tuple[Line, ...]) -> list[tuple[str, str, str, int]]:
    return [(line.kind, line.item, str(line.quantity), line.amount.minor) for line in lines]


class TestExpected:
    def test_golden_g01_seats_in_advance_outcomes_and_two_tiers_of_segments(self) -> None:
        found = february(the_terms(), {"outcome": Decimal(412), "sms_segment": Decimal(730)})

        assert amounts(found.lines) == [
            ("advance", "essential_seat", "3", 11700),
            ("usage", "outcome", "412", 40788),
            ("usage", "sms_segment", "500", 3000),
            ("usage", "sms_segment", "230", 690),
        ]
        assert found.total == Money(56178, Currency.USD)

    def test_a_first_invoice_has_no_usage(self) -> None:
        found = expected(the_terms(), Period(ANCHOR, ANCHOR), (), revision=1)

        assert amounts(found.lines) == [("advance", "essential_seat", "3", 11700)]

    def test_a_meter_without_usage_and_an_item_without_seats_have_no_line(self) -> None:
        terms = the_terms(licensed=(LicensedTerm("essential_seat", 0, Decimal("39")),))

        assert february(terms, {"outcome": Decimal(0)}).lines == ()

    def test_usage_of_a_meter_without_a_price_has_no_line_and_holds_the_invoice(self) -> None:
        found = february(the_terms(licensed=()), {"unpriced": Decimal(7)})

        assert found.lines == ()
        assert unpriced_problems(found.unpriced) == (
            "meter unpriced: 7 charged, and the contract neither prices it nor declares it free",
        )

    def test_usage_of_a_free_meter_has_no_line_and_holds_nothing(self) -> None:
        terms = the_terms(licensed=(), free=("shown",))
        usage = {"shown": Decimal(7), "netted": Decimal(0)}

        found = february(terms, usage)

        assert (found.lines, unpriced_problems(found.unpriced)) == ((), ())
        assert billed_meters(terms.meters, terms.free, usage) == ("netted", "outcome", "sms_segment")

    def test_what_was_charged_and_reversed_again_has_no_line_and_holds_nothing(self) -> None:
        netted = [Used(meter, FEBRUARY, Decimal(3), Decimal(3)) for meter in ("outcome", "unpriced")]

        found = expected(the_terms(licensed=()), FEBRUARY, netted, revision=1)

        assert (found.lines, found.unpriced) == ((), {})

    def test_more_reversals_than_charges_bill_nothing(self) -> None:
        found = expected(
            the_terms(licensed=()), FEBRUARY, [Used("outcome", FEBRUARY, Decimal(1), Decimal(3))], revision=1
        )

        assert found.lines == ()

    def test_a_licensed_item_may_have_the_name_of_a_meter(self) -> None:
        found = february(the_terms(licensed=(LicensedTerm("outcome", 2, Decimal("5")),)), {"outcome": Decimal(1)})

        assert amounts(found.lines) == [("advance", "outcome", "2", 1000), ("usage", "outcome", "1", 99)]

    def test_usage_of_another_period_is_refused(self) -> None:
        with pytest.raises(ValueError, match="usage of outcome from 2026-03-01T00:00:00Z is not of this period"):
            expected(the_terms(), FEBRUARY, [used_at("outcome", FEBRUARY.end, Decimal(1))], revision=1)


class TestReasons:
    def test_a_line_says_its_clause_where_its_quantity_comes_from_and_how_it_was_reckoned(self) -> None:
        usage = [Used("outcome", FEBRUARY, Decimal(412), Decimal(9)), Used("sms_segment", FEBRUARY, Decimal("600.5"))]

        seats, outcomes, _, segments = expected(the_terms(), FEBRUARY, usage, revision=7).lines

        assert seats.why == Reason(
            "licensed.essential_seat",
            "3 in force at 2026-03-01",
            "contract revision 7",
            "3 × 39",
            Decimal(117),
            "exact",
        )
        assert outcomes.why == Reason(
            "metered.outcome",
            "412 charged for outcome in 2026-02-01 to 2026-03-01, less 9 reversed",
            "contract revision 7",
            "403 × 0.99",
            Decimal("398.97"),
            "exact",
        )
        assert segments.why is not None
        assert (segments.why.formula, segments.why.rounding) == (
            "100.5 × 0.03",
            "3.015 rounded half away from zero to USD 3.02",
        )


class TestEngineTerms:
    def test_a_period_is_summed_in_one_part_as_no_price_of_version_1_changes(self) -> None:
        assert cuts(engine_terms(the_terms(), revision=1), FEBRUARY) == [ANCHOR]

    def test_entries_and_sums_of_one_meter_become_one_sum(self) -> None:
        terms = engine_terms(the_terms(), revision=1)
        usage = [
            Used("outcome", FEBRUARY, Decimal(5), Decimal(1)),
            used_at("outcome", ANCHOR + timedelta(days=3), Decimal(0), Decimal(1)),
            used_at("sms_segment", ANCHOR, Decimal("0.5")),
        ]

        assert Sums(terms, FEBRUARY, usage).billable() == (
            Used("outcome", FEBRUARY, Decimal(5), Decimal(2)),
            Used("sms_segment", FEBRUARY, Decimal("0.5")),
        )

    @settings(max_examples=60, deadline=None)
    @given(
        anchor=st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        number=st.integers(0, 30),
        bounds=st.lists(st.integers(1, 10**6), min_size=1, max_size=5, unique=True).map(sorted),
        quantity=st.integers(0, 10**6),
    )
    def test_what_version_1_can_say_contradicts_nothing_and_is_billed_on_each_of_its_days(
        self, anchor: datetime, number: int, bounds: list[int], quantity: int
    ) -> None:
        """Every unit stands on a line of every period, whatever the anchor's day; 31ths included."""
        tiers = (*(Tier(bound, Decimal("0.5")) for bound in bounds), Tier(None, Decimal(2)))
        terms = the_terms(
            billing_anchor=anchor.replace(microsecond=0), metered=(MeteredTerm("outcome", "graduated", tiers),)
        )
        period = period_number(terms.billing_anchor, number)

        found = expected(terms, period, net_usage({"outcome": Decimal(quantity)}, period), revision=1)

        assert contradictions(engine_terms(terms, revision=1)) == ()
        assert sum(line.quantity for line in found.lines if line.kind == "usage") == quantity
        assert [line.quantity for line in found.lines if line.kind == "advance"] == [3]


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


class TestDifferences:
    def test_the_same_lines_in_another_order_agree(self) -> None:
        lines = february(the_terms(), {"outcome": Decimal(2), "sms_segment": Decimal(501)}).lines

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
