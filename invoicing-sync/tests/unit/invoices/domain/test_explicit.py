"""Invoice items of our own: put there once, and never over what a person did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.explicit import ExplicitItem, PlacedItem, item_differences, still_missing

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


class TestStillMissing:
    def test_only_what_is_not_there_is_put_there(self) -> None:
        first, second = an_item("a"), an_item("b")

        assert still_missing([first, second], [placed("a"), placed(None)]) == (second,)

    def test_an_item_whose_amount_a_person_changed_is_not_made_again(self) -> None:
        assert still_missing([an_item()], [placed(amount_minor=1)]) == ()

    @settings(max_examples=50)
    @given(keys=st.lists(st.sampled_from("abcdef"), unique=True), done=st.integers(0, 6))
    def test_a_death_after_any_of_them_leaves_the_rest_and_ends_without_a_difference(
        self, keys: list[str], done: int
    ) -> None:
        wanted = [an_item(key) for key in keys]
        there = [placed(key) for key in keys[:done]]

        there += [placed(item.key) for item in still_missing(wanted, there)]

        assert sorted(str(item.key) for item in there) == sorted(keys)
        assert item_differences(wanted, there) == ()


class TestItemDifferences:
    def test_a_changed_amount_is_told_with_both_amounts(self) -> None:
        assert item_differences([an_item()], [placed(amount_minor=100)]) == (
            "item usage.resolution.1: USD 1.00 there, USD 99.00 expected",
        )

    def test_one_that_is_not_there_one_not_expected_and_one_there_twice_are_told(self) -> None:
        there = [placed("b"), placed("c", item_id="ii_2"), placed("c", item_id="ii_3")]

        assert item_differences([an_item("a"), an_item("c")], there) == (
            "item a: missing, USD 99.00 expected",
            "item b: not expected, USD 99.00 there",
            "item c: there 2 times",
        )

    def test_items_that_are_none_of_ours_are_left_to_the_lines(self) -> None:
        assert item_differences([an_item()], [placed(), placed(None, 500)]) == ()
