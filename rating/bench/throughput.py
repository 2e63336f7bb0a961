"""
How fast rating decides on real Kafka and PostgreSQL, its result checked.

    python rating/bench/throughput.py [--signals 400000] [--processes 1] [--state DIR]

Fills `events.accepted` with interleaved conversations (a batch touches about one conversation per signal, the worst
case), 0.5 % of them doubled and 2 % out of order, then starts rating and takes the time until the last offset is
committed. Prints one JSON object; exits 1 where a conversation's net is not what its script says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from running import running

from chassis.bus import BatchProducer, partition_of
from embedded_stack import Stack
from event_schemas.times import iso
from usage_rating.state import decode_conversation

CUSTOMERS = 500
OPEN_AT_ONCE = 40_000
# signals (type, intent) in order, and (charges, reversals) that they ask for at once
SCRIPTS: list[tuple[int, list[tuple[str, str]], tuple[int, int]]] = [
    (
        35,
        [
            ("customer_message", "question"),
            ("ai_answer", ""),
            ("customer_message", "question"),
            ("ai_answer", ""),
            ("customer_message", "other"),
            ("ai_answer", ""),
            ("customer_message", "affirm"),
        ],
        (1, 0),
    ),
    (
        35,
        [
            ("customer_message", "question"),
            ("ai_greeting", ""),
            ("ai_answer", ""),
            ("customer_message", "question"),
            ("ai_question", ""),
            ("customer_message", "other"),
            ("ai_answer", ""),
        ],
        (0, 0),
    ),
    (
        10,
        [
            ("customer_message", "question"),
            ("ai_answer", ""),
            ("customer_message", "human_request"),
            ("escalated", ""),
            ("teammate_reply", ""),
            ("teammate_reply", ""),
        ],
        (0, 0),
    ),
    (
        10,
        [
            ("customer_message", "question"),
            ("ai_answer", ""),
            ("customer_message", "thanks"),
            ("customer_message", "needs_help"),
            ("ai_answer", ""),
            ("customer_message", "other"),
        ],
        (1, 1),
    ),
    (10, [("customer_message", "question"), ("ai_greeting", ""), ("ai_nudge", ""), ("procedure_handoff", "")], (1, 0)),
]


def script_of(number: int) -> tuple[list[tuple[str, str]], tuple[int, int]]:
    """The script of a conversation, by weight."""
    at = number % 100
    for weight, script, expected in SCRIPTS:
        if at < weight:
            return script, expected
        at -= weight
    raise AssertionError


def signals(count: int, seed: int, now: datetime) -> Any:
    """(customer, conversation, record) of `count` signals, interleaved, some doubled, some out of order."""
    rng = random.Random(seed)
    open_: list[list[int]] = []
    next_number, held_back = 0, None
    produced = 0
    while produced < count:
        while len(open_) < OPEN_AT_ONCE:
            open_.append([next_number, 0])
            next_number += 1
        place = rng.randrange(len(open_))
        number, step = open_[place]
        script, _ = script_of(number)
        signal, intent = script[step]
        open_[place][1] += 1
        if open_[place][1] == len(script):
            open_[place] = open_[-1]
            open_.pop()
        customer, conversation = f"customer-{number % CUSTOMERS}", f"conversation-{number:08d}"
        data = {"signal": signal, "channel": "chat", **({"intent": intent} if intent else {})}
        event = {
            "specversion": "1.0",
            "id": f"{number:08d}-{step}",
            "source": "urn:helpdesk:eu",
            "type": "conversation.signal",
            "subject": conversation,
            "time": iso(now - timedelta(minutes=30) + timedelta(seconds=step)),
            "customer": customer,
            "datacontenttype": "application/json",
            "receivedat": iso(now),
            "data": data,
        }
        record = (customer, conversation, json.dumps(event, separators=(",", ":")).encode())
        produced += 1
        if held_back is None and rng.random() < 0.02:
            held_back = record
            continue
        yield record
        if rng.random() < 0.005:
            yield record
        if held_back is not None and rng.random() < 0.2:
            yield held_back
            held_back = None
    if held_back is not None:
        yield held_back


async def fill(bootstrap: str, count: int, seed: int) -> tuple[int, int]:
    """Produce contracts and signals; (records, conversations begun)."""
    producer = BatchProducer(bootstrap, max_waiting_bytes=2_000_000_000, confirm_within_s=120)
    await producer.start()
    partitions = await producer.partitions_for("events.accepted")
    await producer.partitions_for("contracts")
    now = datetime.now(UTC)
    for number in range(CUSTOMERS):
        await _contract(producer, f"customer-{number}", now)
    records = 0
    begun = set()
    for customer, conversation, value in signals(count, seed, now):
        key = f"{customer}\x00{conversation}".encode()
        producer.append("events.accepted", partition_of(customer, conversation, partitions), key, value)
        begun.add(conversation)
        records += 1
        if records % 5_000 == 0:
            await asyncio.sleep(0)
        if records % 50_000 == 0:
            await producer.flush()
    await producer.stop()
    return records, len(begun)


async def _contract(producer: BatchProducer, customer: str, now: datetime) -> None:
    data = {
        "customer": customer,
        "name": customer,
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_anchor": "2020-01-01T00:00:00Z",
        "revision": 1,
        "timeline": [{"effective_from": "2020-01-01T00:00:00Z", "policy": {"version": "standard-1"}}],
    }
    event = {
        "specversion": "1.0",
        "id": f"{customer}/1",
        "source": "urn:bench",
        "type": "contract",
        "subject": customer,
        "time": iso(now),
        "data": data,
    }
    producer.append("contracts", 0, customer.encode(), json.dumps(event).encode())


def cpu_of(processes: list[psutil.Process]) -> float:
    """CPU seconds, user and system, of processes and what they started."""
    total = 0.0
    for process in processes:
        for each in [process, *process.children(recursive=True)]:
            times = each.cpu_times()
            total += times.user + times.system
    return total


async def measure(arguments: argparse.Namespace, stack: Stack, workers: list[psutil.Popen]) -> dict[str, Any]:
    """Wait until all is committed and published; what it took, and whether it is right."""
    parts = stack.status()
    machines = {
        "rating": [psutil.Process(worker.pid) for worker in workers],
        "postgres": [psutil.Process(parts["postgres"]["pid"])],
        "kafka": [psutil.Process(parts["kafka"]["pid"])],
    }
    connection = await asyncpg.connect(stack.urls.database_url)
    try:
        await _until(connection, "SELECT sum(next_offset) > 0 FROM rating.partitions", workers)
        begun = await connection.fetchval("SELECT sum(next_offset)::bigint FROM rating.partitions")
        began, cpu_began = time.monotonic(), {name: cpu_of(those) for name, those in machines.items()}
        records = arguments.records
        await _until(connection, f"SELECT sum(next_offset) >= {records} FROM rating.partitions", workers)
        took = time.monotonic() - began
        cpu = {name: cpu_of(those) - cpu_began[name] for name, those in machines.items()}
        await _until(connection, "SELECT sum(next_seq - 1 - published_seq) = 0 FROM rating.partitions", workers)
        return {
            "signals": records - begun,
            "signals_per_second": round((records - begun) / took),
            "processes": arguments.processes,
            "duration_s": round(took, 2),
            "published_after_s": round(time.monotonic() - began - took, 2),
            "cpu_s_per_100k": {name: round(s / (records - begun) * 100_000, 2) for name, s in cpu.items()},
            **dict(await connection.fetchrow(COUNTED)),
            "hot_updates": await _hot_updates(connection),
            "differences": await _differences(connection, arguments.conversations),
        }
    finally:
        await connection.close()


COUNTED = """
SELECT sum(applied)::bigint AS applied, sum(duplicate)::bigint AS duplicate, sum(seen)::bigint AS conversations,
    (SELECT count(*) FROM rating.ledger) AS entries FROM rating.partitions
