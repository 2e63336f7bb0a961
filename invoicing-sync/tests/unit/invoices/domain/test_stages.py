"""The two stages of the gate: what counts on a draft, and what becomes of a finalised invoice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.stages import (
    Verdict,
    broken_assumptions,
    draft_assumptions,
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


FREE_TIER = line("usage", "resolution", "10", 0)
PAID_TIER = line("usage", "resolution", "5", 495)


class TestBrokenAssumptions:
    """Of an invoice with seats and one meter, whose frozen ledger has `net` units."""

    @pytest.mark.parametrize(
        ("net", "expected", "found", "numbers"),
        [
            pytest.param("2", [USED], [STALE], ("A2",), id="less than the summaries had"),
            pytest.param("1", [STALE], [USED], ("A2",), id="more than the summaries had"),
            pytest.param("2", [USED], [], ("A2",), id="no line at all"),
            pytest.param("0", [], [STALE], ("A2",), id="a line where nothing was used"),
            pytest.param(
                "-2", [], [line("usage", "resolution", "-2", -198)], ("A17",), id="a negative sum as a credit"
            ),
            pytest.param("-2", [], [USED], ("A17",), id="a negative sum as a positive one"),
            pytest.param("2", [USED], [line("usage", "resolution", "-2", -198)], ("A17",), id="found below zero"),
            pytest.param("-2", [], [line("usage", "resolution", "0", 0)], (), id="a negative sum as nothing"),
            pytest.param("2", [USED], [line("usage", "resolution", "2", 199)], ("A16",), id="another amount"),
            pytest.param(
                "15",
                [FREE_TIER, PAID_TIER],
                [line("usage", "resolution", "15", 495)],
                ("A20",),
                id="two tiers in one line, to the same amount",
            ),
            pytest.param(
                "2",
                [line("usage", "resolution", "1", 99), line("usage", "resolution", "1", 99)],
                [line("usage", "resolution", "2", 197)],
                ("A20",),
                id="two tiers in one line, to another amount",
            ),
            pytest.param("15", [FREE_TIER, PAID_TIER], [PAID_TIER], (), id="a free tier left out bills the same"),
            pytest.param(
                "15",
                [FREE_TIER, PAID_TIER],
                [line("usage", "resolution", "5", 496)],
                ("A16",),
                id="a free tier left out, and another amount",
            ),
        ],
    )
    def test_of_usage(self, net: str, expected: list[Line], found: list[Line], numbers: tuple[str, ...]) -> None:
        assert broken_assumptions([SEATS, *expected], [SEATS, *found], {"resolution": Decimal(net)}) == numbers

    def test_each_meter_is_told_by_itself_in_the_catalogues_order(self) -> None:
        """A20 after A2, not by the alphabet."""
        sms = [line("usage", "sms", "1", 6), line("usage", "sms", "1", 3)]

        found = broken_assumptions(
            [USED, *sms], [line("usage", "sms", "2", 9), STALE], {"resolution": Decimal(2), "sms": Decimal(2)}
        )

        assert found == ("A2", "A20")

    def test_a_licensed_item_speaks_against_rounding_alone(self) -> None:
        assert broken_assumptions([SEATS], [line("advance", "seat", "3", 11_701)], {}) == ("A16",)
        assert broken_assumptions([SEATS], [line("advance", "seat", "4", 15_600)], {}) == ()
        assert broken_assumptions([SEATS, USED], [USED], {"resolution": Decimal(2)}) == ()

    @pytest.mark.parametrize(
        ("currency", "billed", "numbers"),
        [(Currency.KWD, 1010, ("A25",)), (Currency.KWD, 1004, ("A16",)), (Currency.USD, 1010, ("A16",))],
    )
    def test_whole_tens_in_dinars_speak_against_three_decimals(
        self, currency: Currency, billed: int, numbers: tuple[str, ...]
    ) -> None:
        """1.005 dinars as 1.010, which Stripe would take a payment of."""
        ours, theirs = [replace(SEATS, amount=Money(minor, currency)) for minor in (1005, billed)]

        assert broken_assumptions([ours], [theirs], {}) == numbers
        assert draft_assumptions([ours], [theirs]) == numbers

    def test_a_line_that_is_nobodys_speaks_against_none(self) -> None:
        stranger = line("usage", "unpriced:il_1", "1", 500)

        assert broken_assumptions([SEATS], [SEATS, stranger], {"resolution": Decimal(0)}) == ()


def test_a_draft_speaks_against_rounding_by_its_licensed_lines_alone() -> None:
    half = [line("advance", "seat", "1", 13), USED]

    assert draft_assumptions(half, [line("advance", "seat", "1", 12), STALE]) == ("A16",)
    assert draft_assumptions(half, [line("advance", "seat", "1", 13), STALE]) == ()
