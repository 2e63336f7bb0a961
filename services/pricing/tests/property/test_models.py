"""
Each price model against a reference that counts unit by unit, in fractions.

Seen to fail when `graduated` charged a tier's flat fee for a bound that no unit had passed, when `volume` took a bound
for the next tier's, and when `package` rounded down.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from event_schemas.values import Currency, Money, round_line
from pricing.models import priced
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Price, Tier, Volume

prices = st.decimals(0, 200, places=6)
fees = st.one_of(st.just(Decimal(0)), st.decimals(0, 50, places=3))
quantities = st.integers(0, 400)
currencies = st.sampled_from(list(Currency))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 300), max_size=6)))
    return tuple(Tier(bound, draw(prices), draw(fees)) for bound in [*bounds, None])


def tier_of(table: tuple[Tier, ...], unit: int) -> int:
    """The place of the tier in which the unit with this number lies."""
    return sum(tier.up_to is not None and unit > tier.up_to for tier in table)


def half_away(exact: Fraction, currency: Currency) -> int:
    """Minor units of a non-negative exact amount."""
    scaled = exact * 10**currency.minor_digits
    return int(scaled + Fraction(1, 2))


def amounts(price: Price, quantity: int, currency: Currency) -> list[int]:
    return [round_line(charge.exact, currency).minor for charge in priced(price, Decimal(quantity)).charges]


@given(tables(), quantities, currencies)
def test_graduated(table: tuple[Tier, ...], quantity: int, currency: Currency) -> None:
    by_tier: dict[int, Fraction] = {}
    for unit in range(1, quantity + 1):
        place = tier_of(table, unit)
        by_tier.setdefault(place, Fraction(table[place].flat_fee))
        by_tier[place] += Fraction(table[place].unit_price)

    assert amounts(Graduated(table), quantity, currency) == [half_away(exact, currency) for exact in by_tier.values()]


@given(tables(), quantities, currencies)
def test_volume(table: tuple[Tier, ...], quantity: int, currency: Currency) -> None:
    tier = table[tier_of(table, quantity)]
    exact = sum((Fraction(tier.unit_price) for _ in range(quantity)), Fraction(tier.flat_fee))

    assert amounts(Volume(table), quantity, currency) == ([half_away(exact, currency)] if quantity else [])


@given(prices, quantities, currencies)
def test_per_unit(unit_price: Decimal, quantity: int, currency: Currency) -> None:
    exact = sum((Fraction(unit_price) for _ in range(quantity)), Fraction(0))

    assert amounts(PerUnit(unit_price), quantity, currency) == ([half_away(exact, currency)] if quantity else [])


@given(st.integers(1, 120), prices, st.integers(0, 150), quantities, currencies)
def test_package(size: int, pack_price: Decimal, free: int, quantity: int, currency: Currency) -> None:
    packs, room, units = 0, 0, 0
    for unit in range(1, quantity + 1):
        if unit <= free:
            continue
        units += 1
        if room == 0:
            packs, room = packs + 1, size
        room -= 1
    answer = priced(Package(size, pack_price, free), Decimal(quantity))

    assert [half_away(packs * Fraction(pack_price), currency)] * bool(units) == amounts(
        Package(size, pack_price, free), quantity, currency
    )
    assert sum(charge.quantity for charge in answer.charges) + answer.free == quantity


@given(prices, quantities, currencies)
def test_flat_and_included(amount: Decimal, quantity: int, currency: Currency) -> None:
    assert amounts(Flat(amount), quantity, currency) == [half_away(Fraction(amount), currency)] * bool(quantity)
    assert amounts(Included(), quantity, currency) == [0] * bool(quantity)


@given(st.one_of(st.builds(Graduated, tables()), st.builds(Volume, tables()), st.builds(PerUnit, prices)), quantities)
def test_the_charges_hold_every_unit(price: Price, quantity: int) -> None:
    assert sum(charge.quantity for charge in priced(price, Decimal(quantity)).charges) == quantity


@given(tables(), quantities)
def test_money_keeps_its_currency(table: tuple[Tier, ...], quantity: int) -> None:
    for charge in priced(Graduated(table), Decimal(quantity)).charges:
        assert round_line(charge.exact, Currency.JPY) == Money(
            half_away(Fraction(charge.exact), Currency.JPY), Currency.JPY
        )
