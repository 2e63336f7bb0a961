"""Invoice lines by hand's arithmetic: integers of a tiny unit, rounded once per line, half away from zero."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

MINOR_DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}


def rounded(exact: Fraction | int, currency: str) -> int:
    """Minor units of an amount in major ones, a half away from zero."""
    scaled = Fraction(exact) * 10 ** MINOR_DIGITS[currency]
    whole = int(abs(scaled))  # towards zero
    if abs(scaled) - whole >= Fraction(1, 2):
        whole += 1
    return -whole if scaled < 0 else whole


def minor(quantity: Fraction, unit_price: str, currency: str) -> int:
    """Quantity times price in minor units."""
    return rounded(quantity * Fraction(unit_price), currency)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a quantity that one unit price takes; `name` is its tier's range, empty for a price without tiers."""

    name: str
    quantity: Fraction
    unit_price: str


def tiers_reached(price: dict[str, Any], quantity: Fraction) -> list[Part]:
    """A quantity divided over its price: one part for a unit price, one for each tier reached, none for nothing."""
    if quantity <= 0:
        return []
    if price["scheme"] == "per_unit":
        return [Part("", quantity, price["unit_price"])]
    parts = []
    lower = Fraction(0)
    for tier in price["tiers"]:
        upper = quantity if tier["up_to"] is None else min(quantity, Fraction(tier["up_to"]))
        if upper <= lower:
            break
        name = f"{int(lower) + 1}-{'' if tier['up_to'] is None else tier['up_to']}"
        parts.append(Part(name, upper - lower, tier["unit_price"]))
        lower = upper
    return parts


def usage_amounts(price: dict[str, Any], quantity: Fraction, currency: str) -> list[int]:
    """One amount for a unit price, one for each tier that is reached; nothing for a quantity of nothing."""
    return [minor(part.quantity, part.unit_price, currency) for part in tiers_reached(price, quantity)]
