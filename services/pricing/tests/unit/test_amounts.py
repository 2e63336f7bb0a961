"""The arithmetic of amounts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_schemas.values import Currency, Money, allocate
from pricing.amounts import major, money, part_of, percent_of, share

MICROSECONDS_OF_A_YEAR = 366 * 86_400 * 1_000_000


@pytest.mark.parametrize(
    ("minor", "currency", "text"), [(1234, "USD", "12.34"), (-5, "USD", "-0.05"), (7, "JPY", "7"), (1, "KWD", "0.001")]
)
def test_major_units_have_the_currencys_decimals(minor: int, currency: str, text: str) -> None:
    assert major(Money(minor, Currency(currency))) == Decimal(text)


def test_a_percent_is_exact() -> None:
    assert percent_of(Money(102663, Currency.USD), Decimal(20)) == Decimal("205.326")


@given(
    st.decimals(0, 10**9, places=12), st.integers(1, MICROSECONDS_OF_A_YEAR), st.data(), st.sampled_from(list(Currency))
)
def test_a_part_rounds_as_the_fraction_does(
    exact: Decimal, whole: int, data: st.DataObject, currency: Currency
) -> None:
    left = data.draw(st.integers(0, whole))
    fraction = Fraction(exact) * left / whole * 10**currency.minor_digits

    assert money(part_of(exact, left, whole), currency).minor == int(fraction + Fraction(1, 2))


def test_a_part_that_is_a_tie_is_one() -> None:
    assert money(part_of(Decimal("0.01"), 1, 2), Currency.USD).minor == 1
    assert money(-part_of(Decimal("0.03"), 1, 2), Currency.USD).minor == -2


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_shares_are_as_allocate_has_them(total: int, weights: list[int]) -> None:
    parts = allocate(Money(total, Currency.USD), weights)

    assert share(total, weights) == tuple(part.minor for part in parts)


@given(st.data())
def test_shares_sum_to_the_whole_with_weights_of_either_sign(data: st.DataObject) -> None:
    """Seen to fail when the remainder went to nobody."""
    weights = data.draw(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9).filter(lambda w: sum(w) > 0))
    total = data.draw(st.integers(0, sum(weights)))

    parts = share(total, weights)

    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


def test_weights_that_come_to_nothing_share_nothing() -> None:
    with pytest.raises(ValueError, match="positive sum"):
        share(5, [3, -3])
