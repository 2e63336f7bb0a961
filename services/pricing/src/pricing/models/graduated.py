"""Each unit at the price of its own tier: one charge per tier that is reached, bounds inclusive."""

from __future__ import annotations

from decimal import Decimal

from event_schemas.values import decimal_text
from pricing.models.charge import ZERO, Charge, Priced, times
from pricing.prices import Graduated


def price(model: Graduated, quantity: Decimal) -> Priced:
    """
    A charge for each tier with a unit in it, named by its first and last unit, `501-730`.

    Source: golden rule R5. A tier's flat fee is due once a unit falls in it, so quantity 0 costs nothing.
    """
    charges: list[Charge] = []
    below = ZERO  # units in the tiers before
    for tier in model.tiers:
        reached = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        if reached <= below:
            break
        units = reached - below
        exact, formula = times(units, tier.unit_price, flat_fee=tier.flat_fee)
        label = f"{decimal_text(min(below + 1, reached))}-{decimal_text(reached)}"
        charges.append(Charge(units, tier.unit_price, exact, formula, tier=label))
        below = reached
    return Priced(tuple(charges))
