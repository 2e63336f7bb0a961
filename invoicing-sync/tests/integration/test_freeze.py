"""Periods freeze by issuer: what comes late is on its own invoice, or a correction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


async def test_an_issuer_that_freezes_after_three_days_needs_no_correction(world: Any) -> None:
    """The same late entry for both: recorded 60 hours after the month's end."""
    await world.start_door(FREEZE_AFTER="settled-ie=72h")
    await world.apply(a_contract(), a_contract("globex", issuer="settled-ie"))
    await world.quiet(START)
    await world.move(END)
    late = [
        a_charge(f"{customer}-late", seq=number, at=END - DAY, recorded_at=END + 60 * HOUR, customer=customer)
        for number, customer in enumerate(("acme", "globex"), 1)
    ]
    await world.move(END + 60 * HOUR)
    await world.rate(*late)
    await world.move(END + 61 * HOUR)

    assert await issued(world, "acme") == 11700
    assert await issued(world, "globex") is None
    await world.move(END + 72 * HOUR + 2 * MINUTE)

    assert await issued(world, "globex") == 11700 + 99
    corrections = await world.ask("/v1/corrections")
    assert [(one["customer"], one["reason"]) for one in corrections] == [("acme", "after_freeze")]


async def issued(world: Any, customer: str) -> int | None:
    """The total of the month's invoice, once it is issued."""
    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [total] = [i["released_at"] and i["total_minor"] for i in invoices if i["billing_reason"] == "subscription_cycle"]
    return total


async def test_an_open_period_freezes_by_the_settings_of_the_latest_start(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    world.stop_door()

    await world.start_door(FREEZE_AFTER_MINUTES="4320")
    await world.quiet(START)

    [period] = [p for p in await world.ask("/v1/periods") if p["number"] == 0]
    assert period["freeze_at"] == "2026-11-04T00:00:00Z"


async def test_a_late_freeze_without_drafts_that_wait_stops_the_start(world: Any) -> None:
    await world.start_door(FREEZE_AFTER="settled-us=72h", KEEP_DRAFTS="0", SETTLED_FAILPOINT="")

    assert await world.door_dies() != 0
    log = (world.logs / "door.log").read_text()
    assert "needs KEEP_DRAFTS: Stripe's draft lasts an hour" in log
