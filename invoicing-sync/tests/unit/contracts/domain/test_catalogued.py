"""Whose an object at Stripe is, and each way in which a person can have changed one of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from event_schemas.values import Currency
from invoicing_sync.contracts.domain.catalogued import Kind, Offered, catalogued
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
            "its amounts are not those that its lookup key stands for",
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


def test_a_price_whose_key_was_made_otherwise_is_not_judged_by_its_amounts() -> None:
    yearly = PRICE | {"recurring": {"interval": "year", "usage_type": "licensed"}, "unit_amount_decimal": "1"}

    assert told("price", KEY, yearly).edits == ()
