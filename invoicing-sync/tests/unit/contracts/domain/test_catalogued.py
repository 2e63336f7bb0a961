"""Whose an object at Stripe is, and each way in which a person can have changed one of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency
from invoicing_sync.contracts.domain.catalogued import Kind, Offered, catalogued
from invoicing_sync.contracts.domain.plan.prices import StripePrice, StripeTier
from invoicing_sync.contracts.domain.terms import LicensedTerm
from invoicing_sync.stripe_door.convert import to_wire_licensed_price

MADE = to_wire_licensed_price(LicensedTerm("seat", 3, Decimal(5800)), Currency.JPY, product="settled-advance-seat")
KEY = str(MADE["lookup_key"])
PRICE: dict[str, Any] = {**MADE, "id": "price_1", "active": True, "nickname": None}
METER = {"id": "mtr_1", "event_name": "resolution", "status": "active"}
PRODUCT = {"id": "settled-advance-seat", "name": "seat", "active": True, "metadata": {"settled_item": "seat"}}


def told(kind: Kind, key: str, row: dict[str, Any]) -> Offered:
    (found,) = catalogued({kind: [row]}, {kind: {row["id"]: key}})
    return found


def test_what_is_as_it_was_made_has_no_edit() -> None:
    found = [told("price", KEY, PRICE), told("meter", "resolution", METER), told("product", PRODUCT["id"], PRODUCT)]

    assert [(one.item, one.active, one.ours, one.edits) for one in found] == [
        ("seat", True, True, ()),
        ("resolution", True, True, ()),
        ("seat", True, True, ()),
    ]


@pytest.mark.parametrize(
    ("kind", "key", "row", "edit"),
    [
        ("price", KEY, PRICE | {"active": False}, "it was archived"),
        ("price", KEY, PRICE | {"lookup_key": None}, f"its lookup key was {KEY} and is gone"),
        ("price", KEY, PRICE | {"nickname": "Mine"}, "it was given the nickname Mine"),
        ("price", KEY, PRICE | {"metadata": {}}, "its metadata settled_item was seat and is gone"),
        (
            "price",
            KEY,
            PRICE | {"unit_amount_decimal": "5801"},
            "its amounts are not those that its lookup key stands for: it says 5801 JPY per unit",
        ),
        ("meter", "resolution", METER | {"status": "inactive"}, "it was deactivated"),
        ("product", "settled-advance-seat", PRODUCT | {"name": "Seats"}, "its name was seat and is Seats"),
    ],
)
def test_each_edit_is_named(kind: Kind, key: str, row: dict[str, Any], edit: str) -> None:
    assert told(kind, key, row).edits == (edit,)


def test_one_of_ours_that_is_gone_is_told_and_a_strangers_is_not_judged() -> None:
    stranger = {"id": "price_2", "active": False, "lookup_key": None, "metadata": {}}

    found = catalogued({"price": [stranger]}, {"price": {"price_1": KEY}})

    assert [(one.stripe_id, one.ours, one.edits) for one in found] == [
        ("price_2", False, ()),
        ("price_1", True, ("it is gone: somebody deleted it",)),
    ]


TIERS = (StripeTier(10, Decimal("0.99"), Decimal(5)), StripeTier(None, Decimal("0.5")))
USD = Currency.USD
FORMS = [
    StripePrice("usage", "sms", USD, "per_unit", (StripeTier(None, Decimal("0.0175")),)),
    StripePrice("usage", "sms", USD, "graduated", TIERS),
    StripePrice("usage", "sms", USD, "volume", TIERS),
    StripePrice("usage", "sms", Currency.KWD, "per_unit", (StripeTier(None, Decimal("1.5")),), pack=100),
    StripePrice("advance", "seat", USD, "per_unit", (StripeTier(None, Decimal(348)),), "year"),
    StripePrice("advance", "seat", USD, "per_unit", (StripeTier(None, Decimal(39)),), twin=2),
    StripePrice("advance", "fee", USD, "graduated", (StripeTier(None, Decimal(0), Decimal(49)),)),
]


def at_stripe(price: StripePrice) -> dict[str, Any]:
    """As Stripe shows a price that was made for this."""
    minor = 10**price.currency.minor_digits

    def amount(major: Decimal) -> str:
        return str(major * minor)

    row: dict[str, Any] = {
        "id": "price_1",
        "active": True,
        "lookup_key": price.lookup_key,
        "currency": price.currency.value.lower(),
        "metadata": {"settled_meter" if price.kind == "usage" else "settled_item": price.name},
        "recurring": {"interval": price.interval, "interval_count": 1},
        "transform_quantity": {"divide_by": price.pack, "round": "up"} if price.pack > 1 else None,
    }
    if price.mode == "per_unit":
        return row | {"billing_scheme": "per_unit", "unit_amount_decimal": amount(price.tiers[0].unit_price)}
    tiers = [
        {
            "up_to": tier.up_to,
            "unit_amount_decimal": amount(tier.unit_price),
            "flat_amount_decimal": amount(tier.flat_fee) if tier.flat_fee else None,
        }
        for tier in price.tiers
    ]
    return row | {"billing_scheme": "tiered", "tiers_mode": price.mode, "tiers": tiers}


@pytest.mark.parametrize("price", FORMS, ids=str)
def test_a_price_of_any_form_is_judged_by_its_content(price: StripePrice) -> None:
    row = at_stripe(price)
    another = next(one for one in FORMS if one is not price)

    assert told("price", price.lookup_key, row).edits == ()
    (edit,) = told(
        "price", price.lookup_key, at_stripe(another) | {"metadata": row["metadata"], "lookup_key": price.lookup_key}
    ).edits
    assert edit.startswith("its amounts are not those that its lookup key stands for: it says ")


def test_a_price_of_a_rhythm_that_is_never_made_is_an_edit() -> None:
    weekly = PRICE | {"recurring": {"interval": "week", "usage_type": "licensed"}}

    assert "a rhythm that the door never gives" in told("price", KEY, weekly).edits[0]


def test_a_coupon_is_listed_and_never_ours() -> None:
    coupon = {"id": "ten-off", "name": "Ten off", "percent_off": 10.0, "duration": "forever", "valid": True}

    (found,) = catalogued({"coupon": [coupon]}, {"coupon": {}})

    assert found == Offered("coupon", "ten-off", "Ten off", True, False, None, ())
