"""Between events and rows of the quarantine. Nothing but valid identifiers and clean payloads passes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from event_schemas.wire import ConversationSignal, ProductEvent, Resolution
from usage_ingest.decode import Broken, fingerprint_of
from usage_ingest.domain.flaws import Flaw, customer_or_none, identifier_or_none

_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of an event that could not be used. Identifiers are empty where the event had no valid ones."""

    source: str
    event_id: str
    subject: str
    customer: str
    type: str
    reason: str
    field: str | None
    sentence: str
    fingerprint: bytes
    event: str | None  # JSON, where it fits its schema
    received_at: datetime  # business time
    content: bytes | None = dataclasses.field(
        default=None, repr=False
    )  # what was sent, where it does not fit: stored sealed only

    @property
    def key(self) -> tuple[str, str, str, bytes]:
        """Deliveries of one key are one row."""
        return self.source, self.event_id, self.reason, self.fingerprint


def delivery_of(
    item: ProductEvent | Broken, flaw: Flaw, received_at: datetime, *, keep_payload: bool | None = None
) -> Delivery:
    """
    The row of a bad event, decoded or not: with the event where it fits its schema, else with its content to be sealed.

    `keep_payload` None: as the flaw says. An event that decodes is kept without the attributes that are not ours.
    """
    payload, content = None, None
    if isinstance(item, Broken):
        kind, fingerprint, content = item.type or "", item.fingerprint, item.content
    else:
        kind, fingerprint = type_of(item), fingerprint_of(item)
        if flaw.keeps_payload if keep_payload is None else keep_payload:
            item.receivedat = received_at
            payload = _ENCODE(item).decode()
        else:
            content = _ENCODE(item)
    return Delivery(
        source=identifier_or_none(item.source) or "",
        event_id=identifier_or_none(item.id) or "",
        subject=identifier_or_none(item.subject) or "",
        customer=customer_or_none(item.customer) or "",
        type=kind,
        reason=flaw.reason.value,
        field=flaw.field,
        sentence=flaw.sentence,
        fingerprint=fingerprint,
        event=payload,
        received_at=received_at,
        content=content,
    )


def type_of(event: ProductEvent) -> str:
    """The CloudEvents type of a decoded event."""
    if isinstance(event, ConversationSignal):
        return "conversation.signal"
    return "resolution" if isinstance(event, Resolution) else "usage"


def from_row_event(payload: dict[str, Any]) -> ProductEvent | None:
    """The event of a row; None where it does not fit today's schema."""
    try:
        event: ProductEvent = msgspec.json.decode(msgspec.json.encode(payload), type=ProductEvent)
        return event
    except msgspec.DecodeError:
        return None
