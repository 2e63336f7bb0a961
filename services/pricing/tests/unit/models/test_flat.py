"""One amount for the period."""

from decimal import Decimal

import pytest

from pricing.models.charge import NOTHING
from pricing.models.flat import price
from pricing.prices import Flat

BASE = Flat(Decimal(49))


@pytest.mark.parametrize("quantity", ["0.5", "1", "100000"])
def test_the_quantity_does_not_matter(quantity: str) -> None:
    assert [charge.exact for charge in price(BASE, Decimal(quantity)).charges] == [Decimal(49)]


def test_nothing_used_is_no_charge() -> None:
    assert price(BASE, Decimal(0)) == NOTHING
