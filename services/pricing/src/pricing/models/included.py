"""Units that another item pays for: counted, and shown at 0."""

from __future__ import annotations

from decimal import Decimal

from pricing.models.charge import NOTHING, ZERO, Charge, Priced, times
from pricing.prices import Included


def price(_model: Included, quantity: Decimal) -> Priced:
    """One charge of 0; none for quantity 0. Source: golden rule R7, covered units show as kind included at 0."""
    if not quantity:
        return NOTHING
    exact, formula = times(quantity, ZERO)
    return Priced((Charge(quantity, ZERO, exact, formula),))
