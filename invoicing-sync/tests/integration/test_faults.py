"""Stripe on its bad days: everything is counted once, and all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
EVENTS = "/v1/billing/meter_events"


async def ready(world: Any, **settings: str) -> None:
    await world.start_door(**settings)
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + 2 * DAY)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limit_429", "path": EVENTS, "probability": 0.5, "duration_s": 3},
        {"kind": "error_500_before_commit", "path": EVENTS, "probability": 0.5, "count": 15},
        {"kind": "error_500_after_commit", "path": EVENTS, "probability": 0.5, "count": 15},
        {"kind": "timeout_after_commit", "path": EVENTS, "probability": 0.5, "count": 6, "delay_ms": 4000},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_every_event_is_counted_once_whatever_stripe_answers(world: Any, fault: dict[str, Any]) -> None:
    await ready(world, CALL_TIMEOUT_S="1")
    await world.fault(**fault)

    charges = [a_charge(f"e{n}", seq=n, at=START + DAY + timedelta(minutes=n)) for n in range(1, 21)]
    await world.rate(*charges)
    await world.quiet(START + 2 * DAY, within_s=60)

    assert await world.counted() == {f"e{n}": "1" for n in range(1, 21)}
    assert await world.ask("/v1/cases") == []


async def test_a_storm_over_everything_delays_contracts_and_invoices_and_changes_nothing(world: Any) -> None:
    await world.fault("rate_limit_429", path="/v1", probability=0.3, duration_s=8)
    await world.fault("error_500_after_commit", path="/v1", probability=0.15, count=12)
    await world.start_door()
    await world.apply(a_contract(), a_contract("globex"))
    await world.quiet(START, within_s=90)

    for path, count in {"customers": 2, "subscriptions": 2, "prices": 2, "products": 2, "billing/meters": 1}.items():
        await world.no_faults()
        assert len((await world.stripe(f"/v1/{path}", limit=100))["data"]) == count, path


async def test_applying_twice_writes_nothing_at_stripe(world: Any) -> None:
    await ready(world)
    before = await writes(world)

    again = a_contract(revision=2)
    await world.apply(again)
    await world.quiet(START + 2 * DAY)
    world.stop_door()
    await world.start_door()
    await world.apply(again)
    await world.quiet(START + 2 * DAY)

    assert await writes(world) == before
    assert (await world.ask("/v1/contracts/acme"))["applied_revision"] == 2


async def writes(world: Any) -> dict[str, int]:
    """Requests that change something at Stripe, by path."""
    operations = (await world.conformance())["operations"]
    return {one["path"]: one["count"] for one in operations if one["method"] != "GET"}


async def test_a_new_address_reaches_stripes_customer(world: Any) -> None:
    await ready(world)
    [before] = (await world.stripe("/v1/customers"))["data"]

    await world.apply(a_contract(revision=2, billing_email="finance@acme.example"))
    await world.quiet(START + 2 * DAY)

    [after] = (await world.stripe("/v1/customers"))["data"]
    assert (before["email"], after["email"]) == ("billing@acme.example", "finance@acme.example")


async def test_a_change_of_prices_is_set_aside_with_a_case_and_the_old_terms_stay(world: Any) -> None:
    await ready(world)

    dearer = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "1.99"}}]
    await world.apply(a_contract(revision=2, metered=dearer))
    await world.quiet(START + 2 * DAY)

    [case] = await world.ask("/v1/cases")
    assert (case["kind"], case["detail"]["asked"]) == ("contract_change_not_supported", 2)
    assert (await world.ask("/v1/contracts/acme"))["applied_revision"] == 1


async def test_reversals_take_the_way_that_the_clock_allows(world: Any) -> None:
    await ready(world)
    at = START + DAY
    young, old = a_charge("young", seq=2, at=at + timedelta(minutes=1)), a_charge("old", seq=1, at=at)
    await world.rate(old)
    await world.quiet(START + 2 * DAY)
    await world.move(START + 4 * DAY)  # `old` was received two days ago
    await world.rate(young)
    await world.quiet(START + 4 * DAY)

    now = START + 4 * DAY
    charge = a_charge("never", seq=3, at=now + timedelta(hours=1), recorded_at=now)
    await world.rate(
        a_reversal("r-old", old, seq=4, recorded_at=now),
        a_reversal("r-young", young, seq=5, recorded_at=now),
        charge,
        a_reversal("r-never", charge, seq=6, recorded_at=now),
    )
    await world.quiet(now)  # the way is chosen by when Stripe received the charge: not a day later
    await world.move(START + 5 * DAY)

    deliveries = {d["identifier"]: d for d in await world.ask("/v1/deliveries")}
    assert {name: (d["state"], d["by_adjustment"], d["calls"]) for name, d in deliveries.items()} == {
        "old": ("delivered", False, 1),
        "r-old": ("delivered", False, 1),  # a negative event
        "young": ("cancelled", False, 1),
        "r-young": ("delivered", True, 1),  # an adjustment
        "never": ("netted", False, 0),
        "r-never": ("netted", False, 0),
    }
    assert await world.counted() == {"old": "1", "r-old": "-1"}


async def test_a_reversal_that_comes_before_its_charge_waits_for_it(world: Any) -> None:
    await ready(world)
    charge = a_charge("e1", seq=1, at=START + DAY)

    await world.rate(a_reversal("r1", charge, seq=2, recorded_at=START + DAY))
    await world.until(lambda: has(world, "r1", "waiting_for_charge"))
    await world.rate(charge)
    await world.quiet(START + 2 * DAY)

    assert await world.counted() == {}
    assert {d["state"] for d in await world.ask("/v1/deliveries")} <= {"netted", "cancelled", "delivered"}


async def test_entries_that_come_before_their_contract_wait_for_it(world: Any) -> None:
    await world.start_door()
    await world.step(START + DAY)
    await world.rate(a_charge("e1", seq=1, at=START + DAY))
    await world.until(lambda: has(world, "e1", "waiting_for_contract"))

    await world.apply(a_contract())
    await world.quiet(START + DAY)

    assert await world.counted() == {"e1": "1"}
    [case] = await world.ask("/v1/cases")  # the contract came after its anchor
    assert case["kind"] == "first_period_not_billed_in_advance"


async def has(world: Any, identifier: str, state: str) -> bool:
    return any(d["identifier"] == identifier for d in await world.ask("/v1/deliveries", state=state))
