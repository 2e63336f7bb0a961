"""Line amounts; every expected amount is written out, computed by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.domain.amounts import (
    PricedLine,
    in_one,
    price_lines,
    prorated,
    whole,
    whole_ten,
    with_halves_to_even,
)


def per_unit(amount: str) -> dict[str, Any]:
    return {"billing_scheme": "per_unit", "unit_amount_decimal": amount}


def tiered(*tiers: tuple[int | None, str | None, str | None], mode: str = "graduated") -> dict[str, Any]:
    """Tiers of (up to, unit amount, flat amount)."""
    rows = [{"up_to": up_to, "unit_amount_decimal": unit, "flat_amount_decimal": flat} for up_to, unit, flat in tiers]
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": rows}


def lines(price: dict[str, Any], quantity: str) -> list[tuple[str, int]]:
    return [(str(line.quantity), line.amount) for line in price_lines(price, Decimal(quantity))]


def package(size: int, amount: str, rounding: str = "up") -> dict[str, Any]:
    return {**per_unit(amount), "transform_quantity": {"divide_by": size, "round": rounding}}


SMS = tiered((500, "6", None), (None, "3", None))


@pytest.mark.parametrize(
    ("exact", "expected"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("-2.5", -3), ("0.4999999999999999999", 0), ("-0.49", 0)],
)
def test_a_half_goes_away_from_zero(exact: str, expected: int) -> None:
    """On both sides."""
    assert whole(Decimal(exact)) == expected


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        (per_unit("99"), "1234", [("1234", 122_166)]),
        (per_unit("0.05"), "30", [("30", 2)]),
        (per_unit("0.000000000001"), "999999999999999", [("999999999999999", 1000)]),
        (per_unit("99"), "0", [("0", 0)]),
        (SMS, "0", [("0", 0)]),
        (SMS, "500", [("500", 3000)]),
        (SMS, "501", [("500", 3000), ("1", 3)]),
        (SMS, "500.5", [("500", 3000), ("0.5", 2)]),
        (tiered((10, "0", None), (20, "1.5", None), (None, "1", None)), "25", [("10", 0), ("10", 15), ("5", 5)]),
        (tiered((10, "100", "500"), (None, None, "900")), "0", [("0", 0), ("1", 500)]),
        (tiered((10, "100", "500"), (None, None, "900")), "11", [("10", 1000), ("1", 500), ("1", 900)]),
        (tiered((10, "100", None), (None, "50", None), mode="volume"), "11", [("11", 550)]),
        (tiered((10, "100", None), (None, "50", None), mode="volume"), "10", [("10", 1000)]),
        (tiered((10, "100", "7"), (None, "50", "900"), mode="volume"), "11", [("11", 550), ("1", 900)]),
        (package(100, "500"), "0", [("0", 0)]),
        (package(100, "500"), "1", [("1", 500)]),
        (package(100, "500"), "100", [("100", 500)]),
        (package(100, "500"), "100.5", [("100.5", 1000)]),
        (package(100, "500", "down"), "199", [("199", 500)]),
        (package(3, "0.5"), "10", [("10", 2)]),
    ],
)
def test_a_price_makes_these_lines(price: dict[str, Any], quantity: str, expected: list[tuple[str, int]]) -> None:
    """One line for each tier that is reached, rounded each by itself."""
    assert lines(price, quantity) == expected


def test_a_part_of_a_period_is_priced_to_the_second() -> None:
    """16 of 31 days at 31.00, and a single second of a month at 26,784.00."""
    (line,) = price_lines(per_unit("3100"), Decimal(1))
    (dear,) = price_lines(per_unit("2678400"), Decimal(1))

    assert prorated(line, 16 * 86_400, 31 * 86_400).amount == 1600
    assert prorated(dear, 1, 31 * 86_400).amount == 1


quantities = st.decimals(min_value=0, max_value=10**9, places=6)


@given(quantities)
def test_tiers_share_out_the_whole_quantity(quantity: Decimal) -> None:
    """Nothing is lost or priced twice. Seen to fail with a tier that begins at its predecessor's bound plus one."""
    found = price_lines(tiered((7, "13", None), (70, "11", None), (None, "0.5", None)), quantity)

    assert sum(line.quantity for line in found) == quantity
    assert all(line.amount == whole(line.quantity * line.unit_amount) for line in found)


@given(quantities, quantities)
def test_more_usage_never_costs_less(first: Decimal, second: Decimal) -> None:
    """Graduated tiers grow with the quantity, whatever their prices."""
    price = tiered((7, "13", "20"), (70, "1", None), (None, "0.5", "1"))
    less, more = sorted((first, second))

    def total(quantity: Decimal) -> int:
        return sum(line.amount for line in price_lines(price, quantity))

    assert total(less) <= total(more) + 1  # one unit: the rounding of the line that is cut


@given(st.fractions(max_denominator=10**6))
def test_rounding_moves_by_at_most_a_half(exact: Fraction) -> None:
    """And is odd: minus the amount rounds to minus the result."""
    assert abs(whole(exact) - exact) <= Fraction(1, 2)
    assert whole(-exact) == -whole(exact)


@pytest.mark.parametrize(("units", "expected"), [("3", 2), ("5", 2), ("7", 4), ("9", 4)])
def test_a_half_goes_to_the_even_neighbour_where_the_switch_says_so(units: str, expected: int) -> None:
    """1.5 to 2 and 2.5 to 2."""
    (line,) = price_lines(per_unit("0.5"), Decimal(units))

    assert with_halves_to_even(line).amount == expected


def test_a_flat_fee_stands_beside_the_quantity_where_all_is_one_line() -> None:
    """3 at 0.5, 4 at 0.3 and a fee of 10.2 are 12.9, for 7 units."""
    price = tiered((3, "0.5", None), (None, "0.3", "10.2"))

    assert in_one(price_lines(price, Decimal(7))) == PricedLine(Decimal(7), None, 13)


@pytest.mark.parametrize(("exact", "expected"), [("14.9", 10), ("15", 20), ("-15", -20), ("3666", 3670)])
def test_a_step_of_ten_is_rounded_like_a_unit(exact: str, expected: int) -> None:
    """Half a step goes away from zero."""
    assert whole_ten(Fraction(exact)) == expected


def test_all_tiers_make_one_line_where_the_switch_says_so() -> None:
    """3 at 0.5 and 4 at 0.3 are 2.7, rounded once."""
    price = tiered((3, "0.5", None), (None, "0.3", None))

    assert in_one(price_lines(price, Decimal(7))) == PricedLine(Decimal(7), None, 3)
