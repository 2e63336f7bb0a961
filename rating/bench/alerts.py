"""
How soon an alert follows its charge under load, and how fast `may-run` answers meanwhile.

    python rating/bench/alerts.py [--customers 200] [--rate 2000] [--seconds 30] [--state DIR]

Every customer has a threshold each 5 resolutions and a hard limit. Signals that charge at once are sent at a fixed
rate; for each `usage.alert` the time is taken from the `recorded_at` of the charge that reached its units to the moment
at which the alert was read from the bus. Meanwhile a client, a process of its own, asks `may-run` of a rating process
that decides nothing (DECIDE=false). Prints one JSON object; exits 1 where an alert is missing, told twice, or later
than 5 s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from running import PARTITIONS, running

from chassis.bus import BatchProducer, partition_of
from chassis.testing import bearer
from embedded_stack.children import free_port
from event_schemas.contract_v2.testing import a_document, clause
from event_schemas.times import parse_instant
from usage_rating.testing import a_signal

STEP, BOUND_S = 5, 5.0
Heard = dict[str, Any]


def contract(customer: str, thresholds: list[int]) -> bytes:
    """A contract of version 2 with thresholds and a hard limit."""
    start = "2020-01-01T00:00:00Z"
    document = a_document(
        customer=customer,
        billing_anchor=start,
        alerts=[clause("told", meter="resolution", thresholds=thresholds) | {"from": start}],
        limits=[clause("most", meter="resolution", quantity=thresholds[-1]) | {"from": start}],
    )
    envelope = {"specversion": "1.0", "type": "contract", "id": f"{customer}/1", "source": "urn:bench"}
    return json.dumps({**envelope, "subject": customer, "time": start, "data": document}).encode()


async def agree(bootstrap: str, customers: list[str], thresholds: list[int]) -> None:
    """Publish the contracts."""
    producer = BatchProducer(bootstrap)
    await producer.start()
    for customer in customers:
        producer.append("contracts", 0, customer.encode(), contract(customer, thresholds))
    await producer.stop()


async def send(bootstrap: str, customers: list[str], per_second: int, seconds: int) -> int:
    """Send conversations of three signals, each charged at once, at a fixed rate; how many of each customer."""
    producer = BatchProducer(bootstrap)
    await producer.start()
    began, number = time.monotonic(), 0
    each = per_second * seconds // len(customers)
    while number < each * len(customers):
        for _ in range(max(1, per_second // 50)):
            customer = customers[number % len(customers)]
            _append(producer, customer, f"c{number}")
            number += 1
            if number == each * len(customers):
                break
        ahead = number / per_second - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)
    await producer.stop()
    return each


def _append(producer: BatchProducer, customer: str, conversation: str) -> None:
    now = datetime.now(UTC)
    partition = partition_of(customer, conversation, PARTITIONS)
    told: tuple[tuple[str, dict[str, str]], ...] = (
        ("customer_message", {"intent": "question"}),
        ("ai_answer", {}),
        ("customer_message", {"intent": "affirm"}),
    )
    for place, (signal, data) in enumerate(told):
        at = now + timedelta(microseconds=place)
        value = a_signal(signal, at, conversation=conversation, customer=customer, received_at=at, **data)
        producer.append("events.accepted", partition, f"{customer}\x00{conversation}".encode(), value)


async def hear(bootstrap: str, topic: str, partitions: int, heard: list[tuple[float, Heard]]) -> None:
    """Read a topic from now on until cancelled, with the moment at which each record was read."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
    await consumer.start()
    try:
        assigned = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(assigned)
        await consumer.seek_to_beginning(*assigned)
        while True:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                at = time.time()
                heard += [(at, json.loads(record.value)["data"]) for record in records]
    finally:
        await consumer.stop()


def ask(url: str, header: dict[str, str], customers: list[str], told: Connection) -> None:
    """Ask one question after another until told to stop; then tell how long each took, in milliseconds."""
    took_ms: list[float] = []
    with httpx.Client(base_url=url, headers=header) as client:
        while not told.poll(0.005):
            path = f"/v1/customers/{customers[len(took_ms) % len(customers)]}/may-run"
            began = time.monotonic()
            client.get(path).raise_for_status()
            took_ms.append((time.monotonic() - began) * 1000)
    told.send(took_ms)


