"""Unreadable records go out under the name of their place; too many of them stop the reader."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from event_schemas.events.event_quarantined_v1 import EventQuarantinedEvent
from usage_rating.arrivals import Arrivals, Reach, Unreadable
from usage_rating.dead_letters import TooManyUnreadable, publish_unreadable


class Recorder:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, Any]]] = []

    async def partitions_for(self, _: str) -> int:
        return 1

    def append(self, topic: str, _partition: int, _key: bytes, value: bytes) -> asyncio.Future[None]:
        self.records.append((topic, json.loads(value)))
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        confirmed.set_result(None)
        return confirmed


def a_batch(*, good: int, bad: int) -> Arrivals:
    arrivals = Arrivals()
    arrivals.reach[3] = Reach(0, good + bad)
    arrivals.unreadable = [Unreadable(3, offset, "not JSON") for offset in range(bad)]
    return arrivals


async def test_a_record_is_named_by_its_place_and_holds_against_the_contract() -> None:
    producer = Recorder()

    await publish_unreadable(producer, a_batch(good=5, bad=1), now=1_772_445_608_250_000)  # type: ignore[arg-type]

    topic, record = producer.records[0]
    event = EventQuarantinedEvent.model_validate(record)
    assert (topic, event.id, event.data.reason.value) == ("events.quarantined", "events.accepted/3/0", "unreadable")


@pytest.mark.parametrize(("good", "bad"), [(0, 100), (101, 101)])
async def test_some_bad_records_are_diverted_whatever_their_share(good: int, bad: int) -> None:
    producer = Recorder()

    await publish_unreadable(producer, a_batch(good=good, bad=bad), now=0)  # type: ignore[arg-type]

    assert len(producer.records) == bad


async def test_when_most_of_a_batch_is_bad_nothing_is_diverted() -> None:
    producer = Recorder()

    with pytest.raises(TooManyUnreadable):
        await publish_unreadable(producer, a_batch(good=100, bad=101), now=0)  # type: ignore[arg-type]

    assert producer.records == []
