"""Invoice lines by hand's arithmetic: integers of a tiny unit, rounded once per line, half away from zero."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

MINOR_DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}


def minor(quantity: Fraction, unit_price: str, currency: str) -> int:
    """Quantity times price in minor units, a half away from zero."""
    exact = quantity * Fraction(unit_price) * 10 ** MINOR_DIGITS[currency]
    doubled = 2 * abs(exact) + 1
    rounded = doubled.numerator // (2 * doubled.denominator)
    return int(-rounded if exact < 0 else rounded)


def usage_amounts(price: dict[str, Any], quantity: Fraction, currency: str) -> list[int]:
    """One amount for a unit price, one for each tier that is reached; nothing for a quantity of nothing."""
    if quantity <= 0:
        return []
    if price["scheme"] == "per_unit":
        return [minor(quantity, price["unit_price"], currency)]
    amounts = []
    lower = Fraction(0)
    for tier in price["tiers"]:
        upper = quantity if tier["up_to"] is None else min(quantity, Fraction(tier["up_to"]))
        if upper <= lower:
            break
        amounts.append(minor(upper - lower, tier["unit_price"], currency))
        lower = upper
    return amounts
