"""What discounts take off lines; expected amounts are computed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.domain.discounts import Line, Off, by_discount, share_out, take_off

ALL = Off("all", percent=Fraction(100))
TEN = Off("ten", percent=Fraction(10))
TWENTY = Off("twenty", percent=Fraction(20))
FIVE = Off("five", amount=500)


def taken(
    lines: list[Line], own: list[Off], common: list[Off], *, of_the_whole: bool = False, per_line: bool = True
) -> list[dict[str, int]]:
    take_off(lines, own, common, of_the_whole=of_the_whole, per_line=per_line)
    return [line.taken for line in lines]


def test_a_fixed_amount_is_shared_in_proportion_and_the_last_takes_the_rest() -> None:
    """Stripe's own example: 5.00 on 10.00 and 20.00."""
    assert taken([Line(1000, "a"), Line(2000, "b")], [], [FIVE]) == [{"five": 166}, {"five": 334}]


@pytest.mark.parametrize(
    ("common", "of_the_whole", "expected"),
    [
        ([TWENTY, FIVE], False, {"twenty": 2000, "five": 500}),
        ([FIVE, TWENTY], False, {"five": 500, "twenty": 1900}),
        ([TEN, TWENTY], False, {"ten": 1000, "twenty": 1800}),
        ([TEN, TWENTY], True, {"ten": 1000, "twenty": 2000}),
    ],
)
def test_discounts_go_in_the_order_of_their_list(
    common: list[Off], of_the_whole: bool, expected: dict[str, int]
) -> None:
    assert taken([Line(10_000, "a")], [], common, of_the_whole=of_the_whole) == [expected]


def test_those_of_a_line_go_before_those_of_the_invoice() -> None:
    """100.00 less 20 % of the line, and 10 % of the 80.00 and 50.00 that are left."""
    lines = [Line(10_000, "a", own=("twenty",)), Line(5000, "b")]

    assert taken(lines, [TWENTY], [TEN]) == [{"twenty": 2000, "ten": 800}, {"ten": 500}]
    assert by_discount(lines) == {"twenty": 2000, "ten": 1300}


def test_a_percentage_is_rounded_on_each_line_or_on_the_sum() -> None:
    """10 % of 0.05 three times: a cent each, or two cents of the 0.15."""
    each = taken([Line(5, "a") for _ in range(3)], [], [TEN])
    at_once = taken([Line(5, "a") for _ in range(3)], [], [TEN], per_line=False)

    assert [line["ten"] for line in each] == [1, 1, 1]
    assert [line["ten"] for line in at_once] == [0, 0, 2]


def test_what_cannot_be_discounted_is_left_alone() -> None:
    """Prorations, credits, and products that a coupon does not name."""
    lines = [Line(1000, "a", discountable=False), Line(-1000, "a"), Line(1000, "b"), Line(1000, "a")]

    assert taken(lines, [], [Off("a", percent=Fraction(50), products=frozenset({"a"}))]) == [{}, {}, {}, {"a": 500}]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(0, 10**7))
def test_shares_sum_to_the_total_and_none_is_above_its_line(rooms: list[int], total: int) -> None:
    """Seen to fail where the last line takes all of the rest, whatever its own amount."""
    total = min(total, sum(rooms))
    parts = share_out(total, rooms)

    assert sum(parts) == total
    assert all(0 <= part <= room for part, room in zip(parts, rooms, strict=True))


@given(
    st.lists(st.integers(-1000, 10**6), min_size=1, max_size=6),
    st.lists(
        st.sampled_from([TEN, TWENTY, FIVE, Off("all", percent=Fraction(100))]), max_size=4, unique_by=lambda o: o.id
    ),
    st.booleans(),
    st.booleans(),
)
def test_no_line_is_discounted_below_nothing(amounts: list[int], offs: list[Off], whole: bool, each: bool) -> None:
    lines = [Line(amount, "a") for amount in amounts]
    take_off(lines, [], offs, of_the_whole=whole, per_line=each)

    assert all(line.left == line.amount - sum(line.taken.values()) for line in lines)
    assert all(line.left >= min(line.amount, 0) for line in lines)
