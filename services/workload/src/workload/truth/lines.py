"""A line of a true invoice, and the one rounding, in fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from workload.truth.money import MINOR_DIGITS


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` in minor units; `at` is the instant of a proration."""

    kind: str
    item: str
    amount: int
    at: int | None = None


def rounded(exact: Fraction | int, currency: str) -> int:
    """Minor units of an amount in major ones, a half away from zero."""
    scaled = Fraction(exact) * 10 ** MINOR_DIGITS[currency]
    whole = int(abs(scaled))  # towards zero
    if abs(scaled) - whole >= Fraction(1, 2):
        whole += 1
    return -whole if scaled < 0 else whole