"""


async def _until(connection: Any, condition: str, workers: list[psutil.Popen]) -> None:
    while True:
        if await connection.fetchval(condition):
            return
        if any(worker.poll() is not None for worker in workers):
            raise RuntimeError("rating has stopped")
        await asyncio.sleep(0.02)


async def _hot_updates(connection: Any) -> str:
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    row = await connection.fetchrow(
        "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'conversations'"
    )
    return f"{row['n_tup_hot_upd']} of {row['n_tup_upd']}"


async def _differences(connection: Any, conversations: int) -> int:
    """Finished conversations whose charges and reversals are not what their script says."""
    found = await connection.fetch(
        "SELECT subject, count(*) FILTER (WHERE op = 'charge') - count(*) FILTER (WHERE op = 'reverse') AS net "
        "FROM rating.ledger GROUP BY 1"
    )
    nets = {row["subject"]: row["net"] for row in found}
    states = await connection.fetch("SELECT conversation, state FROM rating.conversations")
    differences = conversations - len(states)
    for row in states:
        script, (charges, reversals) = script_of(int(row["conversation"].rpartition("-")[2]))
        if len(decode_conversation(row["state"]).signals) == len(script):
            differences += nets.get(row["conversation"], 0) != charges - reversals
    return differences


def main() -> int:
    """Run once on a stack of its own, or on the one under --state."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=400_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path)
    arguments = parser.parse_args()
    with running(arguments.state) as rating:
        urls = rating.stack.urls
        filled = asyncio.run(fill(urls.kafka_bootstrap_servers, arguments.signals, arguments.seed))
        arguments.records, arguments.conversations = filled
        for _ in range(arguments.processes):
            sys.stderr.write(f"rating runs as process {rating.serve().pid}\n")
        result = asyncio.run(measure(arguments, rating.stack, rating.processes))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 1 if result["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