async def measure(arguments: argparse.Namespace, bootstrap: str, url: str, header: dict[str, str]) -> dict[str, Any]:
    """Run the load; figures, and what is wrong."""
    customers = [f"customer-{number}" for number in range(arguments.customers)]
    most = arguments.rate * arguments.seconds // len(customers)
    thresholds = [STEP * number for number in range(1, min(20, most // STEP) + 1)]
    await agree(bootstrap, customers, thresholds)
    await _until_ready(url, header, customers)
    rated: list[tuple[float, Heard]] = []
    alerts: list[tuple[float, Heard]] = []
    told, tells = multiprocessing.Pipe()
    asker = multiprocessing.get_context("spawn").Process(target=ask, args=(url, header, customers, tells))
    asker.start()
    beside = [
        asyncio.create_task(hear(bootstrap, "usage.rated", PARTITIONS, rated)),
        asyncio.create_task(hear(bootstrap, "usage.alerts", 1, alerts)),
    ]
    await send(bootstrap, customers, arguments.rate, arguments.seconds)
    expected = len(customers) * (len(thresholds) + 1)
    for _ in range(400):
        if len(alerts) >= expected and len(rated) >= most * len(customers):
            break
        await asyncio.sleep(0.05)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    told.send("enough")
    took_ms: list[float] = await asyncio.to_thread(told.recv)
    asker.join()
    delays = _delays(rated, alerts)
    once = {(a["customer"], a["kind"], a["units"], a["ordinal"]) for _, a in alerts}
    return {
        "charges_per_second": arguments.rate,
        "charges": len(rated),
        "alerts": len(alerts),
        "expected_alerts": expected,
        "told_twice": len(alerts) - len(once),
        "delay_s": _spread(delays),
        "may_run_ms": _spread(took_ms),
        "may_run_asked": len(took_ms),
    }


async def _until_ready(url: str, header: dict[str, str], customers: list[str]) -> None:
    async with httpx.AsyncClient(base_url=url, headers=header) as client:
        for customer in customers:
            while True:
                try:
                    if (await client.get(f"/v1/customers/{customer}/may-run")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)


def _delays(rated: list[tuple[float, Heard]], alerts: list[tuple[float, Heard]]) -> list[float]:
    """Seconds from the charge that made the count reach the units, in order of `recorded_at`, to its alert."""
    reached: dict[tuple[str, int], float] = {}
    counts: dict[str, int] = {}
    moments = sorted((parse_instant(entry["recorded_at"]), entry["customer"]) for _, entry in rated)
    for recorded_at, customer in moments:
        counts[customer] = counts.get(customer, 0) + 1
        reached[customer, counts[customer]] = recorded_at.timestamp()
    return [at - reached[alert["customer"], alert["units"]] for at, alert in alerts]


def _spread(values: list[float]) -> dict[str, float]:
    cuts = quantiles(values, n=1000) if len(values) > 1 else values * 999
    return {"p50": round(cuts[499], 3), "p99": round(cuts[989], 3), "max": round(max(values), 3)}


def main() -> int:
    """Run once on a stack of its own, or on the one under --state."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--rate", type=int, default=2000, help="charges a second, each of three signals")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--state", type=Path)
    arguments = parser.parse_args()
    with running(arguments.state) as rating:
        port = str(free_port())
        rating.serve(DECIDE="true")
        rating.serve(DECIDE="false", PORT=port)
        header, url = bearer(rating.env["SERVICE_KEY"]), f"http://127.0.0.1:{port}"
        bootstrap = rating.stack.urls.kafka_bootstrap_servers
        result = asyncio.run(measure(arguments, bootstrap, url, header))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    wrong = result["alerts"] != result["expected_alerts"] or result["told_twice"] or result["delay_s"]["max"] > BOUND_S
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
