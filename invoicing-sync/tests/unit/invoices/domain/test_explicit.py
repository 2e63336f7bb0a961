"""Invoice items of our own: put there once, and never over what a person did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.explicit import (
    ExplicitItem,
    PlacedItem,
    Steps,
    ToldItem,
    as_shown,
    items_of,
    matched,
    shown,
    stands_for,
    steps,
    with_keys,
)

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def an_item(key: str = "usage.resolution.1", amount_minor: int = 9900) -> ExplicitItem:
    return ExplicitItem(key, amount_minor, Currency.USD, "Resolutions", APRIL, MAY)


def placed(key: str | None = "usage.resolution.1", amount_minor: int = 9900, item_id: str = "ii_1") -> PlacedItem:
    return PlacedItem(item_id, key, Money(amount_minor, Currency.USD), "Resolutions")


class TestExplicitItem:
    @pytest.mark.parametrize("key", ["", "k" * 501])
    def test_a_key_that_stripe_would_not_keep_is_refused(self, key: str) -> None:
        with pytest.raises(ValueError, match="1 to 500 characters"):
            an_item(key)

    def test_a_period_that_ends_before_it_starts_is_refused(self) -> None:
        with pytest.raises(ValueError, match="ends before it starts"):
            ExplicitItem("k", 1, Currency.USD, "", MAY, MAY - timedelta(seconds=1))


PLACED = ToldItem(9900, "placed")


class TestSteps:
    def test_only_what_is_not_there_is_put_there(self) -> None:
        first, second = an_item("a"), an_item("b")

        assert steps([first, second], [placed("a"), placed(None)], {"a": PLACED}) == Steps(put=(second,))

    @settings(max_examples=50)
    @given(keys=st.lists(st.sampled_from("abcdef"), unique=True), done=st.integers(0, 6), intended=st.booleans())
    def test_a_death_after_any_of_them_leaves_the_rest_and_then_nothing(
        self, keys: list[str], done: int, intended: bool
    ) -> None:
        """Whether or not the row of the next one was stored before the death."""
        wanted = [an_item(key) for key in keys]
        there = [placed(key) for key in keys[:done]]
        told = dict.fromkeys(keys[:done], PLACED)
        told |= {key: ToldItem(9900, "intended") for key in keys[done : done + intended]}

        there += [placed(item.key) for item in steps(wanted, there, told).put]

        assert sorted(str(item.key) for item in there) == sorted(keys)
        assert steps(wanted, there, dict.fromkeys(keys, PLACED)) == Steps()

    def test_what_we_put_there_and_is_wanted_otherwise_is_taken_off_and_put_there_anew(self) -> None:
        there = placed("a", 100)

        assert steps([an_item("a")], [there], {"a": ToldItem(100, "placed")}) == Steps(
            take=(there,), put=(an_item("a"),)
        )
        assert steps([], [there], {"a": ToldItem(100, "placed")}) == Steps(take=(there,))

    def test_a_death_while_one_is_taken_off_takes_it_off_again_or_puts_it_there(self) -> None:
        told = {"a": ToldItem(100, "taking")}

        assert steps([an_item("a")], [placed("a", 100)], told) == Steps(take=(placed("a", 100),), put=(an_item("a"),))
        assert steps([an_item("a")], [], told) == Steps(put=(an_item("a"),))
        assert steps([], [], told) == Steps(forget=("a",))

    def test_an_amount_that_a_person_changed_is_told_and_left(self) -> None:
        found = steps([an_item("a")], [placed("a", 100)], {"a": PLACED})

        assert found.differences == ("item a: USD 1.00 there, USD 99.00 expected",)
        assert found.causes == ("the invoice item a was changed by hand",)
        assert (found.take, found.put) == ((), ())

    def test_one_that_a_person_took_off_comes_back_only_once_a_person_agrees(self) -> None:
        found = steps([an_item("a")], [], {"a": PLACED})

        assert found.differences == ("item a: missing, USD 99.00 expected",)
        assert found.causes == ("the invoice item a was removed by hand; close the case to have it back",)
        assert steps([an_item("a")], [], {"a": ToldItem(9900, "placed", put_back=True)}) == Steps(put=(an_item("a"),))

    def test_one_there_twice_and_one_that_nobody_of_ours_put_there_are_told(self) -> None:
        there = [placed("b"), placed("c"), placed("c", item_id="ii_3")]

        found = steps([an_item("c")], there, {"c": PLACED})

        assert found.differences == ("item b: USD 99.00 there, not expected", "item c: there 2 times")
        assert found.causes == ("the invoice item b was added by hand", "the invoice item c was added by hand")

    def test_items_that_are_none_of_ours_are_left_to_the_lines(self) -> None:
        assert steps([an_item("a")], [placed("a"), placed(None, 500)], {"a": PLACED}) == Steps()


class TestLines:
    SEAT = Line("advance", "seat", Decimal(3), Money(11700, Currency.USD))
    FIRST = Line("usage", "resolution", Decimal(10), Money(0, Currency.USD))
    SECOND = Line("usage", "resolution", Decimal(90), Money(8910, Currency.USD))

    def test_usage_that_bills_something_goes_as_items_and_shows_as_their_lines(self) -> None:
        lines = with_keys([self.SEAT, self.FIRST, self.SECOND], ["usage"])

        assert [line.key for line in lines] == ["", "", "usage/resolution/2"]
        assert [(item.key, item.amount_minor) for item in items_of(lines, Period(APRIL, MAY))] == [
            ("usage/resolution/2", 8910)
        ]
        item = shown("usage/resolution/2", Money(8910, Currency.USD))
        assert as_shown(lines) == (self.SEAT, self.FIRST, item)
        assert matched(lines, [item, self.SEAT, shown("other/key/1", Money(1, Currency.USD))]) == [
            self.SECOND,
            self.SEAT,
            None,
        ]

    @pytest.mark.parametrize(
        ("key", "kind", "item"), [("usage/a/b/2", "usage", "a/b"), ("alone", "alone", ""), ("prior/x", "prior", "x")]
    )
    def test_a_key_tells_what_it_stands_for(self, key: str, kind: str, item: str) -> None:
        assert stands_for(key) == (kind, item)
