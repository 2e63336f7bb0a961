"""What Stripe has to sell, and every edit by hand on what is ours, by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_contract

pytestmark = pytest.mark.integration


async def test_what_stripe_has_is_told_and_an_edit_by_hand_is_named(world: Any) -> None:
    await world.start_door()
    graduated = {"scheme": "graduated", "tiers": [{"up_to": 5, "unit_price": "0.20"}, {"unit_price": "0.1"}]}
    resolutions = {"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}
    await world.apply(a_contract("acme", metered=[resolutions, {"meter": "sms_segment", "price": graduated}]))
    await world.move(START + timedelta(days=1))
    await world.quiet(START + timedelta(days=1))
    (await world.stripe_post("/v1/products", name="Consulting")).raise_for_status()

    before = (await world.ask("/v1/catalogue"))["objects"]

    ours = {(one["kind"], one["item"]) for one in before if one["ours"]}
    assert ours >= {("meter", "resolution"), ("product", "essential_seat"), ("price", "sms_segment")}
    assert [(one["kind"], one["name"]) for one in before if not one["ours"]] == [("product", "Consulting")]
    assert [one["edits"] for one in before if one["edits"]] == []

    by_item = {(one["kind"], one["item"]): one["stripe_id"] for one in before if one["ours"]}
    price, seat = by_item["price", "sms_segment"], by_item["price", "essential_seat"]
    edits: list[tuple[str, dict[str, str]]] = [
        (f"/v1/prices/{price}", {"active": "false", "nickname": "Texts"}),
        (f"/v1/prices/{seat}", {"metadata[settled_item]": "other_seat"}),
        (f"/v1/products/{by_item['product', 'essential_seat']}", {"name": "Seats"}),
    ]
    for path, edit in edits:
        (await world.stripe_post(path, **edit)).raise_for_status()

    after = (await world.ask("/v1/catalogue"))["objects"]

    assert {(one["kind"], one["item"]): one["edits"] for one in after if one["edits"]} == {
        ("price", "sms_segment"): ["it was archived", "it was given the nickname Texts"],
        ("price", "essential_seat"): ["its metadata settled_item was essential_seat and is other_seat"],
        ("product", "essential_seat"): ["its name was essential_seat and is Seats"],
    }
