"""All units at the price of the tier that holds the total."""

from decimal import Decimal

import pytest

from pricing.models.charge import NOTHING
from pricing.models.volume import price
from pricing.prices import Tier, Volume

FIN = Volume((Tier(1000, Decimal("0.99")), Tier(5000, Decimal("0.89")), Tier(None, Decimal("0.79"))))


@pytest.mark.parametrize(
    ("quantity", "unit", "exact"),
    [("1", "0.99", "0.99"), ("1000", "0.99", "990"), ("1001", "0.89", "890.89"), ("5001", "0.79", "3950.79")],
)
def test_the_whole_quantity_takes_the_price_of_its_tier(quantity: str, unit: str, exact: str) -> None:
    (charge,) = price(FIN, Decimal(quantity)).charges

    assert (charge.unit_price, charge.exact) == (Decimal(unit), Decimal(exact))


def test_adds_the_flat_fee_of_the_tier_that_holds_the_total_alone() -> None:
    model = Volume((Tier(10, Decimal(1), Decimal(5)), Tier(None, Decimal(1), Decimal(7))))

    assert price(model, Decimal(11)).charges[0].exact == Decimal(18)


def test_nothing_used_is_no_charge() -> None:
    assert price(FIN, Decimal(0)) == NOTHING
