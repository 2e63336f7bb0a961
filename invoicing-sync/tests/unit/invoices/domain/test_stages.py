"""The two stages of the gate: what counts on a draft, and what becomes of a finalised invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.stages import (
    Verdict,
    broken_assumptions,
    draft_differences,
    item_differences,
    verdict,
)


def line(kind: Any, item: str, quantity: str, minor: int) -> Line:
    return Line(kind, item, Decimal(quantity), Money(minor, Currency.USD))


SEATS = line("advance", "seat", "3", 11_700)
USED = line("usage", "resolution", "2", 198)
STALE = line("usage", "resolution", "1", 99)


class TestADraft:
    def test_is_not_compared_by_its_usage(self) -> None:
        assert draft_differences([SEATS, USED], [SEATS, STALE], ["resolution"]) == ()

    def test_must_have_the_licensed_lines_and_no_other(self) -> None:
        stranger = line("usage", "proration:il_1", "1", 500)

        assert draft_differences([SEATS, USED], [STALE, stranger], ["resolution"]) == (
            "missing: advance seat, 3 for USD 117.00",
            "not expected: usage proration:il_1, 1 for USD 5.00",
        )


class TestItems:
    def test_equal_by_price_and_quantity(self) -> None:
        expected = {"3 of seat": ("p1", 3), "the price of meter resolution": ("p2", None)}

        assert item_differences(expected, [("p2", None), ("p1", 3)]) == ()
        assert item_differences(expected, [("p1", 4), ("p2", None)]) == (
            "the subscription lacks 3 of seat",
            "the subscription has an item that was not agreed, price p1",
        )


def judged(status: str = "open", **changes: Any) -> Verdict:
    facts: dict[str, Any] = {
        "problems": (),
        "total_minor": 300,
        "credited_minor": 0,
        "expected_minor": 300,
        "was_held": False,
    }
    return verdict(status, **(facts | changes))


class TestTheVerdict:
    def test_what_is_right_and_open_is_collected(self) -> None:
        assert judged() is Verdict.COLLECT

    def test_what_is_right_and_paid_is_done(self) -> None:
        assert judged("paid") is Verdict.DONE

    @pytest.mark.parametrize("status", ["open", "paid", "uncollectible"])
    def test_what_differs_is_held_whatever_stripe_did_with_it(self, status: str) -> None:
        assert judged(status, problems=("usage",)) is Verdict.HOLD

    def test_a_person_settles_it_at_stripe(self) -> None:
        differs: dict[str, Any] = {"problems": ("usage",), "total_minor": 400, "was_held": True}

        assert judged("void", **differs) is Verdict.VOIDED
        assert judged("paid", **differs) is Verdict.DONE
        assert judged("open", **differs, credited_minor=100) is Verdict.COLLECT  # what is left is what was expected
        assert judged("open", **differs, credited_minor=99) is Verdict.HOLD


class TestBrokenAssumptions:
    def test_other_quantities_speak_against_counting_again(self) -> None:
        assert broken_assumptions([SEATS, USED], [SEATS, STALE]) == ("A2",)

    def test_the_same_quantity_at_another_amount_speaks_against_rounding(self) -> None:
        assert broken_assumptions([USED], [line("usage", "resolution", "2", 199)]) == ("A16",)

    def test_a_difference_elsewhere_speaks_against_none(self) -> None:
        assert broken_assumptions([SEATS, USED], [USED]) == ()
