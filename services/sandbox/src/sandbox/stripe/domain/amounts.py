"""Line amounts: quantity times price, rounded per line to the minor unit, half away from zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class PricedLine:
    """
    One line's quantity, unit price in minor units and whole amount in minor units.

    `exact` is the amount before it was rounded; `is_flat` marks a tier's flat fee, whose quantity of 1 is nobody's use.
    """

    quantity: Decimal
    unit_amount: Decimal | None  # None: the line has no single one
    amount: int
    exact: Fraction = field(default=Fraction(0), compare=False)
    is_flat: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, quantity: Decimal, exact: Fraction) -> PricedLine:
        """A line with no single unit price, rounded once from its exact amount."""
        return cls(quantity, None, whole(exact), exact)


def whole(exact: Decimal | Fraction) -> int:
    """The nearest whole minor unit; a half goes away from zero. Source: decimal amounts are rounded per line."""
    fraction = Fraction(exact)
    magnitude = (2 * abs(fraction.numerator) + fraction.denominator) // (2 * fraction.denominator)
    return -magnitude if fraction < 0 else magnitude


def whole_ten(exact: Fraction) -> int:
    """The nearest ten minor units; five goes away from zero."""
    return whole(exact / 10) * 10


def packages(quantity: Decimal, divide_by: int, rounding: str) -> Decimal:
    """How many packages a quantity makes: begun ones count where `rounding` is up, full ones only where it is down."""
    exact = Fraction(quantity) / divide_by
    return Decimal(math.ceil(exact) if rounding == "up" else math.floor(exact))


def price_lines(price: Mapping[str, Any], quantity: Decimal) -> list[PricedLine]:
    """
    The lines that a quantity makes at a price.

    One for a price per unit, package or volume, one for each graduated tier that is reached, one more for each flat
    fee. Nothing used is one line of quantity 0, with the first tier's flat fee where it has one. A package's line
    shows the units and is priced by the packages.
    """
    if price["billing_scheme"] == "per_unit":
        package = price.get("transform_quantity")
        if package is None:
            return [_line(quantity, price["unit_amount_decimal"])]
        count = packages(quantity, package["divide_by"], package["round"])
        return [replace(_line(count, price["unit_amount_decimal"]), quantity=quantity)]
    if price["tiers_mode"] == "volume":
        return list(_volume(price["tiers"], quantity))
    return list(_graduated(price["tiers"], quantity))


def with_halves_to_even(line: PricedLine) -> PricedLine:
    """The line as it is where half a minor unit goes to the even neighbour."""
    return replace(line, amount=round(line.exact))  # a Fraction is rounded exactly, halves to even


def in_one(lines: Sequence[PricedLine]) -> PricedLine:
    """What several lines make as a single one, rounded once. Flat fees count as amounts, not as quantity."""
    exact = sum((line.exact for line in lines), Fraction(0))
    return PricedLine(sum((line.quantity for line in lines if not line.is_flat), Decimal(0)), None, whole(exact), exact)


def prorated(line: PricedLine, part_s: int, whole_s: int) -> PricedLine:
    """A line for part of its period, to the second, rounded once from the exact amount."""
    exact = line.exact * Fraction(part_s, whole_s)
    return replace(line, amount=whole(exact), exact=exact)


def _graduated(tiers: Sequence[Mapping[str, Any]], quantity: Decimal) -> Iterator[PricedLine]:
    below = Decimal(0)
    for tier in tiers:
        bound = None if tier["up_to"] is None else Decimal(tier["up_to"])
        reached = quantity if bound is None else min(quantity, bound)
        if reached > below or (quantity == 0 and below == 0):
            yield from _tier(tier, reached - below)
        if bound is None or quantity <= bound:
            return
        below = bound


def _volume(tiers: Sequence[Mapping[str, Any]], quantity: Decimal) -> Iterator[PricedLine]:
    for tier in tiers:
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            yield from _tier(tier, quantity)
            return


def _tier(tier: Mapping[str, Any], quantity: Decimal) -> Iterator[PricedLine]:
    if tier["unit_amount_decimal"] is not None:
        yield _line(quantity, tier["unit_amount_decimal"])
    if tier["flat_amount_decimal"] is not None:
        yield replace(_line(Decimal(1), tier["flat_amount_decimal"]), is_flat=True)


def _line(quantity: Decimal, unit_amount: str) -> PricedLine:
    exact = Fraction(quantity) * Fraction(unit_amount)
    return PricedLine(quantity, Decimal(unit_amount), whole(exact), exact)
