"""
The fast form of the events on the hot path: msgspec structs that read and write the same JSON as the models.

`event_schemas.events` holds the pydantic models, from which the JSON Schemas come; a property test holds the two
together. Only types and lengths are checked while decoding; `flaw_of` checks what a type cannot say.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from event_schemas.values import parse_decimal
from event_schemas.vocabulary import Channel, Flag, Intent, ResolutionState

Identifier = Annotated[str, Meta(min_length=1, max_length=200)]
CustomerId = Annotated[str, Meta(min_length=1, max_length=100)]
Slug = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"^[a-z][a-z0-9_]*\Z")]  # \Z: $ would take a line break
Instant = Annotated[datetime, Meta(tz=True)]

PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")  # identifiers: printable ASCII, no white space, so no text fits in
CUSTOMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")

SignalName = Literal[
    "customer_message",
    "ai_answer",
    "ai_question",
    "ai_greeting",
    "ai_nudge",
    "procedure_handoff",
    "procedure_failed",
    "outcome_reached",
    "escalated",
    "teammate_reply",
    "flagged",
    "cleared",
    "merged_into",
]


class SignalData(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that happened; which optional field is needed depends on `signal`."""

    signal: SignalName
    intent: Intent | None = None
    channel: Channel = Channel.CHAT
    outcome_type: Slug | None = None
    flag: Flag | None = None
    into: Identifier | None = None
    evidence: Identifier | None = None


class ResolutionData(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A product's own decision about a conversation."""

    state: ResolutionState
    outcome_type: Slug = "resolution"
    channel: Channel = Channel.CHAT
    evidence: Identifier | None = None


class EventReference(msgspec.Struct, gc=False, forbid_unknown_fields=True, frozen=True):
    """Names another event by its identity."""

    source: Identifier
    id: Identifier


class UsageData(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A metered quantity; `corrects` names the event whose quantity this one replaces."""

    meter: Slug
    quantity: Annotated[str, Meta(min_length=1, max_length=30)]
    corrects: EventReference | None = None
    evidence: Identifier | None = None


class _Envelope(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True, tag_field="type"):
    """CloudEvents 1.0 attributes; `receivedat` is set by usage-ingest and by nobody else."""

    specversion: Literal["1.0"]
    id: Identifier
    source: Identifier
    subject: Identifier
    time: Instant
    customer: CustomerId
    datacontenttype: Literal["application/json"] = "application/json"
    receivedat: Instant | None = None


class ConversationSignal(_Envelope, tag="conversation.signal", kw_only=True):
    """`subject` is the conversation."""

    data: SignalData


class Resolution(_Envelope, tag="resolution", kw_only=True):
    """`subject` is the conversation."""

    data: ResolutionData


class Usage(_Envelope, tag="usage", kw_only=True):
    """`subject` is the product's own record."""

    data: UsageData


ProductEvent = ConversationSignal | Resolution | Usage

EVENT_TYPES = frozenset({"conversation.signal", "resolution", "usage"})


def flaw_of(event: ProductEvent) -> tuple[str, str] | None:
    """
    What a decoded event still gets wrong: (field, sentence), or None where it is sound.

    Cheap on purpose: one match over the joined identifiers, then the fields that `signal` asks for.
    """
    if not PRINTABLE.match(event.id + event.source + event.subject):
        return "id", "id, source and subject take printable ASCII characters without white space"
    if not CUSTOMER.match(event.customer):
        return "customer", "customer takes letters, digits and _ . : - and starts with a letter or digit"
    data = event.data
    if data.evidence is not None and not PRINTABLE.match(data.evidence):
        return "data.evidence", "evidence is a reference: printable ASCII characters without white space"
    if type(data) is SignalData:
        return _flaw_of_signal(data)
    if type(data) is UsageData:
        return _flaw_of_usage(data)
    return None


def _flaw_of_signal(data: SignalData) -> tuple[str, str] | None:
    name = data.signal
    if (data.intent is not None) != (name == "customer_message"):
        return "data.intent", "intent belongs to customer_message, and to it alone"
    if name == "outcome_reached" and data.outcome_type is None:
        return "data.outcome_type", "outcome_reached names its outcome_type"
    if data.flag is not None and name not in ("flagged", "cleared"):
        return "data.flag", "flag belongs to flagged and cleared"
    if name == "flagged" and data.flag is None:
        return "data.flag", "flagged names its flag"
    if (data.into is not None) != (name == "merged_into"):
        return "data.into", "into belongs to merged_into, and to it alone"
    if data.into is not None and not PRINTABLE.match(data.into):
        return "data.into", "into takes printable ASCII characters without white space"
    return None


def _flaw_of_usage(data: UsageData) -> tuple[str, str] | None:
    try:
        parse_decimal(data.quantity)
    except ValueError as error:
        return "data.quantity", f"quantity {error}"
    reference = data.corrects
    if reference is not None and not PRINTABLE.match(reference.source + reference.id):
        return "data.corrects", "source and id take printable ASCII characters without white space"
    return None


class Cause(msgspec.Struct, gc=False, omit_defaults=True, frozen=True):
    """Why an entry exists: how a charge came about or why it was reversed, by which policy, from which signals."""

    policy_version: str
    how: str | None = None
    reason: str | None = None
    signals: tuple[tuple[str, str], ...] = ()  # (source, id) of the signals that it rests on
    reverses: str | None = None  # entry id of the charge


class RatedEntry(msgspec.Struct, gc=False, omit_defaults=True, frozen=True, kw_only=True):
    """One line of the ledger. `quantity` is a positive decimal string; `op` gives its sign."""

    entry_id: str
    partition: int
    seq: int
    customer: str
    subject: str
    subject_kind: Literal["conversation", "record"]
    meter: str
    op: Literal["charge", "reverse"]
    ordinal: int
    quantity: str
    effective_at: datetime
    caused_at: datetime
    recorded_at: datetime
    cause: Cause


class UsageRated(msgspec.Struct, gc=False, kw_only=True, tag_field="type", tag="usage.rated"):
    """The record on `usage.rated`; `id` is the entry's, so every reader knows it again."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    subject: str  # the customer
    time: datetime  # recorded_at
    data: RatedEntry


class ProgressData(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """How far rating is in one partition: all up to `read_up_to` is decided, all up to `seq` is published."""

    topic_id: str
    partition: int
    read_up_to: datetime
    seq: int


class RatingProgress(msgspec.Struct, gc=False, kw_only=True, tag_field="type", tag="rating.progress"):
    """The record on `rating.progress`, keyed by partition."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    subject: str  # the partition
    time: datetime
    data: ProgressData
