"""Started packs."""

from decimal import Decimal

import pytest

from pricing.models.charge import NOTHING, Priced
from pricing.models.package import price
from pricing.prices import Package

PACKS = Package(size=100, pack_price=Decimal(49))


@pytest.mark.parametrize(
    ("quantity", "packs"), [("1", 1), ("99", 1), ("100", 1), ("101", 2), ("500", 5), ("500.001", 6), ("512", 6)]
)
def test_a_started_pack_is_a_pack(quantity: str, packs: int) -> None:
    (charge,) = price(PACKS, Decimal(quantity)).charges

    assert (charge.packs, charge.exact) == (packs, Decimal(49 * packs))


def test_nothing_used_is_no_charge() -> None:
    assert price(PACKS, Decimal(0)) == NOTHING


def test_free_units_come_off_before_packs_are_counted() -> None:
    answer = price(Package(size=100, pack_price=Decimal(10), free=200), Decimal(1240))

    assert answer.free == 200
    assert [(c.quantity, c.packs, c.exact) for c in answer.charges] == [(Decimal(1040), 11, Decimal(110))]


def test_units_that_are_all_free_are_told_and_charge_nothing() -> None:
    assert price(Package(size=100, pack_price=Decimal(10), free=200), Decimal(150)) == Priced((), Decimal(150))
