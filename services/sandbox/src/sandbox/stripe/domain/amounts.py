"""Line amounts: quantity times price, rounded per line to the minor unit, half away from zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line's quantity, unit price in minor units and whole amount in minor units."""

    quantity: Decimal
    unit_amount: Decimal | None  # None: the line has no single one
    amount: int


def whole(exact: Decimal | Fraction) -> int:
    """The nearest whole minor unit; a half goes away from zero. Source: decimal amounts are rounded per line."""
    fraction = Fraction(exact)
    magnitude = (2 * abs(fraction.numerator) + fraction.denominator) // (2 * fraction.denominator)
    return -magnitude if fraction < 0 else magnitude


def price_lines(price: Mapping[str, Any], quantity: Decimal) -> list[PricedLine]:
    """
    The lines that a quantity makes at a price.

    One for a price per unit or by volume, one for each graduated tier that is reached, one more for each flat fee.
    Nothing used is one line of quantity 0, with the first tier's flat fee where it has one.
    """
    if price["billing_scheme"] == "per_unit":
        return [_line(quantity, price["unit_amount_decimal"])]
    if price["tiers_mode"] == "volume":
        return list(_volume(price["tiers"], quantity))
    return list(_graduated(price["tiers"], quantity))


def with_halves_to_even(line: PricedLine) -> PricedLine:
    """The line as it is where half a minor unit goes to the even neighbour."""
    if line.unit_amount is None:
        return line
    exact = Fraction(line.quantity) * Fraction(line.unit_amount)
    return replace(line, amount=round(exact))  # a Fraction is rounded exactly, halves to even


def in_one(price: Mapping[str, Any], lines: list[PricedLine]) -> PricedLine:
    """What graduated tiers make as a single line, rounded once. Flat fees count as amounts, not as quantity."""
    flat = {tier["flat_amount_decimal"] for tier in price["tiers"]} - {None}
    assert not flat, "a single line with flat fees is not carried out"
    exact = sum((Fraction(line.quantity) * Fraction(line.unit_amount or 0) for line in lines), Fraction(0))
    return PricedLine(sum((line.quantity for line in lines), Decimal(0)), None, whole(exact))


def prorated(line: PricedLine, part_s: int, whole_s: int) -> PricedLine:
    """A line for part of its period, to the second, rounded once from the exact amount."""
    exact = Fraction(line.quantity) * Fraction(line.unit_amount or 0) * Fraction(part_s, whole_s)
    return PricedLine(line.quantity, line.unit_amount, whole(exact))


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
        yield _line(Decimal(1), tier["flat_amount_decimal"])


def _line(quantity: Decimal, unit_amount: str) -> PricedLine:
    with localcontext() as context:
        context.prec = 60
        return PricedLine(quantity, Decimal(unit_amount), whole(quantity * Decimal(unit_amount)))
