"""What is sold in the mix: decimal strings in major units, by currency. List prices in USD; the others illustrate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from workload.plans import METER_PRICES, SEAT_PRICES, SMS_TABLES

PLANS = [("essential", 55), ("advanced", 35), ("expert", 10)]
ADD_ON = {"USD": "35", "EUR": "32", "GBP": "28", "JPY": "5200", "KWD": "10.755"}
LEGACY_SEAT = {"USD": "74", "EUR": "68.5", "GBP": "59", "JPY": "11000", "KWD": "22.755"}
MESSAGE = {"USD": "0.04", "EUR": "0.037", "GBP": "0.0325", "JPY": "5.5", "KWD": "0.0125"}
DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}
PER_DOLLAR = {
    "USD": Fraction(1),
    "EUR": Fraction(1),
    "GBP": Fraction(4, 5),
    "JPY": Fraction(150),
    "KWD": Fraction(3, 10),
}

Price = dict[str, Any]


def seat(plan: str, currency: str, *, yearly: bool) -> Price:
    """A seat of a plan; a year costs ten months."""
    price = SEAT_PRICES[currency][f"{plan}_seat"]
    return {"scheme": "per_unit", "unit_price": scaled(price, 10) if yearly else price}


def outcome(meter: str, currency: str) -> Price:
    """An outcome at its list price."""
    return {"scheme": "per_unit", "unit_price": METER_PRICES[currency][meter]}


def resolutions(currency: str, scheme: str) -> Price:
    """Resolutions in one of the schemes; bounds are low, so that small customers reach them."""
    price = METER_PRICES[currency]["resolution"]
    if scheme in ("graduated", "volume"):
        lower, lowest = scaled(price, Fraction(9, 10)), scaled(price, Fraction(4, 5))
        steps = [(20, price, "1"), (75, lower, "0"), (None, lowest, "0")]
        return {
            "scheme": scheme,
            "tiers": [{"up_to": bound, "unit_price": unit, "flat_fee": fee} for bound, unit, fee in steps],
        }
    if scheme == "package":
        return {"scheme": "package", "size": 25, "pack_price": scaled(price, 24), "free": 10}
    return {"scheme": "per_unit", "unit_price": price}


def segments(currency: str) -> Price:
    """SMS segments, graduated."""
    tiers = [{"up_to": bound, "unit_price": price} for bound, price in SMS_TABLES[currency]]
    return {"scheme": "graduated", "tiers": tiers}


def scaled(price: str, factor: int | Fraction) -> str:
    """A price times a factor whose denominator divides a power of ten, as a plain decimal."""
    micro = Fraction(price) * factor * 10**6
    assert micro.denominator == 1, price
    whole, rest = divmod(int(micro), 10**6)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


def minor(major: int, currency: str) -> int:
    """Minor units that are worth about so many dollars."""
    return max(1, int(major * PER_DOLLAR[currency] * 10 ** DIGITS[currency]))
