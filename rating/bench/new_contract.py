"""
What a new contract of one large customer costs the others: a million conversations touched while theirs go on.

    python rating/bench/new_contract.py [--conversations 1000000] [--rate 300] [--state DIR]

Writes the large customer's conversations by SQL, then sends other customers' signals at a fixed rate, each of which
charges at once, and takes the time until its entry is on `usage.rated`: first with nothing else to do, then while a
policy for the future is applied, then while one is that can change every conversation of the large customer. Prints
one JSON object; exits 1 where the others' p99 has doubled, the future has touched anything, or a net is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from running import PARTITIONS, running

from chassis.bus import BatchProducer, partition_of
from embedded_stack import Stack
from event_schemas.times import iso, to_micros
from usage_rating.domain.days import day_of
from usage_rating.domain.entries import Held
from usage_rating.domain.policy import DAY, HOUR
from usage_rating.domain.ranks import AI_ANSWER, CUSTOMER_MESSAGE, TEAMMATE_REPLY
from usage_rating.domain.signal import Signal
from usage_rating.state import ConversationState, encode_state

DAYS, OTHERS = 30, 50
WARM_UP_S, ALONE_S = 10, 30
TAKEN_OVER = 10  # one in so many had a teammate in its window: the new policy reverses its charge

FILL = """
INSERT INTO rating.conversations (customer, conversation, partition, state, status, last_day)
SELECT 'large', 'c' || n, n % $1, ($2::bytea[])[1 + n % cardinality($2::bytea[])], 'charged',
    ($3::int[])[1 + n % cardinality($3::int[])]
FROM generate_series($4::int, $5::int) AS n
"""


def states(now: datetime) -> tuple[list[bytes], list[int]]:
    """A conversation of each of the last days, one in ten with a teammate's reply in its window; and their days."""
    encoded, days = [], []
    for number in range(DAYS * TAKEN_OVER):
        at = (to_micros(now) // DAY - 2 - number % DAYS) * DAY
        signals = [
            Signal(at, CUSTOMER_MESSAGE, "urn:helpdesk:eu", f"{number}-1", "question"),
            Signal(at + 60_000_000, AI_ANSWER, "urn:helpdesk:eu", f"{number}-2"),
        ]
        if number < DAYS:
            signals.append(Signal(at + 120_000_000, TEAMMATE_REPLY, "urn:helpdesk:eu", f"{number}-3"))
        held = (Held("charge", "resolution", at + 60_000_000 + 24 * HOUR),)
        encoded.append(encode_state(ConversationState(tuple(signals), (), held, 0)))
        days.append(day_of(at))
    return encoded, days


def a_contract(customer: str, revision: int, *, takeover_from: str | None = None) -> bytes:
    """A contract's record; with a teammate's takeover voiding the window from an instant on."""
    timeline: list[dict[str, Any]] = [{"effective_from": "2020-01-01T00:00:00Z", "policy": {"version": "standard-1"}}]
    if takeover_from is not None:
        policy = {"version": f"takeover-{revision}", "teammate_takeover_voids": True}
        timeline = [*timeline, {"effective_from": takeover_from, "policy": policy}]
    data = {
        "customer": customer,
        "name": customer,
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_anchor": "2020-01-01T00:00:00Z",
        "revision": revision,
        "timeline": timeline,
    }
    event = {
        "specversion": "1.0",
        "id": f"{customer}/{revision}",
        "source": "urn:bench",
        "type": "contract",
        "subject": customer,
        "time": "2026-01-01T00:00:00Z",
        "data": data,
    }
    return json.dumps(event).encode()


def taken_over(conversations: int) -> int:
    """How many of so many had a teammate's reply in their window."""
    rounds, rest = divmod(conversations, DAYS * TAKEN_OVER)
    return rounds * DAYS + min(rest, DAYS)


class Others:
    """Other customers' signals at a fixed rate, and how long each took until its entry was on `usage.rated`."""

    def __init__(self, producer: BatchProducer, rate: int) -> None:
        self._producer, self._rate = producer, rate
        self._sent: dict[str, float] = {}
        self.took: list[tuple[float, float]] = []  # when it was sent, and how long it took

    async def send(self) -> None:
        """Until cancelled."""
        number, began = 0, time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, began + number / self._rate - time.monotonic()))
            customer, conversation = f"other-{number % OTHERS}", f"o{number}"
            now = datetime.now(UTC)
            event = {
                "specversion": "1.0",
                "id": conversation,
                "source": "urn:helpdesk:eu",
                "type": "conversation.signal",
                "subject": conversation,
                "time": iso(now),
                "customer": customer,
                "receivedat": iso(now),
                "data": {"signal": "outcome_reached", "outcome_type": "qualification", "channel": "chat"},
            }
            self._sent[conversation] = time.monotonic()
            partition = partition_of(customer, conversation, PARTITIONS)
            key = f"{customer}\x00{conversation}".encode()
            self._producer.append("events.accepted", partition, key, json.dumps(event).encode())
            number += 1

    async def listen(self, bootstrap: str) -> None:
        """Until cancelled."""
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=10)
        await consumer.start()
        try:
            count = await self._producer.partitions_for("usage.rated")
            partitions = [TopicPartition("usage.rated", number) for number in range(count)]
            consumer.assign(partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=50)).values():
                    now = time.monotonic()
                    for record in records:
                        subject = json.loads(record.value)["data"]["subject"]
                        sent = self._sent.pop(subject, None)
                        if sent is not None:
                            self.took.append((sent, now - sent))
        finally:
            await consumer.stop()

    @property
    def waiting(self) -> int:
        """How many have no entry yet."""
        return len(self._sent)

    def between(self, start: float, end: float) -> dict[str, float]:
        """p50 and p99 in milliseconds of those sent in [start, end), and how many they are."""
        took = [seconds for sent, seconds in self.took if start <= sent < end]
        cuts = quantiles(took, n=100)
        return {"signals": len(took), "p50_ms": round(cuts[49] * 1000, 1), "p99_ms": round(cuts[98] * 1000, 1)}


