"""Amounts in major units of a currency, exact; rounded to its decimals, half away from zero."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)  # more digits than two numbers that a body may have make together


def rounded(exact: Decimal, precision: int) -> Decimal:
    """To `precision` decimals, half away from zero (assumption N7)."""
    return exact.quantize(Decimal(1).scaleb(-precision), context=_EXACT)


def product(one: Decimal, other: Decimal) -> Decimal:
    """Exact, whatever the digits; the product of two numbers of the usual context would be rounded to 28."""
    return _EXACT.multiply(one, other)


def line_amount(
    *, quantity: Decimal | None, rate: Decimal | None, amount: Decimal | None, precision: int
) -> Decimal | None:
    """
    The amount of a line: as given, else quantity (1 where none is given) times rate; None where neither says it.

    A given amount wins over quantity and rate, as on NetSuite's form, where it is entered last.
    """
    if amount is not None:
        return rounded(amount, precision)
    if rate is None:
        return None
    return rounded(rate if quantity is None else product(quantity, rate), precision)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, a Decimal for no amounts too."""
    return sum(amounts, ZERO)
