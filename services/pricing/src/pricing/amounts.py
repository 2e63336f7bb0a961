"""The arithmetic of amounts: percents, parts of a term and shares; exact until `round_line`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from event_schemas.values import EXACT, Currency, Money, round_line


def major(money: Money) -> Decimal:
    """The amount in major units."""
    return EXACT.scaleb(Decimal(money.minor), Decimal(-money.currency.minor_digits))


def percent_of(money: Money, percent: Decimal) -> Decimal:
    """An exact part of an amount, in major units."""
    return EXACT.scaleb(EXACT.multiply(major(money), percent), Decimal(-2))


def part_of(exact: Decimal, left: int, whole: int) -> Decimal:
    """
    `exact` × left / whole, to 60 digits.

    That is exact enough to round by: a quotient that is no tie lies further from the nearest tie than 1e-30 (a year has
    fewer than 4e13 microseconds, a price 12 decimals), and one that is a tie ends within 60 digits.
    """
    return EXACT.divide(EXACT.multiply(exact, Decimal(left)), Decimal(whole))


def money(exact: Decimal, currency: Currency) -> Money:
    """The one rounding. Source: golden rule R1."""
    return round_line(exact, currency)


def share(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """
    Split minor units in proportion to weights of either sign by largest remainder; ties go to the earlier.

    The parts sum to the total. Where no weight is negative it is `event_schemas.values.allocate`, whose weights may not
    be; an invoice's items may, when seats were given back. Source: golden rule R6.

    Raises:
        ValueError: the weights do not sum to more than 0.
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("the weights must have a positive sum")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return tuple(parts)
