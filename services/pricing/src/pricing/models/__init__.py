"""One module per price model; this one chooses."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from pricing.models import flat, graduated, included, package, per_unit, volume
from pricing.models.charge import Priced
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Price, Volume


def priced(price: Price, quantity: Decimal) -> Priced:
    """The exact charges of a quantity, 0 or more, at a price."""
    match price:
        case PerUnit():
            return per_unit.price(price, quantity)
        case Graduated():
            return graduated.price(price, quantity)
        case Volume():
            return volume.price(price, quantity)
        case Package():
            return package.price(price, quantity)
        case Flat():
            return flat.price(price, quantity)
        case Included():
            return included.price(price, quantity)
        case _:
            assert_never(price)
