"""Every unit at one price."""

from __future__ import annotations

from decimal import Decimal

from pricing.models.charge import NOTHING, Charge, Priced, times
from pricing.prices import PerUnit


def price(model: PerUnit, quantity: Decimal) -> Priced:
    """One charge; none for quantity 0."""
    if not quantity:
        return NOTHING
    exact, formula = times(quantity, model.unit_price)
    return Priced((Charge(quantity, model.unit_price, exact, formula),))
