"""
Kafka: a producer that gathers records into batches, and a reader of whole topics.

The producer is idempotent with acks=all: a record's future is done once the broker has confirmed its batch.
Per partition batches go out in the order of `append`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.broker import Broker
from chassis.broker_access import connect
from chassis.errors import TryLater, WrongSetting

log = logging.getLogger(__name__)

_REFUSED_S = 5.0  # between two tries while the broker refuses us: each is a failed login there
_HOLD_S = 0.1  # a batch waits at most this long for the one before it: a broker that is away must not add up time-outs


def partition_of(customer: str, subject: str, partitions: int) -> int:
    """The partition of `events.accepted` that holds a customer's conversation or record. Stable for ever."""
    return crc32(f"{customer}\x00{subject}".encode()) % partitions


def partition_of_key(key: bytes, partitions: int) -> int:
    """The partition of a record that is keyed by one value, such as the customer."""
    return crc32(key) % partitions


@dataclass(slots=True)
class _OpenBatch:
    builder: Any
    future: asyncio.Future[None]
    size: int = 0
    due: bool = False  # has lingered enough; goes out as soon as the lane is free


@dataclass(slots=True)
class _Lane:
    """One partition's open batch and the lock that keeps its batches in order."""

    open: _OpenBatch | None = None
    unconfirmed: int = 0  # batches closed and not yet answered for
    order: asyncio.Lock = field(default_factory=asyncio.Lock)


