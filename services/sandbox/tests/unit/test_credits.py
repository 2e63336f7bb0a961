"""Credits and balances; expected amounts are computed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.domain.credits import apply_balance, part_of, split


@pytest.mark.parametrize(
    ("total", "remaining", "expected"),
    [(100, 300, (100, 0)), (300, 300, (300, 0)), (300, 100, (100, 200)), (5, 0, (0, 5))],
)
def test_what_is_open_is_lowered_first(total: int, remaining: int, expected: tuple[int, int]) -> None:
    assert split(total, remaining) == expected


@pytest.mark.parametrize(
    ("total", "balance", "expected"),
    [
        (1000, 0, (1000, 0)),
        (1000, -300, (700, 0)),
        (1000, -1300, (0, -300)),
        (1000, 200, (1200, 0)),
        (-400, 0, (0, -400)),
    ],
)
def test_a_balance_is_used_as_far_as_the_total_goes(total: int, balance: int, expected: tuple[int, int]) -> None:
    """Credit lowers what is due, a debt raises it, and a negative total becomes credit."""
    assert apply_balance(total, balance) == expected


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_nothing_is_lost_between_invoice_and_balance(total: int, balance: int) -> None:
    due, left = apply_balance(total, balance)

    assert due + left == total + balance
    assert due >= 0 >= left


@pytest.mark.parametrize(
    ("amount", "part", "of", "expected"), [(1000, 1, 3, 333), (1000, 2, 3, 667), (15, 1, 2, 8), (7, 1, 0, 0)]
)
def test_a_part_is_rounded(amount: int, part: int, of: int, expected: int) -> None:
    assert part_of(amount, part, Fraction(of)) == expected
