"""`usage.rated`: one entry of the ledger, a charge or a reversal."""

from __future__ import annotations

from typing import Literal

from event_schemas.events.envelope import Envelope, Fact
from event_schemas.times import Instant
from event_schemas.vocabulary import How, Op, Reason


class CauseData(Fact):
    """Why the entry exists; `signals` are (source, id) of the events that it rests on."""

    policy_version: str
    how: How | None = None
    reason: Reason | None = None
    signals: tuple[tuple[str, str], ...] = ()
    reverses: str | None = None


class RatedEntryData(Fact):
    """`quantity` is positive; `op` gives its sign. `partition` and `seq` order and complete, they identify nothing."""

    entry_id: str
    partition: int
    seq: int
    customer: str
    subject: str
    subject_kind: Literal["conversation", "record"]
    meter: str
    op: Op
    ordinal: int
    quantity: str
    effective_at: Instant
    caused_at: Instant
    recorded_at: Instant
    cause: CauseData


class UsageRatedEvent(Envelope):
    """`id` is the entry's id and `subject` the customer."""

    type: Literal["usage.rated"]
    data: RatedEntryData
