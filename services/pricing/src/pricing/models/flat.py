"""One amount for the period."""

from __future__ import annotations

from decimal import Decimal

from pricing.models.charge import NOTHING, Charge, Priced
from pricing.prices import Flat


def price(model: Flat, quantity: Decimal) -> Priced:
    """The amount, whatever the quantity; nothing for quantity 0, since a line of quantity 0 is left out (R2)."""
    if not quantity:
        return NOTHING
    return Priced((Charge(quantity, model.amount, model.amount, f"flat {model.amount:f}"),))
