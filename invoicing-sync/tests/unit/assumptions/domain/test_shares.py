"""Instants at which one rule of rounding is told from another. Amounts are worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from invoicing_sync.assumptions.domain.shares import Term, rounded, telling_change, telling_credit

TERM = Term(0, 1000)


@pytest.mark.parametrize(
    ("exact", "minor"),
    [(Fraction(5, 2), 3), (Fraction(-5, 2), -3), (Fraction(12, 5), 2), (Fraction(-12, 5), -2), (Fraction(0), 0)],
)
def test_a_half_goes_away_from_zero(exact: Fraction, minor: int) -> None:
    assert rounded(exact) == minor


def test_what_is_left_of_a_term_is_counted_to_the_second() -> None:
    assert (TERM.left(0), TERM.left(250), TERM.left(999)) == (1, Fraction(3, 4), Fraction(1, 1000))


def test_a_telling_change_is_one_minor_unit_apart_by_either_way() -> None:
    """At 0.600 of the term 4 and 6 are 2.4 and 3.6: rounded apart 2 and 4, which are 2; of 1.2 together, 1."""
    at = telling_change(TERM, 4, 6, 400)

    assert at == 400
    assert (rounded(4 * TERM.left(at)), rounded(6 * TERM.left(at)), rounded(2 * TERM.left(at))) == (2, 4, 1)


def test_a_telling_credit_is_another_of_the_debit_than_of_the_price() -> None:
    """6 from 400 on were debited as 4 instead of 3.6: at 500 5/6 of 4 and half of 6 are 3.33 and 3, both 3."""
    at = telling_credit(TERM, 6, 400, 4, 500)

    assert at > 500
    assert rounded(4 * Term(400, 1000).left(at)) == rounded(6 * TERM.left(at)) + 1


def test_what_no_second_tells_is_refused() -> None:
    with pytest.raises(ValueError, match="no second"):
        telling_change(TERM, 1000, 2000, 400)
    with pytest.raises(ValueError, match="no second"):
        telling_credit(TERM, 1000, 400, 600, 500)
