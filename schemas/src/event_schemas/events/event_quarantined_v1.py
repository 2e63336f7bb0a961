"""`event.quarantined`: a record that its reader could not use, handed back to usage-ingest's quarantine."""

from __future__ import annotations

from typing import Any, Literal

from event_schemas.events.envelope import Envelope, Fact
from event_schemas.vocabulary import QuarantineReason


class QuarantinedData(Fact):
    """Where the record lies and why; `event` only where it fits its schema."""

    source_topic: str
    source_partition: int
    source_offset: int
    reason: QuarantineReason
    detail: str
    event: dict[str, Any] | None = None


class EventQuarantinedEvent(Envelope):
    """`subject` is topic/partition/offset."""

    type: Literal["event.quarantined"]
    data: QuarantinedData
