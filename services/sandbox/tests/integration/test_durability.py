"""What was answered is never lost: the database away, the process told to stop, the process killed."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import httpx

from embedded_stack import Stack
from embedded_stack.processes import Services
from sandbox.testing import OCTOBER, Driver


async def flood(sandbox: Driver, answered: set[str], *, lanes: int = 8) -> None:
    """Create meter events until the sandbox is gone; identifiers of those that were answered 200."""

    async def lane(number: int) -> None:
        customer = await sandbox.a_customer(name=str(number))
        for turn in range(10_000):
            identifier = f"{number}-{turn}"
            form = {
                "event_name": "resolution",
                "identifier": identifier,
                "payload[value]": "1",
                "payload[stripe_customer_id]": customer.id,
                "timestamp": str(OCTOBER),
            }
            try:
                answer = await sandbox.raw("POST", "/v1/billing/meter_events", data=form)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                answered.add(identifier)

    await asyncio.gather(*(lane(number) for number in range(lanes)))


async def enough(answered: set[str]) -> None:
    """Return once a few hundred were answered."""
    async with asyncio.timeout(20):
        while len(answered) < 200:  # it grows in another task
            await asyncio.sleep(0.01)


async def held(sandbox: Driver) -> set[str]:
    """Identifiers that the sandbox holds."""
    customers = (await sandbox.control("GET", "dump"))["customers"].values()
    dumps = [await sandbox.control("GET", f"dump?customer={customer}") for customer in customers]
    return {row["identifier"] for dump in dumps for row in dump["usage"]}


async def test_a_stop_under_load_loses_nothing(sandbox: Driver, services: Services) -> None:
    """SIGTERM: requests under way are still committed and answered, and the process ends."""
    await sandbox.a_meter()
    answered: set[str] = set()
    flooding = asyncio.create_task(flood(sandbox, answered))
    await enough(answered)
    await asyncio.to_thread(services.stop, "sandbox")
    await flooding
    services.restart("sandbox")
    await asyncio.to_thread(services.wait_ready, "sandbox")

    assert answered <= await held(sandbox)


async def test_a_kill_under_load_loses_nothing(sandbox: Driver, services: Services) -> None:
    """SIGKILL: what was answered was committed before."""
    await sandbox.a_meter()
    answered: set[str] = set()
    flooding = asyncio.create_task(flood(sandbox, answered))
    await enough(answered)
    services.kill("sandbox", signal.SIGKILL)
    await flooding
    services.restart("sandbox")
    await asyncio.to_thread(services.wait_ready, "sandbox")

    kept = await held(sandbox)
    assert answered <= kept
    assert len(kept) - len(answered) <= 8  # at most what was under way in each lane


async def test_what_was_sold_outlives_a_kill(sandbox: Driver, services: Services) -> None:
    """Pending prorations, discounts and what was billed for which time: half of 31.00, more seats for 16 days."""
    coupon = await sandbox.v1.coupons.create_async({"percent_off": 50, "duration": "forever"})
    price, customer = await sandbox.a_price(unit_amount=3100), await sandbox.a_customer()
    made = await sandbox.a_subscription(customer.id, {"price": price.id}, discounts=[{"coupon": coupon.id}])
    await sandbox.advance("2026-10-16T00:00:00Z")
    item = made["items"].data[0].id
    await sandbox.v1.subscription_items.update_async(item, {"quantity": 2})

    services.kill("sandbox", signal.SIGKILL)
    services.restart("sandbox")
    await asyncio.to_thread(services.wait_ready, "sandbox")
    await sandbox.v1.subscription_items.update_async(item, {"quantity": 3})
    await sandbox.advance("2026-11-01T00:00:00Z")

    renewal = (await sandbox.invoices(customer.id))[0]
    assert [line.amount for line in renewal.lines.data] == [2400, -1600, 1600, -800, 9300]
    assert renewal.total == 1600 + 4650


async def test_an_answer_waits_for_a_database_that_is_away(sandbox: Driver, stack: Stack) -> None:
    """PostgreSQL is killed: a request waits, and is answered once it is back; nothing is answered in between."""
    before: Any = await sandbox.a_customer(name="before")
    stack.kill("postgres")
    waiting = asyncio.create_task(sandbox.a_customer(name="while it was away"))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    stack.postgres_only()
    after = await waiting

    assert not done
    names = [c.name for c in (await sandbox.v1.customers.list_async({"limit": 10})).data]
    assert names == ["while it was away", "before"]
    assert (before.id, after.id) != (None, None)
