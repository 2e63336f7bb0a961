"""Two doors share the sending; one that dies or stands still is replaced, and its late steps change nothing."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import pytest

from embedded_stack.children import free_port
from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def test_a_door_that_stood_still_is_replaced_and_stops_when_it_wakes(world: Any) -> None:
    await world.start_door(INSTANCE_NAME="door-1")
    await world.apply(a_contract())
    await world.move(START + 2 * DAY)
    first = world.door
    world.door_port = free_port()
    world.door_url = f"http://127.0.0.1:{world.door_port}"
    await world.start_door(INSTANCE_NAME="door-2")
    await world.fault("slow", path="/v1/billing/meter_events", delay_ms=300)
    await world.rate(*(a_charge(f"e{n}", seq=n, at=START + DAY) for n in range(1, 21)))
    await world.until(lambda: sending(world))

    first.send_signal(signal.SIGSTOP)
    await world.no_faults()
    await world.quiet(START + 2 * DAY)
    assert await world.counted() == {f"e{n}": "1" for n in range(1, 21)}
    first.send_signal(signal.SIGCONT)

    try:
        await world.until(lambda: ended(first))
        assert first.returncode == 1  # it found that another holds its role
        await world.move(START + 3 * DAY)
        assert await world.counted() == {f"e{n}": "1" for n in range(1, 21)}
    finally:
        first.kill()


async def sending(world: Any) -> bool:
    return bool(await world.rows("SELECT 1 FROM invoicing.deliveries WHERE state = 'delivered'"))


async def ended(process: Any) -> bool:
    return process.poll() is not None
