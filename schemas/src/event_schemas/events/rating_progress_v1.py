"""`rating.progress`: how far rating is in one partition."""

from __future__ import annotations

from typing import Literal

from event_schemas.events.envelope import Envelope, Fact
from event_schemas.times import Instant


class ProgressData(Fact):
    """All up to `read_up_to` is decided, and all entries up to `seq` are on `usage.rated`."""

    topic_id: str
    partition: int
    read_up_to: Instant
    seq: int


class RatingProgressEvent(Envelope):
    """`subject` is the partition of `events.accepted`."""

    type: Literal["rating.progress"]
    data: ProgressData
