"""Units that another item pays for."""

from decimal import Decimal

from pricing.models.charge import NOTHING
from pricing.models.included import price
from pricing.prices import Included


def test_units_are_counted_and_cost_nothing() -> None:
    (charge,) = price(Included(), Decimal(31)).charges

    assert (charge.quantity, charge.unit_price, charge.exact) == (Decimal(31), Decimal(0), Decimal(0))


def test_nothing_used_is_no_charge() -> None:
    assert price(Included(), Decimal(0)) == NOTHING
