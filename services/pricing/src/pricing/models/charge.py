"""What a price model answers: exact amounts, not rounded yet."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from event_schemas.values import EXACT, decimal_text

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Charge:
    """One line to be: `exact` is in major units, as `formula` says; `unit_price` of a pack for packs."""

    quantity: Decimal
    unit_price: Decimal
    exact: Decimal
    formula: str
    tier: str = ""
    packs: int | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """The lines of a quantity, and the units that the price itself lets go free and shows on no line."""

    charges: tuple[Charge, ...]
    free: Decimal = ZERO


NOTHING = Priced(())


def times(quantity: Decimal, unit_price: Decimal, *, flat_fee: Decimal = ZERO) -> tuple[Decimal, str]:
    """The exact product, a fee added, and how it reads."""
    exact = EXACT.multiply(quantity, unit_price)
    formula = f"{decimal_text(quantity)} × {unit_price:f}"
    if flat_fee:
        exact = EXACT.add(exact, flat_fee)
        formula += f" + {flat_fee:f}"
    return exact, formula
