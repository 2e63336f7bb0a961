"""What goes on the bus: encoded anew, in its own partition, with our `receivedat`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bus import partition_of
from event_schemas.wire import ProductEvent
from usage_ingest.broker import all_done
from usage_ingest.handlers import append_event
from usage_ingest.testing import an_event

RECEIVED_AT = datetime(2026, 3, 2, 10, 0, 10, 250, tzinfo=UTC)
WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=200)


class RecordingProducer:
    """Remembers what was appended."""

    def __init__(self) -> None:
        self.records: list[tuple[str, int, bytes, bytes]] = []

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> Any:
        self.records.append((topic, partition, key, value))


def appended(partitions: int = 8, **changes: Any) -> tuple[str, int, bytes, dict[str, Any]]:
    producer = RecordingProducer()
    event = msgspec.json.decode(json.dumps(an_event(**changes)), type=ProductEvent)
    append_event(event, RECEIVED_AT, producer, partitions)  # type: ignore[arg-type]
    topic, partition, key, value = producer.records[0]
    return topic, partition, key, json.loads(value)


def test_a_record_says_what_the_event_said_and_when_it_came() -> None:
    topic, _, key, value = appended(traceparent="dropped", receivedat="2020-01-01T00:00:00Z")

    assert topic == "events.accepted"
    assert key == b"acme\x00conversation-1"
    assert value == {
        "type": "conversation.signal",
        "specversion": "1.0",
        "id": "e1",
        "source": "urn:helpdesk:eu",
        "subject": "conversation-1",
        "time": "2026-03-02T10:00:08Z",
        "customer": "acme",
        "receivedat": "2026-03-02T10:00:10.000250Z",
        "data": {"signal": "customer_message", "intent": "question"},
    }


def test_times_go_on_in_utc() -> None:
    assert appended(time="2026-03-02T12:00:08.5+02:00")[3]["time"] == "2026-03-02T10:00:08.500000Z"


@given(
    customer=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}", fullmatch=True), subject=WORD, count=st.integers(1, 64)
)
def test_the_partition_is_that_of_the_house(customer: str, subject: str, count: int) -> None:
    assert appended(count, customer=customer, subject=subject)[1] == partition_of(customer, subject, count)


class TestAllDone:
    async def test_waits_for_the_good_and_the_bad(self) -> None:
        loop = asyncio.get_running_loop()
        good, bad, done = loop.create_future(), loop.create_future(), loop.create_future()
        done.set_result(None)
        between: list[int] = []
        waiting = asyncio.create_task(all_done({good, bad, done}, after_each=lambda: between.append(1)))
        await asyncio.sleep(0)

        good.set_result(None)
        await asyncio.sleep(0)
        assert not waiting.done()
        bad.set_exception(ValueError("no"))
        await waiting

        assert between == [1]
        assert isinstance(bad.exception(), ValueError)

    async def test_a_caller_that_goes_away_leaves_the_futures_to_the_others(self) -> None:
        shared = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(all_done({shared}, after_each=lambda: None))
        await asyncio.sleep(0)

        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        shared.set_result(None)
        await asyncio.sleep(0)

        assert not shared.cancelled()

    async def test_nothing_to_wait_for_is_done(self) -> None:
        await all_done(set(), after_each=lambda: None)
