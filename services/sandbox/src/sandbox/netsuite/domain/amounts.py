"""Amounts in major units of a currency, exact; rounded to its decimals, half away from zero."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)


def rounded(exact: Decimal, precision: int) -> Decimal:
    """To `precision` decimals, half away from zero (assumption N7)."""
    return exact.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)


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
    return rounded((Decimal(1) if quantity is None else quantity) * rate, precision)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, a Decimal for no amounts too."""
    return sum(amounts, ZERO)
