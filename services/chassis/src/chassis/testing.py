"""Fakes and helpers that tests of services import."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition


class SetClock:
    """A business clock that stands where a test has put it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Where the test has put it."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to an instant, never back."""
        if now < self._now:
            raise ValueError("business time never goes back")
        self._now = now

    def advance(self, **by: float) -> None:
        """Move forward, such as `advance(hours=1)`."""
        self.set(self._now + timedelta(**by))

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


async def stored(bootstrap: str, topic: str, partition: int, *, within_s: float = 20) -> list[ConsumerRecord]:
    """All records of a partition, read by a client of its own up to the end that the broker tells."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        end = (await consumer.end_offsets([where]))[where]
        found: list[ConsumerRecord] = []
        deadline = time.monotonic() + within_s
        while await consumer.position(where) < end:
            assert time.monotonic() < deadline, f"read {len(found)} of {end}"
            for records in (await consumer.getmany(where, timeout_ms=200)).values():
                found.extend(records)
        return found
    finally:
        await consumer.stop()


async def until(holds: Callable[[], bool | Awaitable[bool]], *, within_s: float = 30) -> None:
    """Return once a condition holds."""
    deadline = time.monotonic() + within_s
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "it never came to hold"
        await asyncio.sleep(0.02)
