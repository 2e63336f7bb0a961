"""Every unit at one price."""

from decimal import Decimal

from pricing.models.charge import NOTHING, Charge, Priced
from pricing.models.per_unit import price
from pricing.prices import PerUnit

FIN = PerUnit(Decimal("0.99"))


def test_every_unit_costs_the_same() -> None:
    charge = Charge(Decimal(412), Decimal("0.99"), Decimal("407.88"), "412 × 0.99")

    assert price(FIN, Decimal(412)) == Priced((charge,))


def test_nothing_used_is_no_charge() -> None:
    assert price(FIN, Decimal(0)) == NOTHING


def test_nothing_is_rounded_with_fifteen_digits_and_twelve_decimals() -> None:
    exact = price(PerUnit(Decimal("123.123456789012")), Decimal("999999999999999")).charges[0].exact

    assert exact == Decimal("123123456789011876.876543210988")
