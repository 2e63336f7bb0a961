"""
What usage-ingest reads from the bus: `contracts` for the customer register, `events.quarantined` for the quarantine.

Each record is one write, safe to repeat: a customer is inserted once; a returned record is inserted once by its place
on the bus, in one transaction with the position of `events.quarantined`. So there is no gap between two writes here.
While the broker or the database is away, the reader starts anew until it is back.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from pydantic import ValidationError

from chassis.bus import TopicReader
from chassis.errors import TryLater
from chassis.pacing import backoff_s
from event_schemas.events.event_quarantined_v1 import EventQuarantinedEvent
from event_schemas.vocabulary import QuarantineReason
from usage_ingest import metrics
from usage_ingest.convert import Delivery, delivery_of, from_row_event
from usage_ingest.domain.flaws import Flaw
from usage_ingest.parts import Parts
from usage_ingest.store.errors import STORE_AWAY
from usage_ingest.store.returns import Place, record_return_once

log = logging.getLogger(__name__)

_AWAY = (KafkaError, TryLater, *STORE_AWAY)


class Follower:
    """A TopicReader that starts anew while broker or database is away."""

    def __init__(self, make_reader: Callable[[], Awaitable[TopicReader]], topic: str) -> None:
        self._make_reader = make_reader
        self.topic = topic
        self._reader: TopicReader | None = None
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled. Raises what is a bug, so that the service stops."""
        attempt = 0
        while True:
            started = asyncio.get_running_loop().time()
            try:
                self._reader = await self._make_reader()
                self._reader.caught_up = self.caught_up
                await self._reader.run()
            except OffsetOutOfRangeError:
                log.critical("positions lie outside the log: was the topic made anew?", extra={"reader": self.topic})
                raise
            except _AWAY as error:
                attempt = 1 if asyncio.get_running_loop().time() - started > 30 else attempt + 1
                log.warning("reader starts anew", extra={"reader": self.topic, "error": type(error).__name__})
                await asyncio.sleep(backoff_s(attempt, cap_s=5.0))

    @property
    def reached(self) -> Mapping[TopicPartition, int]:
        """The offsets behind the last records handled; empty until all that was there at the start has been."""
        return self._reader.reached if self._reader is not None and self.caught_up.is_set() else {}


async def take_return(record: ConsumerRecord, parts: Parts) -> None:
    """Keep a record that a reader of the bus could not use. Safe to repeat."""
    read = Place(record.topic, record.partition, record.offset)
    delivery, place = _returned(record, read)
    await record_return_once(parts.hot_pool, delivery, record=place, read=read)
    metrics.RETURNS.labels(delivery.reason).inc()
    log.warning(
        "a reader handed a record back",
        extra={"reason": delivery.reason, "topic": place.topic, "partition": place.partition, "offset": place.offset},
    )


def _returned(record: ConsumerRecord, read: Place) -> tuple[Delivery, Place]:
    """The row of a record handed back. A message that cannot be read itself is kept under its own place."""
    try:
        message = EventQuarantinedEvent.model_validate_json(record.value or b"")
    except ValidationError:
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        flaw = Flaw(QuarantineReason.UNREADABLE, None, "the message about a record that was handed back is unreadable")
        return _row(flaw, fingerprint=hashlib.sha256(record.value or b"").digest(), received_at=at), read
    data = message.data
    place = Place(data.source_topic, data.source_partition, data.source_offset)
    flaw = Flaw(data.reason, None, data.detail[:500])
    event = from_row_event(data.event) if data.event is not None else None
    if event is None:
        name = f"{place.topic}/{place.partition}/{place.offset}".encode()
        return _row(flaw, fingerprint=hashlib.sha256(name).digest(), received_at=message.time), place
    return delivery_of(event, flaw, event.receivedat or message.time, keep_payload=True), place


def _row(flaw: Flaw, *, fingerprint: bytes, received_at: datetime) -> Delivery:
    return Delivery(
        source="",
        event_id="",
        subject="",
        customer="",
        type="",
        reason=flaw.reason.value,
        field=flaw.field,
        sentence=flaw.sentence,
        fingerprint=fingerprint,
        event=None,
        received_at=received_at,
    )
