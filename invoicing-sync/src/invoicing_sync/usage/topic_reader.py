"""Reads a whole topic in batches, from offsets that are kept in PostgreSQL with what the batch did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.broker import Broker
from chassis.broker_access import connect
from chassis.errors import TryLater
from chassis.topics import identify
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.handlers import Offsets
from invoicing_sync.usage.store import entries

log = logging.getLogger(__name__)
FULL_BYTES = 100_000
Handle = Callable[[Sequence[ConsumerRecord], Offsets], Awaitable[None]]


class BatchReader:
    """
    Hands over batches with the offsets to store; the handler commits both together.

    Offsets outside the log, or another topic under the same name with fewer records, stop the reader: what is missing
    would be missing on invoices. `run` raises what the handler raises, with the batch unhandled.

    Args:
        gather_ms: how long the broker waits for FULL_BYTES before it answers with what there is.
    """

    def __init__(
        self, broker: Broker, topic: str, handle: Handle, *, pool: Pool, gather_ms: int, batch: int = 2_000
    ) -> None:
        self._broker, self.topic, self._handle, self._pool, self._batch = broker, topic, handle, pool, batch
        self._gather_ms = gather_ms
        self.reached: dict[TopicPartition, int] = {}  # behind the last record handled; empty while it does not read

    async def run(self) -> None:
        """Read until cancelled."""
        identity = await identify(self._broker, self.topic)
        stored = await entries.offsets(self._pool, self.topic, identity.topic_id)
        consumer = AIOKafkaConsumer(
            **self._broker.aiokafka(),
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_min_bytes=FULL_BYTES,
            fetch_max_wait_ms=self._gather_ms,
            max_partition_fetch_bytes=1_000_000,
        )
        await connect(consumer, self._broker)
        try:
            partitions = [TopicPartition(self.topic, number) for number in range(identity.partitions)]
            consumer.assign(partitions)
            await self._seek(consumer, partitions, stored)
            while True:
                found = await consumer.getmany(timeout_ms=500, max_records=self._batch)
                if found:
                    await self._take(found, identity.topic_id)
        finally:
            self.reached.clear()
            await consumer.stop()

    async def _seek(
        self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition], stored: Mapping[int, int]
    ) -> None:
        first = await consumer.beginning_offsets(partitions)
        last = await consumer.end_offsets(partitions)
        for partition in partitions:
            offset = stored.get(partition.partition, first[partition])
            if not first[partition] <= offset <= last[partition]:
                raise RuntimeError(f"offset {offset} lies outside {partition}: {first[partition]}..{last[partition]}")
            consumer.seek(partition, offset)
            self.reached[partition] = offset

    async def _take(self, found: Mapping[TopicPartition, list[ConsumerRecord]], topic_id: str) -> None:
        records = [record for partition in sorted(found) for record in found[partition]]
        ends = {partition: batch[-1].offset + 1 for partition, batch in found.items() if batch}
        offsets = Offsets(self.topic, topic_id, {p.partition: end for p, end in ends.items()})
        while True:
            try:
                await self._handle(records, offsets)
                break
            except TryLater as later:
                log.warning("a batch waits", extra={"topic": self.topic, "why": str(later)})
                await asyncio.sleep(later.after_s or 1.0)
        self.reached.update(ends)

    @property
    def handled(self) -> int:
        """The sum of all offsets reached; it grows with every batch."""
        return sum(self.reached.values())
