"""Line amounts: quantity times price, rounded per line to the minor unit, half away from zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line's quantity, unit price in minor units and whole amount in minor units."""

    quantity: Decimal
    unit_amount: Decimal
    amount: int


def whole(exact: Decimal) -> int:
    """The nearest whole minor unit; a half goes away from zero. Source: decimal amounts are rounded per line."""
    with localcontext() as context:
        context.prec = 60
        shifted = abs(exact) + Decimal("0.5")
        magnitude = int(shifted.to_integral_value(rounding="ROUND_FLOOR"))
    return -magnitude if exact < 0 else magnitude


def price_lines(price: Mapping[str, Any], quantity: Decimal) -> list[PricedLine]:
    """The lines that a quantity makes at a price: one, or one for each graduated tier that is reached."""
    if price["billing_scheme"] == "per_unit":
        return [_line(quantity, Decimal(price["unit_amount_decimal"]))]
    return list(_graduated(price["tiers"], quantity))


def _graduated(tiers: Iterable[Mapping[str, Any]], quantity: Decimal) -> Iterable[PricedLine]:
    below = Decimal(0)
    for tier in tiers:
        bound = None if tier["up_to"] is None else Decimal(tier["up_to"])
        reached = quantity if bound is None else min(quantity, bound)
        if reached > below or (quantity == 0 and below == 0):
            yield _line(max(reached - below, Decimal(0)), Decimal(tier["unit_amount_decimal"]))
        if bound is None or quantity <= bound:
            return
        below = bound


def _line(quantity: Decimal, unit_amount: Decimal) -> PricedLine:
    with localcontext() as context:
        context.prec = 60
        return PricedLine(quantity, unit_amount, whole(quantity * unit_amount))
