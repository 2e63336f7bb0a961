"""One month through the running door, with real PostgreSQL and Kafka, against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration
OCTOBER_END = START.replace(month=11)


async def test_a_contract_becomes_a_subscription_and_an_entry_a_meter_event(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)

    await world.step(START + timedelta(days=2))
    await world.rate(a_charge("e1", seq=1, at=START + timedelta(days=1)))
    await world.progress(START + timedelta(days=2))
    await world.quiet(START + timedelta(days=2))

    assert await world.counted() == {"e1": "1"}
    [first] = (await world.ask("/v1/invoices", customer="acme"))["invoices"]
    assert (first["status"], first["total_minor"], first["billing_reason"]) == ("open", 11700, "subscription_create")


async def test_a_month_is_frozen_compared_and_finalised(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    days = [START + timedelta(days=n) for n in range(31)]

    charges = [a_charge(f"e{n}", seq=n + 1, at=days[n]) for n in range(20)]
    await world.move(days[20])
    await world.rate(*charges)
    await world.move(days[21])
    back = a_reversal("r1", charges[19], seq=21, recorded_at=days[21])
    await world.rate(back)
    await world.move(days[22])
    await world.move(OCTOBER_END)
    await world.move(OCTOBER_END + timedelta(minutes=32))

    invoices = (await world.ask("/v1/invoices", customer="acme", period=START.isoformat()))["invoices"]
    [invoice] = [one for one in invoices if one["billing_reason"] == "subscription_cycle"]
    assert invoice["status"] == "open"
    assert invoice["total_minor"] == 11700 + 1881  # 3 seats at 39 in advance, 19 resolutions at 0.99
    [usage] = [line for line in invoice["lines"] if line["kind"] == "usage"]
    assert (usage["charges"], usage["reversals"], usage["net"]) == (20, 1, "19")
    behind = await world.ask(f"/v1/invoices/{invoice['id']}/lines/{usage['id']}/entries")
    assert len(behind["entries"]) == 21
    assert await world.ask("/v1/cases") == []
