"""What is unread, where readers begin or stop while the broker is asked, and a broker that is not there."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis.log_ends import LogEnds
from embedded_stack.children import free_port

FIRST, SECOND = TopicPartition("orders", 0), TopicPartition("orders", 1)


class Reading:
    """A reader that has handled so much."""

    def __init__(self, reached: dict[TopicPartition, int]) -> None:
        self.topic = "orders"
        self.reached = reached


class Told(LogEnds):
    """Logs that end at 10; `meanwhile` happens while the broker is asked."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__("nowhere:9092")
        self._meanwhile = meanwhile

    async def of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        self._meanwhile()
        return dict.fromkeys(partitions, 10)


async def test_what_is_unread_is_summed_over_the_partitions() -> None:
    assert await Told().unread(Reading({FIRST: 7, SECOND: 10})) == {"orders": 3}


async def test_a_reader_that_begins_while_the_broker_is_asked_is_not_taken_for_one_that_is_done() -> None:
    reader = Reading({})

    assert await Told(lambda: reader.reached.update({FIRST: 2})).unread(reader) == {"orders": 1}


async def test_a_reader_that_stops_while_the_broker_is_asked_is_not_taken_for_one_that_is_done() -> None:
    reader = Reading({FIRST: 10})

    assert await Told(reader.reached.clear).unread(reader) == {"orders": 1}


async def test_a_broker_that_is_not_there_is_one_kind_of_error_each_time() -> None:
    ends = LogEnds(f"127.0.0.1:{free_port()}", within_s=2)

    for _ in range(2):
        with pytest.raises(KafkaError, match="does not say where its logs end"):
            await ends.of([FIRST])
    await ends.stop()
