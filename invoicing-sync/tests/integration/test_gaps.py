"""
Dying in every gap between two writes: afterwards nothing is doubled and nothing is lost.

All gaps live in one world, each with a customer and a month of its own: a contract, charges, a reversal, an error that
Stripe reports later, the freeze, the invoice. The door is armed with one gap, dies there once, and is started again.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from event_schemas.times import month_after
from invoicing_sync.gaps import GAPS
from invoicing_sync.stripe_door.notices import SNAPSHOT_TYPES
from invoicing_sync.testing import a_charge, a_contract, a_reversal

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
SIGKILL = -9
MINUTE = timedelta(minutes=1)


OF_ITEMS = {gap for gap in GAPS if gap.startswith("item-")}  # died in by test_explicit_usage.py
OF_PLANS = {gap for gap in GAPS if gap.startswith(("operation-", "terms-", "plan-"))}  # by test_version_2_gaps.py
OF_CORRECTIONS = {gap for gap in GAPS if gap.startswith("credit-")}  # by test_crediting.py
OF_CORRECTIONS |= {"corrections-carried"}  # by test_prior_periods.py


@pytest.mark.parametrize("gap", sorted(GAPS.keys() - OF_ITEMS - OF_PLANS - OF_CORRECTIONS))
async def test_a_door_that_dies_in_the_gap_doubles_and_loses_nothing(long_world: Any, gap: str) -> None:
    world, month = long_world, long_world.months
    world.months, customer = month + 1, f"c{month}"
    start, end = world.at, month_after(world.at, 1)
    day6, seq = start + timedelta(days=6), world.seq
    world.may_die, world.deaths = True, []
    world.stop_door(signal.SIGKILL)
    await world.start_door(SETTLED_FAILPOINT=f"invoicing-sync.{gap}")

    # whoever is charged has no card: the payment fails, and the invoice is handed over open, like one that is sent
    method = "charge_automatically" if gap == "collection-switched" else "send_invoice"
    await world.apply(a_contract(customer, billing_anchor=start, collection_method=method))
    await world.quiet(start)
    await report_an_unknown_customer(world)
    charges = [
        a_charge(f"{customer}-e{n}", seq=seq + n, at=start + timedelta(days=n), customer=customer) for n in range(1, 6)
    ]
    await world.step(day6)
    await world.rate(*charges)
    await world.progress(day6 - MINUTE)
    await world.quiet(day6)
    await world.rate(a_reversal(f"{customer}-r5", charges[4], seq=seq + 6, recorded_at=day6))
    world.seq = seq + 10  # the numbers that this month does not use
    await fill(world, customer, seq, day6)
    await world.quiet(day6)
    await world.move(end - timedelta(hours=1))
    await world.move(end)
    await world.move(end + 32 * MINUTE)
    await world.until(lambda: errors_are_known(world, month + 1))

    assert world.deaths == [SIGKILL], f"the door never reached {gap}, or died otherwise: {world.door_said()}"
    await nothing_is_doubled_and_nothing_lost(world, customer, month)


async def fill(world: Any, customer: str, seq: int, at: Any) -> None:
    """The rest of this month's sequence numbers, as entries that bill nothing."""
    nothing = [
        a_charge(f"{customer}-z{n}", seq=seq + n, at=at - MINUTE, customer=customer, quantity="0") for n in range(7, 11)
    ]
    await world.rate(*nothing)
    await world.progress(at - MINUTE)


async def report_an_unknown_customer(world: Any) -> None:
    """Stripe finds out after its 2xx, and says so by a thin event alone."""
    payload = {"event_name": "resolution", "payload[stripe_customer_id]": "cus_nobody", "payload[value]": "1"}
    assert (await world.stripe_post("/v1/billing/meter_events", **payload)).status_code == 200


async def errors_are_known(world: Any, count: int) -> bool:
    await world.revive()
    return [case["count"] for case in await world.ask("/v1/cases") if case["kind"] == "meter_error"] == [count]


async def nothing_is_doubled_and_nothing_lost(world: Any, customer: str, month: int) -> None:
    for path, count in {"customers": month + 1, "prices": 2, "products": 2, "billing/meters": 1}.items():
        assert len((await world.stripe(f"/v1/{path}", limit=100))["data"]) == count, path
    stripe_customer = (await world.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
    assert len((await world.stripe("/v1/subscriptions", customer=stripe_customer))["data"]) == 1
    assert await world.counted(customer) == {f"{customer}-e{n}": "1" for n in range(1, 5)}

    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    assert sorted((i["billing_reason"], i["status"], i["total_minor"]) for i in invoices) == [
        ("subscription_create", "open", 11700),
        ("subscription_cycle", "open", 11700 + 396),
    ]
    issued = {i["id"] for i in invoices if i["released_at"]}
    assert len(issued) == 2
    assert [case["kind"] for case in await world.ask("/v1/cases")] == ["meter_error"]
    sent = await world.rows(
        "SELECT body->'data'->'object'->>'id' AS invoice, count(*) AS times FROM invoicing.webhooks "
        "WHERE type IN ('invoice.sent', 'invoice.payment_failed') GROUP BY 1"
    )
    assert {row["invoice"]: row["times"] for row in sent if row["invoice"] in issued} == dict.fromkeys(issued, 1)

    listed = (await world.stripe("/v1/events", limit=100))["data"]
    stored = {row["event_id"] for row in await world.rows("SELECT event_id FROM invoicing.webhooks")}
    assert {event["id"] for event in listed if event["type"] in SNAPSHOT_TYPES} <= stored
    assert set(Counter(await stripe_events(world))) == stored


async def stripe_events(world: Any) -> list[str]:
    """The ids on `stripe.events`."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.env["KAFKA_BOOTSTRAP_SERVERS"], auto_offset_reset="earliest")
    await consumer.start()
    try:
        count = await world.producer.partitions_for("stripe.events")
        partitions = [TopicPartition("stripe.events", number) for number in range(count)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[str] = []
        async with asyncio.timeout(20):
            while len(found) < sum(ends.values()):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [json.loads(record.value)["id"] for record in records]
        return found
    finally:
        await consumer.stop()