class BatchProducer:
    """
    Gathers records per partition for `linger_ms` or until a batch is full, and sends each batch once.

    One future serves a whole batch, which is what makes it several times cheaper than `send()` per record.
    While a partition's last batch is unconfirmed the next one stays open: the client would not send it any sooner, and
    under load it grows instead of becoming many small ones, each of which costs as much as fifty records.
    After a failed batch the client underneath is made anew, so that an unconfirmed sequence cannot block the next.
    """

    def __init__(
        self,
        broker: Broker | str,
        *,
        linger_ms: float = 2.0,
        max_batch_bytes: int = 900_000,
        max_waiting_bytes: int = 64_000_000,
        confirm_within_s: float = 20.0,
    ) -> None:
        self._broker = Broker.of(broker)
        self._linger_s = linger_ms / 1000
        self._max_batch_bytes = max_batch_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._confirm_within_s = confirm_within_s
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._partitions: dict[str, int] = {}
        self._client: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()
        self._sending: set[asyncio.Task[None]] = set()
        self._mending: set[asyncio.Task[None]] = set()  # connections ended and made anew; nobody waits for these
        self.waiting_bytes = 0

    async def start(self) -> None:
        """Connect. Raises KafkaError when no broker answers, WrongSetting when it refuses us."""
        await self._ensure_client()

    async def stop(self) -> None:
        """Send what is open, wait until it is confirmed or failed, disconnect; a broker that is away is not awaited."""
        await self.flush()
        for task in self._mending:
            task.cancel()
        await asyncio.gather(*self._mending, return_exceptions=True)
        if self._client is not None:
            await self._client.stop()
            self._client = None

    async def flush(self) -> None:
        """Return when nothing appended so far is still on its way, confirmed or failed."""
        for key, lane in self._lanes.items():
            self._close(key, lane)
        if self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def partitions_for(self, topic: str) -> int:
        """The topic's partition count, asked once."""
        if topic not in self._partitions:
            client = await self._ensure_client()
            self._partitions[topic] = len(await client.partitions_for(topic))
        return self._partitions[topic]

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> asyncio.Future[None]:
        """
        Add a record to its partition's open batch.

        Returns the batch's future: done when the broker has confirmed, failed with TryLater when it has not, in which
        case the record may or may not be stored. The future is shared by all of the batch: wait for it by `confirmed`
        or `asyncio.wait`, since a cancelled waiter that awaits it bare cancels it for the others.

        Raises:
            TryLater: too many bytes are waiting for the broker, or it is away; nothing was added.
            ValueError: the record is larger than a batch may be; nothing was added.
        """
        size = len(value) + len(key) + 80
        if size > self._max_batch_bytes:  # a batch takes its first record whatever its size, and the broker refuses it
            raise ValueError(f"a record of {size} bytes does not fit a batch of {self._max_batch_bytes}")
        if self.waiting_bytes + size > self._max_waiting_bytes:
            raise TryLater("the broker is not keeping up", after_s=1.0)
        if self._client is None:
            raise TryLater("the broker is away", after_s=1.0)
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[(topic, partition)] = _Lane()
        batch = lane.open
        if batch is None or batch.builder.append(timestamp=None, key=key, value=value) is None:
            if batch is not None:
                self._close((topic, partition), lane)
            batch = self._open(topic, partition, lane)
            batch.builder.append(timestamp=None, key=key, value=value)
        batch.size += size
        self.waiting_bytes += size
        return batch.future

    async def send(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Append one record and wait for its confirmation. Raises as `append` and its future do."""
        try:
            await self._ensure_client()
        except (KafkaError, OSError, WrongSetting) as error:
            raise TryLater(f"the broker is away: {type(error).__name__}", after_s=1.0) from error
        await confirmed([self.append(topic, partition, key, value)])

    def _open(self, topic: str, partition: int, lane: _Lane) -> _OpenBatch:
        assert self._client is not None
        loop = asyncio.get_running_loop()
        lane.open = batch = _OpenBatch(self._client.create_batch(), loop.create_future())
        batch.future.add_done_callback(_retrieve)
        loop.call_later(self._linger_s, self._close_if_open, (topic, partition), lane, batch)
        return batch

    def _close_if_open(self, key: tuple[str, int], lane: _Lane, batch: _OpenBatch) -> None:
        if lane.open is not batch:
            return
        if lane.unconfirmed and not batch.due:
            batch.due = True
            asyncio.get_running_loop().call_later(_HOLD_S, self._close_if_open, key, lane, batch)
            return
        self._close(key, lane)

    def _close(self, key: tuple[str, int], lane: _Lane) -> None:
        batch, lane.open = lane.open, None
        if batch is None:
            return
        batch.builder.close()
        lane.unconfirmed += 1
        task = asyncio.create_task(self._send(key, lane, batch))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, key: tuple[str, int], lane: _Lane, batch: _OpenBatch) -> None:
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._confirm_within_s):
                async with lane.order:
                    client = await self._ensure_client()
                    confirmation = await client.send_batch(batch.builder, key[0], partition=key[1])
                await confirmation
            if not batch.future.done():  # its one waiter may have been cancelled, and the future with it
                batch.future.set_result(None)
        except (KafkaError, TimeoutError, OSError, WrongSetting) as error:
            log.warning("a batch was not confirmed", extra={"topic": key[0], "error": type(error).__name__})
            if not batch.future.done():
                batch.future.set_exception(TryLater(f"the broker did not confirm: {type(error).__name__}", after_s=1.0))
            if client is not None:
                self._discard(client)
        finally:
            self.waiting_bytes -= batch.size
            lane.unconfirmed -= 1
            if not batch.future.done():
                batch.future.cancel()
            if lane.open is not None and lane.open.due and not lane.unconfirmed:
                self._close(key, lane)

    async def _ensure_client(self) -> AIOKafkaProducer:
        async with self._making:
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._broker.aiokafka(),
                    enable_idempotence=True,
                    acks="all",
                    linger_ms=0,
                    max_batch_size=self._max_batch_bytes,
                    max_request_size=self._max_batch_bytes + 100_000,
                    request_timeout_ms=int(self._confirm_within_s * 1000),
                )
                await connect(client, self._broker)
                self._client = client
            return self._client

    def _discard(self, client: AIOKafkaProducer) -> None:
        if self._client is client:
            self._client = None
            log.warning("the producer is made anew after an unconfirmed batch")
        self._mend(_stop_quietly(client))
        if self._client is None:
            self._mend(self._reconnect())

    def _mend(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _reconnect(self) -> None:
        while self._client is None:
            try:
                await self._ensure_client()
            except WrongSetting as wrong:  # mended there, such as a user made anew, it lets us in again
                log.error("the broker refuses us", extra={"why": str(wrong)})
                await asyncio.sleep(_REFUSED_S)
            except (KafkaError, OSError):
                await asyncio.sleep(0.5)


async def confirmed(futures: Iterable[asyncio.Future[None]]) -> None:
    """
    Return when the broker has confirmed all of these futures of `append`; leaves them whole when it is cancelled.

    Raises:
        TryLater: one of them was not confirmed; all have been waited for.
    """
    waited = set(futures)
    if waited:
        await asyncio.wait(waited)
    for future in waited:
        if future.cancelled():
            raise TryLater("the producer was stopped before the broker confirmed")
        future.result()


def _retrieve(future: asyncio.Future[None]) -> None:
    """Mark the error as seen: a caller that went away must not turn it into a warning of the event loop."""
    if not future.cancelled():
        future.exception()


async def _stop_quietly(client: AIOKafkaProducer) -> None:
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(5):
            await client.stop()


Handler = Callable[[ConsumerRecord], Awaitable[None]]


class TopicReader:
    """
    Reads one topic, all partitions, from its beginning (or given offsets), in every process: for small tables.

    The handler sees records in order and may see them again after a restart. `caught_up` is set once all that was
    there at the start has been handled; `reached` is the offset behind the last record handled, empty while it does
    not read.
    """

    def __init__(
        self, broker: Broker | str, topic: str, handler: Handler, *, start_at: dict[int, int] | None = None
    ) -> None:
        self._broker = Broker.of(broker)
        self.topic = topic
        self._handler = handler
        self._start_at = start_at or {}
        self.reached: dict[TopicPartition, int] = {}
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled. Raises what the handler raises, with the record unhandled."""
        consumer = AIOKafkaConsumer(
            **self._broker.aiokafka(), enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=100
        )
        await connect(consumer, self._broker)
        try:
            partitions = [TopicPartition(self.topic, number) for number in await _partitions(consumer, self.topic)]
            consumer.assign(partitions)
            first = await consumer.beginning_offsets(partitions)
            for partition in partitions:
                offset = self._start_at.get(partition.partition, first[partition])
                consumer.seek(partition, offset)
                self.reached[partition] = offset
            ends = await consumer.end_offsets(partitions)
            while True:
                if not self.caught_up.is_set() and all(self.reached[p] >= ends[p] for p in partitions):
                    self.caught_up.set()
                for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        await self._handler(record)
                        self.reached[partition] = record.offset + 1
                    # a compacted topic has holes: what was read is known by position, not by record
                    self.reached[partition] = await consumer.position(partition)
        finally:
            self.reached.clear()
            await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    for _ in range(100):
        found = consumer.partitions_for_topic(topic)
        if found:
            return sorted(found)
        await asyncio.sleep(0.1)
        await consumer._client.force_metadata_update()
    raise TryLater(f"topic {topic} is not there")
