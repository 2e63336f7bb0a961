"""Batches of `events.accepted`: filled up for a few milliseconds, and decoded while the database works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import NoOffsetForPartitionError

from usage_rating.arrivals import Arrivals
from usage_rating.settings import Settings


class BatchReader:
    """
    Reads one batch ahead.

    `generation` counts what makes fetched records worthless: the group's decisions, and starting again from the rows.
    A batch that spans two generations is dropped, since whoever changes the generation seeks afterwards.
    """

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._settings = settings
        self._ahead: asyncio.Task[tuple[Arrivals, int]] | None = None
        self.generation = 0

    async def next(self) -> tuple[Arrivals, int]:
        """The next batch, maybe empty, and the generation at which all of it was fetched."""
        ahead, self._ahead = self._ahead, None
        return await (ahead if ahead is not None else self._read())

    def read_ahead(self) -> None:
        """Fetch and decode the next batch from now on."""
        self._ahead = asyncio.create_task(self._read(), name="read-ahead")

    async def drop_ahead(self) -> None:
        """Stop reading ahead; to be called before a seek, from behind which nothing may be taken and dropped."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.wait([ahead])

    async def _read(self) -> tuple[Arrivals, int]:
        records, generation = await self._gather()
        arrivals = Arrivals()
        for partition, of_partition in records:
            arrivals.add(partition, of_partition)
        return arrivals, generation

    async def _gather(self) -> tuple[list[tuple[int, Sequence[ConsumerRecord]]], int]:
        gathered: list[tuple[int, Sequence[ConsumerRecord]]] = []
        room = self._settings.batch_events
        generation = self.generation
        wait_ms = self._settings.tick_check_ms
        refilled_at: float | None = None
        while room > 0:
            try:
                fetched = await self._consumer.getmany(timeout_ms=wait_ms, max_records=room)
            except NoOffsetForPartitionError:
                break  # a partition that was given and is not claimed yet: the claim seeks
            if generation != self.generation:
                return [], self.generation
            for each, records in fetched.items():
                gathered.append((each.partition, records))
                room -= len(records)
            if refilled_at is None:
                refilled_at = time.monotonic() + self._settings.refill_ms / 1000
            wait_ms = int((refilled_at - time.monotonic()) * 1000)
            if not gathered or wait_ms <= 0:
                break
        return gathered, generation
