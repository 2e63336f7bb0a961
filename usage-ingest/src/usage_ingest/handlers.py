"""
What becomes of a request's events: check, put the good ones on the bus, keep the bad ones, say what happened.

Order of effects: the broker confirms (acks=all), then the quarantine commits, then the answer goes out. The broker
comes first, so that a request repeated while it is away does not count quarantine deliveries that nobody was told of.
`gaps.py` lists the gaps between these and why each is harmless.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zlib import crc32

import msgspec

from chassis.bus import BatchProducer
from chassis.errors import TryLater
from event_schemas.topics import EVENTS_ACCEPTED
from event_schemas.wire import ProductEvent
from usage_ingest import metrics
from usage_ingest.answers import EventResult
from usage_ingest.broker import all_done
from usage_ingest.convert import Delivery, delivery_of
from usage_ingest.decode import Broken
from usage_ingest.domain.flaws import Flaw, flaw_in, identifier_or_none
from usage_ingest.domain.limits import bounds_at
from usage_ingest.gaps import FAILPOINTS
from usage_ingest.keyring import ApiKey
from usage_ingest.parts import Parts
from usage_ingest.store.errors import STORE_AWAY
from usage_ingest.store.quarantine import record_deliveries

log = logging.getLogger(__name__)

TOPIC = EVENTS_ACCEPTED.name
_ENCODE = msgspec.json.Encoder().encode
_BROKER_AWAY = "the broker did not confirm it in time; it may or may not be stored, send it again"
_STORE_AWAY = "the quarantine could not be written; send it again"


@dataclass(slots=True)
class Sorted:
    """A request's events after the checks, the good ones already on their way."""

    results: list[EventResult] = field(default_factory=list)
    on_their_way: list[tuple[EventResult, asyncio.Future[None]]] = field(default_factory=list)
    bad: list[tuple[EventResult, Delivery]] = field(default_factory=list)


async def accept_events(events: list[ProductEvent | Broken], *, key: ApiKey, parts: Parts) -> list[EventResult]:
    """
    Store a request's events, each on the bus or in the quarantine; a result for each, in order.

    What is `accepted` or `quarantined` is stored, durably. What is `not_stored` may have been stored all the same.
    """
    sorted_out = _sort_out(events, key=key, parts=parts, received_at=parts.clock.now())
    if sorted_out.on_their_way:
        await _confirm(sorted_out.on_their_way, parts)
    if sorted_out.bad:
        FAILPOINTS.reach("events.before-quarantine")
        await _keep(sorted_out.bad, key=key, parts=parts)
    FAILPOINTS.reach("events.before-answer")
    return sorted_out.results


def _sort_out(events: list[ProductEvent | Broken], *, key: ApiKey, parts: Parts, received_at: datetime) -> Sorted:
    """No await in here, so that what a process appends to a partition bears a `receivedat` that never falls."""
    out = Sorted()
    bounds, known = bounds_at(received_at), parts.register.known
    scope = None if key.scope.is_open else key.scope
    partitions, away = parts.settings.event_partitions, False
    for event in events:
        if scope is not None and (code := scope.forbids(event.source, event.customer)):
            out.results.append(_refused(event, code))
            continue
        if isinstance(event, Broken):
            _set_aside(event, event.flaw, received_at, out)
            continue
        flaw = flaw_in(event, bounds=bounds, customers=known)
        if flaw is not None:
            _set_aside(event, flaw, received_at, out)
            continue
        result = EventResult(event.id, event.source, "accepted")
        out.results.append(result)
        try:
            if not away:
                out.on_their_way.append((result, append_event(event, received_at, parts.producer, partitions)))
        except TryLater:
            away = True
        if away:
            _not_stored(result, _BROKER_AWAY)
    return out


def append_event(
    event: ProductEvent, received_at: datetime, producer: BatchProducer, partitions: int
) -> asyncio.Future[None]:
    """
    Add a sound event to its partition's batch, encoded anew: attributes that are not ours end here, and with them any
    text. Raises TryLater while the broker is away.
    """
    event.receivedat = received_at
    if event.time.tzinfo is not UTC:
        event.time = event.time.astimezone(UTC)  # within the bounds, so it cannot overflow
    record_key = f"{event.customer}\0{event.subject}".encode()
    # the same as chassis.bus.partition_of, without building the key twice; a test holds them together
    return producer.append(TOPIC, crc32(record_key) % partitions, record_key, _ENCODE(event))


async def _confirm(on_their_way: list[tuple[EventResult, asyncio.Future[None]]], parts: Parts) -> None:
    futures = {future for _, future in on_their_way}
    await all_done(futures, after_each=_between_partitions)
    parts.confirmed += 1
    if any(future.cancelled() or future.exception() for future in futures):
        for result, future in on_their_way:
            if future.cancelled() or future.exception():
                _not_stored(result, _BROKER_AWAY)


def _between_partitions() -> None:
    FAILPOINTS.reach("events.between-partitions")


async def _keep(bad: list[tuple[EventResult, Delivery]], *, key: ApiKey, parts: Parts) -> None:
    try:
        await record_deliveries(parts.hot_pool, [delivery for _, delivery in bad], key_name=key.name, seals=parts.seals)
    except STORE_AWAY as error:
        log.warning("quarantine not written", extra={"deliveries": len(bad), "error": type(error).__name__})
        for result, _ in bad:
            _not_stored(result, _STORE_AWAY)
        return
    for result, _ in bad:
        metrics.QUARANTINED.labels(result.reason).inc()
    log.info(
        "events quarantined",
        extra={"key": key.name, "count": len(bad), "reasons": sorted({str(result.reason) for result, _ in bad})},
    )


def _set_aside(event: ProductEvent | Broken, flaw: Flaw, received_at: datetime, out: Sorted) -> None:
    delivery = delivery_of(event, flaw, received_at)
    field_name = flaw.named or flaw.field
    result = EventResult(
        delivery.event_id or None, delivery.source or None, "quarantined", flaw.reason.value, field_name, flaw.sentence
    )
    out.results.append(result)
    out.bad.append((result, delivery))


def _refused(event: ProductEvent | Broken, code: str) -> EventResult:
    what = code.removeprefix("forbidden_")
    return EventResult(
        identifier_or_none(event.id),
        identifier_or_none(event.source),
        "refused",
        code,
        what,
        f"this key may not send for this {what}; the event was not stored",
    )


def _not_stored(result: EventResult, detail: str) -> None:
    result.status, result.reason, result.field, result.detail = "not_stored", None, None, detail
