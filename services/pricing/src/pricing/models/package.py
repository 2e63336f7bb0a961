"""Started packs: the quantity divided by the size, rounded up."""

from __future__ import annotations

from decimal import Decimal

from event_schemas.values import EXACT
from pricing.models.charge import NOTHING, Charge, Priced
from pricing.prices import Package


def price(model: Package, quantity: Decimal) -> Priced:
    """
    One charge for the packs that the units above the free ones start.

    Free units come off before packs are counted, and the line's quantity is what is left. Source: golden rule R5, G11.
    """
    free = min(quantity, Decimal(model.free))
    units = quantity - free
    if not units:
        return Priced((), free) if free else NOTHING
    packs = int(units // model.size) + bool(units % model.size)
    exact = EXACT.multiply(Decimal(packs), model.pack_price)
    formula = f"{packs} packs of {model.size} × {model.pack_price:f}"
    return Priced((Charge(units, model.pack_price, exact, formula, packs=packs),), free)
