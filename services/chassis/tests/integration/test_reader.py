"""The reader of whole topics against a real broker: caught up, holes of compaction, errors, what is unread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chassis.bus import BatchProducer, TopicReader
from chassis.errors import TryLater
from chassis.log_ends import LogEnds
from chassis.testing import stored, until
from event_schemas.topics import Topic

pytestmark = pytest.mark.integration

_numbers = count(1)


class Table:
    """A handler that notes what it saw; `poison` is the value that it cannot take."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, str]] = []
        self.poison: bytes | None = None

    async def take(self, record: ConsumerRecord) -> None:
        if record.value == self.poison:
            raise LookupError("a record that the handler cannot take")
        self.seen.append((record.partition, record.offset, record.value.decode()))


@pytest.fixture
async def ends(bootstrap: str) -> AsyncIterator[LogEnds]:
    asked = LogEnds(bootstrap)
    yield asked
    await asked.stop()


@asynccontextmanager
async def reading(reader: TopicReader) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(reader.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LookupError):
            await task


async def fill(producer: BatchProducer, topic: Topic, *values: str, partition: int = 0) -> None:
    for value in values:
        await asyncio.wait_for(producer.send(topic.name, partition, b"key", value.encode()), 20)


async def test_is_caught_up_once_all_that_was_there_is_handled_and_reads_on(
    producer: BatchProducer, bootstrap: str, topic: Topic, ends: LogEnds
) -> None:
    await fill(producer, topic, "a", "b")
    await fill(producer, topic, "c", partition=1)
    table = Table()
    reader = TopicReader(bootstrap, topic.name, table.take)
    assert await ends.unread(reader) == {topic.name: 1}  # not known yet, so not quiet

    async with reading(reader):
        await asyncio.wait_for(reader.caught_up.wait(), 30)
        assert sorted(table.seen) == [(0, 0, "a"), (0, 1, "b"), (1, 0, "c")]
        assert await ends.unread(reader) == {topic.name: 0}

        await fill(producer, topic, "d", partition=1)
        await until(lambda: (1, 1, "d") in table.seen)


async def test_an_empty_topic_is_caught_up_at_once(bootstrap: str, topic: Topic, ends: LogEnds) -> None:
    reader = TopicReader(bootstrap, topic.name, Table().take)

    async with reading(reader):
        await asyncio.wait_for(reader.caught_up.wait(), 30)
        assert await ends.unread(reader) == {topic.name: 0}


async def test_starts_at_the_offsets_that_it_is_given(producer: BatchProducer, bootstrap: str, topic: Topic) -> None:
    await fill(producer, topic, "a", "b", "c")
    await fill(producer, topic, "d", partition=1)
    table = Table()
    reader = TopicReader(bootstrap, topic.name, table.take, start_at={0: 2})

    async with reading(reader):
        await asyncio.wait_for(reader.caught_up.wait(), 30)

    assert sorted(table.seen) == [(0, 2, "c"), (1, 0, "d")]


async def test_a_record_that_the_handler_refuses_stays_unread_and_ends_the_reading(
    producer: BatchProducer, bootstrap: str, topic: Topic, ends: LogEnds
) -> None:
    await fill(producer, topic, "a", "poison", "c")
    table = Table()
    table.poison = b"poison"
    reader = TopicReader(bootstrap, topic.name, table.take)

    async with reading(reader) as task:
        with pytest.raises(LookupError):
            await asyncio.wait_for(asyncio.shield(task), 30)

    assert table.seen == [(0, 0, "a")]
    assert not reader.caught_up.is_set()
    assert await ends.unread(reader) == {topic.name: 1}

    table.poison = None
    again = TopicReader(bootstrap, topic.name, table.take)
    async with reading(again):
        await asyncio.wait_for(again.caught_up.wait(), 30)
    assert [value for _, _, value in table.seen] == ["a", "a", "poison", "c"]


async def test_holes_of_compaction_are_not_waited_for(bootstrap: str, ends: LogEnds) -> None:
    """The broker takes older records of a key away; their offsets are never read and must not count as unread."""
    topic = Topic(f"compacted.{next(_numbers)}", "key", "chassis", ("chassis",), ("chassis",), partitions=1)
    await asyncio.to_thread(_make_eagerly_compacted, bootstrap, topic.name)
    writer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await writer.start()
    for number in range(40):
        await writer.send_and_wait(topic.name, b"%d" % number, key=b"acme", partition=0)

    async def has_holes() -> bool:
        await writer.send_and_wait(topic.name, b"tick", key=b"acme", partition=0)  # rolls the segment on
        records = await stored(bootstrap, topic.name, 0)
        return len(records) < records[-1].offset + 1

    await until(has_holes, within_s=90)
    await writer.stop()
    table = Table()
    reader = TopicReader(bootstrap, topic.name, table.take)

    async with reading(reader):
        await asyncio.wait_for(reader.caught_up.wait(), 30)
        assert await ends.unread(reader) == {topic.name: 0}

    assert table.seen[-1][1] + 1 > len(table.seen)


def _make_eagerly_compacted(bootstrap: str, name: str) -> None:
    config = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "200",
    }
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, 1, config=config)])[name].result(timeout=30)


async def test_a_topic_that_is_not_there_is_said(bootstrap: str) -> None:
    reader = TopicReader(bootstrap, "no.such.topic", Table().take)

    with pytest.raises(TryLater, match=r"no\.such\.topic is not there"):
        await asyncio.wait_for(reader.run(), 60)


async def test_asking_where_a_log_ends_does_not_wait_for_a_fetch(bootstrap: str, topic: Topic, ends: LogEnds) -> None:
    """Ten questions on a connection where a fetch waits for records take ten of its waits; on their own, none."""
    place = TopicPartition(topic.name, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=100, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([place])
    fetching = asyncio.create_task(consumer.getone())

    async def ten(ask: Callable[[list[TopicPartition]], Awaitable[dict[TopicPartition, int]]]) -> float:
        await ask([place])
        began = time.monotonic()
        for _ in range(10):
            assert await ask([place]) == {place: 0}
        return time.monotonic() - began

    try:
        behind_a_fetch, apart = await ten(consumer.end_offsets), await ten(ends.of)
    finally:
        fetching.cancel()
        await consumer.stop()

    assert apart < behind_a_fetch / 3
