"""A call that stayed without an answer for 20 hours: Stripe may have forgotten the identifier, so its sums decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
AT = START + DAY
TOO_LATE = START + 2 * DAY + timedelta(hours=21)
EVENTS = "/v1/billing/meter_events"


async def a_doubtful_charge(world: Any, fault: str) -> None:
    """One charge whose call stays unclear."""
    await world.start_door(CALL_TIMEOUT_S="2", RETRY_CAP_S="1")
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + 2 * DAY)
    await world.fault(fault, path=EVENTS, delay_ms=8_000)
    await world.rate(a_charge("e1", seq=1, at=AT))
    if fault == "timeout_after_commit":
        await world.until(lambda: is_counted(world))
        await world.fault("rate_limit_429", path=EVENTS)  # nothing gets through from here on
    await world.until(lambda: is_unclear(world))


async def test_what_the_sum_holds_is_delivered_and_not_sent_again(world: Any) -> None:
    await a_doubtful_charge(world, "timeout_after_commit")

    await world.step(TOO_LATE)
    await world.quiet(TOO_LATE)  # while every call with an event is still refused

    [delivery] = await world.ask("/v1/deliveries")
    assert delivery["state"] == "delivered"
    assert await world.counted() == {"e1": "1"}
    assert await world.ask("/v1/cases") == []


async def test_what_the_sum_does_not_hold_is_sent_again(world: Any) -> None:
    await a_doubtful_charge(world, "error_500_before_commit")
    assert await world.counted() == {}

    await world.step(TOO_LATE)
    await world.no_faults()
    await world.quiet(TOO_LATE)

    assert await world.counted() == {"e1": "1"}
    assert await world.ask("/v1/cases") == []


async def test_a_sum_that_fits_neither_is_a_case_and_nothing_is_sent(world: Any) -> None:
    await a_doubtful_charge(world, "error_500_before_commit")
    stripe_customer = (await world.ask("/v1/contracts/acme"))["stripe_customer"]
    extra = {"event_name": "resolution", "value": "7", "timestamp": int(AT.timestamp())}
    await world.plant("extra", customer=stripe_customer, **extra)

    await world.step(TOO_LATE)
    await world.no_faults()
    await world.until(lambda: has_a_case(world))

    assert await is_unclear(world)
    assert "e1" not in await world.counted()


async def is_counted(world: Any) -> bool:
    return "e1" in await world.counted()


async def is_unclear(world: Any) -> bool:
    return [d["state"] for d in await world.ask("/v1/deliveries")] == ["unclear"]


async def has_a_case(world: Any) -> bool:
    return [case["kind"] for case in await world.ask("/v1/cases")] == ["unclear_delivery"]
