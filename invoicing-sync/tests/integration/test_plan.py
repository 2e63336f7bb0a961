"""The plan of a customer, told over HTTP: from what Stripe really shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_contract

pytestmark = pytest.mark.integration

MORE_SEATS = [{"item": "essential_seat", "quantity": 5, "unit_price": "39"}]


async def test_a_plan_says_what_is_done_what_is_left_and_what_a_person_changed(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.move(START + timedelta(days=1))

    applied = await world.ask("/v1/contracts/acme/plan")
    await by_hand(world, quantity="4")
    edited = await world.ask("/v1/contracts/acme/plan")
    await by_hand(world, quantity="3")
    await world.apply(a_contract(revision=2, licensed=MORE_SEATS))
    await world.until(lambda: has_case(world))
    wanted = await world.ask("/v1/contracts/acme/plan")
    unknown = await world.http.get(f"{world.door_url}/v1/contracts/nobody/plan", headers=world.keys.header)

    assert {one["state"] for one in applied["operations"]} == {"done"}
    assert [one["key"].partition("/")[0] for one in applied["operations"]] == [
        *("customer", "meter", "product", "product", "price", "price", "subscription", "drafts")
    ]
    assert applied["findings"] == applied["explicit"] == []
    assert [(one["code"], one["subject"]) for one in edited["findings"]] == [("quantity_changed", "essential_seat")]
    assert (wanted["revision"], wanted["applied_revision"], wanted["findings"]) == (2, 1, [])
    [left] = [one for one in wanted["operations"] if one["state"] == "to_do"]
    assert left["sentence"].startswith("essential_seat from 3 to 5 at 2026-10-01T00:00:00Z")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_contract")


async def by_hand(world: Any, *, quantity: str) -> None:
    """A person sets the seats in the dashboard."""
    [subscription] = (await world.stripe("/v1/subscriptions"))["data"]
    [seats] = [item for item in subscription["items"]["data"] if item.get("quantity") is not None]
    answer = await world.stripe_post(f"/v1/subscription_items/{seats['id']}", quantity=quantity)
    assert answer.status_code == 200, answer.text


async def has_case(world: Any) -> bool:
    return bool(await world.ask("/v1/cases"))
