"""Usage at a fixed rate over many lanes: all of it goes out once. What that took is printed; `make bench` judges."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import psutil
import pytest

from event_schemas.wire import RatedEntry
from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CUSTOMERS = 2_000
RATE = 500
SECONDS = 8


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@pytest.mark.timeout(600)
async def test_500_charges_a_second_over_2000_customers_all_reach_stripe_once(world: Any) -> None:
    await world.start_door(
        API_CALLS_PER_SECOND="2000", PARALLEL_CUSTOMERS="32", LEASE_S="15", SWEEP_S="60", SCAN_S="1", PUBLIC_URL=""
    )
    contracts = [a_contract(f"c{n}", licensed=[]) for n in range(CUSTOMERS)]
    began = time.monotonic()
    await world.apply(*contracts)
    await world.quiet(START, within_s=300)
    setup_s = time.monotonic() - began
    await world.step(START + timedelta(hours=1))
    await world.quiet(START + timedelta(hours=1))

    made: dict[str, float] = {}
    cpu_before = _cpu(world.door.pid)
    began = time.monotonic()
    for tick in range(SECONDS * 20):
        entries: list[RatedEntry] = []
        for n in range(RATE // 20):
            number = tick * (RATE // 20) + n
            entries.append(
                a_charge(
                    f"s{number}",
                    seq=number + 1,
                    at=START + timedelta(microseconds=number),
                    customer=f"c{number * 7919 % CUSTOMERS}",
                )
            )
            made[f"s{number}"] = time.time()
        await world.rate(*entries)
        await asyncio.sleep(max(0.0, began + (tick + 1) / 20 - time.monotonic()))
    await world.quiet(START + timedelta(hours=1), within_s=60)
    took_s = time.monotonic() - began
    cpu_s = _cpu(world.door.pid) - cpu_before

    rows = await world.rows("SELECT identifier, settled_at, calls FROM invoicing.deliveries WHERE state = 'delivered'")
    late = sorted(row["settled_at"].timestamp() - made[row["identifier"]] for row in rows)
    figures = {
        "delivered": len(late),
        "calls": sum(row["calls"] for row in rows),
        "p50_s": round(late[len(late) // 2], 3),
        "p99_s": round(late[int(len(late) * 0.99)], 3),
        "door_cpu_s_per_1000": round(cpu_s / len(late) * 1000, 3),
        "took_s": round(took_s, 1),
        "contracts_s": round(setup_s, 1),
    }
    print(json.dumps(figures))
    assert len(rows) == RATE * SECONDS
    assert {row["identifier"] for row in rows} == set(made)
