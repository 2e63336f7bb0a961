"""Parts of periods; expected amounts are computed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.domain.amounts import whole
from sandbox.stripe.domain.proration import credit, debit, rest_of

DAY = 86_400
OCTOBER = (0, 31 * DAY)


@pytest.mark.parametrize(
    ("at", "expected"), [(-5, 1), (0, 1), (31 * DAY, 0), (40 * DAY, 0), (15 * DAY, Fraction(16, 31))]
)
def test_the_rest_of_a_period_is_counted_to_the_second(at: int, expected: Fraction) -> None:
    assert rest_of(OCTOBER, at) == expected


@pytest.mark.parametrize(
    ("debited", "at", "expected"),
    [(3100, 15 * DAY, -1600), (-3100, 15 * DAY, 1600), (1, 15 * DAY, -1), (1, 16 * DAY, 0)],
)
def test_a_credit_gives_back_the_part_that_is_left(debited: int, at: int, expected: int) -> None:
    """16 of 31 days of 31.00; of a single cent more than half rounds to all of it, and less to nothing."""
    assert credit(debited, OCTOBER, at) == expected


def test_a_debit_bears_the_percent_discounts_one_after_the_other() -> None:
    """100.00 for half a period, less 20 % and then 10 %: 36.00."""
    assert debit(Fraction(10_000), 15, 30, 30, [Fraction(20), Fraction(10)]) == 3600


@given(st.integers(0, 10**9), st.lists(st.integers(0, 31 * DAY), max_size=6))
def test_a_debit_that_is_cut_again_and_again_leaves_what_each_stretch_cost(amount: int, cuts: list[int]) -> None:
    """However often the same price is given back and charged anew, the sum is the price but for the rounding."""
    total, debited, begun = amount, amount, 0
    for at in sorted(cuts):
        if at >= OCTOBER[1]:
            continue
        total += credit(debited, (begun, OCTOBER[1]), at)
        debited, begun = whole(debit(Fraction(amount), at, OCTOBER[1], OCTOBER[1])), at
        total += debited

    assert abs(total - amount) <= len(cuts)
