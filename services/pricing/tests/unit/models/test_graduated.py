"""Each unit at the price of its own tier."""

from decimal import Decimal

import pytest

from pricing.models.charge import NOTHING
from pricing.models.graduated import price
from pricing.prices import Graduated, Tier

SMS = Graduated((Tier(500, Decimal("0.06")), Tier(1000, Decimal("0.03")), Tier(None, Decimal("0.02"))))


def tiers(quantity: str) -> list[tuple[str, Decimal, Decimal]]:
    return [(c.tier, c.quantity, c.exact) for c in price(SMS, Decimal(quantity)).charges]


@pytest.mark.parametrize(
    ("quantity", "labels"),
    [
        ("1", ["1-1"]),
        ("499", ["1-499"]),
        ("500", ["1-500"]),
        ("501", ["1-500", "501-501"]),
        ("1000", ["1-500", "501-1000"]),
        ("1001", ["1-500", "501-1000", "1001-1001"]),
    ],
)
def test_a_bound_belongs_to_its_own_tier(quantity: str, labels: list[str]) -> None:
    assert [label for label, _, _ in tiers(quantity)] == labels


def test_prices_each_tier_at_its_own_price() -> None:
    assert tiers("730") == [("1-500", Decimal(500), Decimal("30.00")), ("501-730", Decimal(230), Decimal("6.90"))]


def test_takes_parts_of_units() -> None:
    assert tiers("500.5") == [
        ("1-500", Decimal(500), Decimal("30.00")),
        ("500.5-500.5", Decimal("0.5"), Decimal("0.015")),
    ]


def test_nothing_used_is_no_charge() -> None:
    assert price(SMS, Decimal(0)) == NOTHING


def test_the_flat_fee_of_a_tier_is_due_once_a_unit_falls_in_it() -> None:
    model = Graduated((Tier(10, Decimal(1), Decimal(5)), Tier(None, Decimal("0.5"), Decimal(7))))

    assert [c.exact for c in price(model, Decimal(10)).charges] == [Decimal(15)]
    assert [c.exact for c in price(model, Decimal(11)).charges] == [Decimal(15), Decimal("7.5")]
    assert price(model, Decimal(11)).charges[1].formula == "1 × 0.5 + 7"
    assert price(model, Decimal(0)) == NOTHING
