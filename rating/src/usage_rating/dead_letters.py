"""Records that cannot be decoded: handed to usage-ingest's quarantine before their offset is committed."""

from __future__ import annotations

import msgspec

from chassis.bus import BatchProducer, confirmed, partition_of_key
from event_schemas.times import from_micros, iso
from event_schemas.topics import EVENTS_ACCEPTED, EVENTS_QUARANTINED
from event_schemas.vocabulary import QuarantineReason
from usage_rating.arrivals import Arrivals
from usage_rating.entries import SOURCE

FEW = 100  # so many bad records in one batch may be bad luck, whatever their share

_encode = msgspec.json.Encoder().encode


class TooManyUnreadable(Exception):
    """Most of a batch cannot be decoded: more likely our reader is wrong than the records. Stop, divert nothing."""


async def publish_unreadable(producer: BatchProducer, arrivals: Arrivals, *, now: int) -> None:
    """
    Publish a batch's unreadable records, without their content, and wait for the confirmation. Safe to repeat: the id
    is the record's place.

    Raises:
        TooManyUnreadable: more than half of the batch, and more than a few.
    """
    count = len(arrivals.unreadable)
    if count > FEW and count * 2 > arrivals.events:
        raise TooManyUnreadable(f"{count} of {arrivals.events} records cannot be decoded")
    partitions = await producer.partitions_for(EVENTS_QUARANTINED.name)
    waiting = set()
    for record in arrivals.unreadable:
        place = f"{EVENTS_ACCEPTED.name}/{record.partition}/{record.offset}"
        key = f"{EVENTS_ACCEPTED.name}/{record.partition}".encode()
        value = {
            "specversion": "1.0",
            "type": "event.quarantined",
            "id": place,
            "source": SOURCE,
            "subject": place,
            "time": iso(from_micros(now)),
            "data": {
                "source_topic": EVENTS_ACCEPTED.name,
                "source_partition": record.partition,
                "source_offset": record.offset,
                "reason": QuarantineReason.UNREADABLE.value,
                "detail": record.detail,
            },
        }
        partition = partition_of_key(key, partitions)
        waiting.add(producer.append(EVENTS_QUARANTINED.name, partition, key, _encode(value)))
    await confirmed(waiting)
