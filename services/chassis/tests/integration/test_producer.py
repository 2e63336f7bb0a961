"""The producer against a real broker: order, confirmation, bounded memory, and a broker that dies under it."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from chassis.bus import BatchProducer, confirmed
from chassis.errors import TryLater
from chassis.testing import stored, until
from embedded_stack import Stack
from event_schemas.topics import Topic

pytestmark = pytest.mark.integration


async def test_records_of_a_partition_are_stored_in_the_order_of_append(
    producer: BatchProducer, bootstrap: str, topic: Topic
) -> None:
    """Small batches, so that many of them follow one another."""
    small = BatchProducer(bootstrap, linger_ms=1, max_batch_bytes=2_000)
    await small.start()

    futures = []
    for number in range(3_000):
        futures.append(small.append(topic.name, number % 2, b"key", str(number).encode()))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(*set(futures)), 30)
    await small.stop()

    assert [int(record.value) for record in await stored(bootstrap, topic.name, 0)] == list(range(0, 3_000, 2))
    assert [int(record.value) for record in await stored(bootstrap, topic.name, 1)] == list(range(1, 3_000, 2))
    assert small.waiting_bytes == 0


async def test_a_future_is_done_only_when_the_record_is_stored(
    producer: BatchProducer, bootstrap: str, topic: Topic
) -> None:
    await asyncio.wait_for(producer.append(topic.name, 0, b"key", b"value"), 20)

    (record,) = await stored(bootstrap, topic.name, 0)
    assert (record.key, record.value) == (b"key", b"value")


async def test_flush_returns_when_all_that_was_appended_is_stored(
    producer: BatchProducer, bootstrap: str, topic: Topic
) -> None:
    futures = [producer.append(topic.name, number % 2, b"key", b"value") for number in range(10)]

    await asyncio.wait_for(producer.flush(), 20)

    assert all(future.done() and future.exception() is None for future in futures)
    assert len(await stored(bootstrap, topic.name, 0)) == 5
    assert producer.waiting_bytes == 0


async def test_tells_a_topics_partition_count(producer: BatchProducer, topic: Topic) -> None:
    assert await producer.partitions_for(topic.name) == 2


async def test_one_sender_that_goes_away_leaves_the_others_of_its_batch_alone(bootstrap: str, topic: Topic) -> None:
    """Seen to fail while the batch's one future was awaited bare: cancelling one waiter cancelled them all."""
    slow = BatchProducer(bootstrap, linger_ms=200)
    await slow.start()
    senders = [asyncio.create_task(slow.send(topic.name, 0, b"key", b"value")) for _ in range(3)]
    await until(lambda: slow.waiting_bytes > 0)

    senders[0].cancel()
    results = await asyncio.wait_for(asyncio.gather(*senders, return_exceptions=True), 20)

    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [None, None]
    assert len(await stored(bootstrap, topic.name, 0)) == 3
    await slow.stop()


async def test_too_much_waiting_is_refused_and_nothing_of_it_is_added(bootstrap: str, topic: Topic) -> None:
    narrow = BatchProducer(bootstrap, linger_ms=500, max_waiting_bytes=1_000)
    await narrow.start()
    futures = [narrow.append(topic.name, 0, b"key", b"v" * 217) for _ in range(3)]  # 300 bytes each

    with pytest.raises(TryLater, match="not keeping up"):
        narrow.append(topic.name, 0, b"key", b"v" * 217)
    assert narrow.waiting_bytes == 900

    await asyncio.wait_for(asyncio.gather(*set(futures)), 20)
    assert narrow.waiting_bytes == 0
    await asyncio.wait_for(narrow.append(topic.name, 0, b"key", b"after"), 20)
    assert len(await stored(bootstrap, topic.name, 0)) == 4
    await narrow.stop()


async def test_a_record_that_no_batch_takes_is_refused_and_the_next_goes_through(
    producer: BatchProducer, bootstrap: str, topic: Topic
) -> None:
    """Seen to fail while the broker was asked: it refused the batch, and the client was thrown away for it."""
    with pytest.raises(ValueError, match="does not fit a batch"):
        producer.append(topic.name, 0, b"key", b"v" * 1_200_000)
    assert producer.waiting_bytes == 0

    await asyncio.wait_for(producer.append(topic.name, 0, b"key", b"small"), 20)

    assert [record.value for record in await stored(bootstrap, topic.name, 0)] == [b"small"]


async def test_before_the_start_nothing_is_taken(bootstrap: str, topic: Topic) -> None:
    with pytest.raises(TryLater, match="away"):
        BatchProducer(bootstrap).append(topic.name, 0, b"key", b"value")


async def test_a_broker_that_dies_leaves_no_future_hanging_and_no_confirmed_record_missing(
    stack: Stack, bootstrap: str, topic: Topic
) -> None:
    """Killed with -9 under load and started again; the same producer goes on by itself."""
    producer = BatchProducer(bootstrap, linger_ms=1, confirm_within_s=3)
    await producer.start()
    stored_values: list[int] = []
    failed: list[int] = []
    refused = 0
    number = 0

    async def hold(future: asyncio.Future[None], value: int) -> None:
        try:
            await confirmed([future])
            stored_values.append(value)
        except TryLater:
            failed.append(value)

    async def load(until_s: float) -> None:
        nonlocal number, refused
        while time.monotonic() < until_s:
            number += 1
            try:
                holding.append(asyncio.create_task(hold(producer.append(topic.name, 0, b"k", b"%d" % number), number)))
            except TryLater:
                refused += 1
            await asyncio.sleep(0.002)

    holding: list[asyncio.Task[None]] = []
    await load(time.monotonic() + 1)
    stack.kill("kafka", signal.SIGKILL)
    try:
        await load(time.monotonic() + 5)
    finally:
        await asyncio.to_thread(stack.start)
    before_return = len(stored_values)

    async def goes_on() -> bool:
        await load(time.monotonic() + 0.2)
        return len(stored_values) > before_return + 20

    await until(goes_on, within_s=60)
    await asyncio.wait_for(producer.stop(), 60)
    await asyncio.wait_for(asyncio.gather(*holding), 60)

    assert failed or refused
    values = [int(record.value) for record in await stored(bootstrap, topic.name, 0)]
    assert set(stored_values) <= set(values)
    assert len(values) == len(set(values))
    assert producer.waiting_bytes == 0


async def test_stopping_while_the_broker_is_away_comes_to_an_end(stack: Stack, bootstrap: str, topic: Topic) -> None:
    """Seen to fail while stopping waited for the connection that was being made anew: a service that never stopped."""
    producer = BatchProducer(bootstrap, linger_ms=1, confirm_within_s=2)
    await producer.start()
    await asyncio.wait_for(producer.send(topic.name, 0, b"key", b"value"), 20)
    stack.kill("kafka", signal.SIGKILL)
    try:
        with pytest.raises(TryLater):
            await asyncio.wait_for(producer.send(topic.name, 0, b"key", b"lost"), 20)

        await asyncio.wait_for(producer.stop(), 20)
    finally:
        await asyncio.to_thread(stack.start)

    with pytest.raises(TryLater):
        producer.append(topic.name, 0, b"key", b"too late")