async def run(arguments: argparse.Namespace, stack: Stack, start_rating: Callable[[], object]) -> dict[str, Any]:
    """The whole bench on a stack that runs."""
    producer = BatchProducer(stack.urls.kafka_bootstrap_servers)
    await producer.start()
    for topic in ("events.accepted", "contracts"):
        await producer.partitions_for(topic)
    connection = await asyncpg.connect(stack.urls.database_url)
    try:
        for customer in ("large", *(f"other-{number}" for number in range(OTHERS))):
            await producer.send("contracts", 0, customer.encode(), a_contract(customer, 1))
        await _fill(connection, arguments.conversations)
        start_rating()
        await _until(connection, f"SELECT count(*) = {PARTITIONS} FROM rating.partitions WHERE contracts_applied > 0")
        others = Others(producer, arguments.rate)
        tasks = [asyncio.create_task(others.listen(stack.urls.kafka_bootstrap_servers))]
        await asyncio.sleep(1)
        tasks.append(asyncio.create_task(others.send()))
        await asyncio.sleep(WARM_UP_S)
        alone = await _phase(others, lambda: asyncio.sleep(ALONE_S))
        future = iso(datetime.now(UTC) + timedelta(days=30))
        ahead = await _phase(others, lambda: _agree(producer, connection, 2, future))
        touched_by_future = await connection.fetchval("SELECT count(*) FROM rating.redecisions")
        everything = await _phase(others, lambda: _agree(producer, connection, 3, "2020-01-02T00:00:00Z"))
        await asyncio.sleep(2)
        lost = others.waiting
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        reversed_ = await connection.fetchval(
            "SELECT count(*) FROM rating.ledger WHERE customer = 'large' AND op = 'reverse'"
        )
        return {
            "conversations": arguments.conversations,
            "others_per_second": arguments.rate,
            "alone": alone,
            "policy_for_the_future": {**ahead, "walks": touched_by_future},
            "policy_for_everything": {
                **everything,
                "conversations_per_second": round(arguments.conversations / everything["seconds"]),
            },
            "p99_ratio": round(everything["p99_ms"] / alone["p99_ms"], 2),
            "reversed": reversed_,
            "differences": abs(reversed_ - taken_over(arguments.conversations)) + max(0, lost - arguments.rate),
        }
    finally:
        await connection.close()
        await producer.stop()


async def _fill(connection: Any, conversations: int) -> None:
    encoded, days = states(datetime.now(UTC))
    for first in range(0, conversations, 100_000):
        last = min(first + 100_000, conversations) - 1
        await connection.execute(FILL, PARTITIONS, encoded, days, first, last)
    await connection.execute("VACUUM ANALYZE rating.conversations")


async def _phase(others: Others, act: Callable[[], Awaitable[None]]) -> dict[str, float]:
    begin = time.monotonic()
    await act()
    end = time.monotonic()
    await asyncio.sleep(1)
    if end - begin < 5:  # too short for a p99: what comes right after it belongs to it
        await asyncio.sleep(5)
        return {"seconds": round(end - begin, 2), **others.between(begin, end + 5)}
    return {"seconds": round(end - begin, 2), **others.between(begin, end)}


async def _agree(producer: BatchProducer, connection: Any, revision: int, takeover_from: str) -> None:
    """Publish a revision of the large customer's contract; return when all that it can change is decided again."""
    record = a_contract("large", revision, takeover_from=takeover_from)
    await producer.send("contracts", 0, b"large", record)
    applied = OTHERS + revision
    await _until(connection, f"SELECT min(contracts_applied) >= {applied} FROM rating.partitions")
    await _until(connection, "SELECT count(*) = 0 FROM rating.redecisions")


async def _until(connection: Any, condition: str) -> None:
    while True:
        if await connection.fetchval(condition):
            return
        await asyncio.sleep(0.1)


def main() -> int:
    """Run once on a stack of its own, or on the one under --state."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=300, help="signals a second of the other customers")
    parser.add_argument("--state", type=Path)
    arguments = parser.parse_args()
    with running(arguments.state) as rating:
        result = asyncio.run(run(arguments, rating.stack, rating.serve))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    wrong = result["differences"] or result["policy_for_the_future"]["walks"]
    return 1 if wrong or result["p99_ratio"] >= 2 else 0


if __name__ == "__main__":
    raise SystemExit(main())
