"""Parts of a period: what its unused rest gives back, and what the rest of it costs, to the second."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sandbox.stripe.domain.amounts import whole

Span = tuple[int, int]  # [start, end) in unix seconds


def rest_of(span: Span, at: int) -> Fraction:
    """Which part of a period lies after an instant: 1 before it begins, 0 once it is over."""
    start, end = span
    return Fraction(max(0, end - max(at, start)), end - start)


def credit(debited: int, span: Span, at: int) -> int:
    """What is given back of an amount that was billed for a period; zero or negative, in minor units."""
    return -whole(debited * rest_of(span, at))


def debit(exact: Fraction, at: int, end: int, full_s: int, percents_off: Iterable[Fraction] = ()) -> Fraction:
    """What the time until `end` costs of an amount for a full period of `full_s`, after percent discounts; exact."""
    for percent in percents_off:
        exact *= 1 - percent / 100
    return exact * Fraction(max(0, end - at), full_s)
