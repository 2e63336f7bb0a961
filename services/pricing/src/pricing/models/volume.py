"""All units at the price of the tier that holds the total."""

from __future__ import annotations

from decimal import Decimal

from pricing.models.charge import NOTHING, Charge, Priced, times
from pricing.prices import Volume


def price(model: Volume, quantity: Decimal) -> Priced:
    """
    One charge; none for quantity 0. One unit more may cost less: the cliff is right.

    Source: golden rule R5, cases G05.
    """
    if not quantity:
        return NOTHING
    tier = next(tier for tier in model.tiers if tier.up_to is None or quantity <= tier.up_to)
    exact, formula = times(quantity, tier.unit_price, flat_fee=tier.flat_fee)
    return Priced((Charge(quantity, tier.unit_price, exact, formula),))
