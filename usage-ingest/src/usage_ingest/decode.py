"""From a body's bytes to events: all at once where all are sound, one by one where one is not."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn

import msgspec

from event_schemas.vocabulary import QuarantineReason
from event_schemas.wire import EVENT_TYPES, ProductEvent
from usage_ingest.domain.flaws import Flaw, customer_or_none, identifier_or_none
from usage_ingest.domain.limits import EVENTS_MAX
from usage_ingest.explain import explain

_ONE = msgspec.json.Decoder(ProductEvent)
_BATCH = msgspec.json.Decoder(list[ProductEvent])
_RAW = msgspec.json.Decoder(msgspec.Raw)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ENCODE = msgspec.json.Encoder().encode
_OPENS_OBJECT = re.compile(rb"[ \t\r\n]*\{")


class Shape(Enum):
    """What a content type says the body holds."""

    ONE = "one event, a JSON object"
    BATCH = "a batch of events, a JSON array"
    EITHER = "one event or an array of events"


class Undecodable(Exception):
    """The body as a whole cannot be taken apart into events. `code` is stable."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Broken:
    """An event that does not decode: its flaw, what was sent, and those of its identifiers that are valid ones."""

    flaw: Flaw
    fingerprint: bytes
    content: bytes = field(repr=False)  # the event's JSON as it came, to be kept under seal and shown nowhere
    id: str | None = None
    source: str | None = None
    subject: str | None = None
    customer: str | None = None
    type: str | None = None


def decode_events(body: bytes, shape: Shape) -> list[ProductEvent | Broken]:
    """
    The events of a body, in its order.

    A bad event becomes a `Broken` and leaves the others alone. Of two members of one name the last counts, as in most
    JSON readers; what goes on is the event encoded anew, so nobody downstream can read the other one.

    Raises:
        Undecodable: not JSON, not of the shape, nested too deep, or more than EVENTS_MAX events.
    """
    single = shape is Shape.ONE or (shape is Shape.EITHER and _OPENS_OBJECT.match(body) is not None)
    try:
        events: list[ProductEvent | Broken] = [_ONE.decode(body)] if single else list(_BATCH.decode(body))
    except (msgspec.DecodeError, RecursionError):  # a ValidationError is a DecodeError
        parts = _split(body, single=single)
        _check_count(len(parts))
        return [decode_one(part) for part in parts]
    _check_count(len(events))
    return events


def check_json(body: bytes) -> None:
    """Return where a body is one JSON value, of whatever kind. Raises Undecodable where it is none."""
    try:
        _RAW.decode(body)
    except RecursionError:
        raise _too_deep() from None
    except msgspec.DecodeError:
        _load_slowly(body)


def fingerprint_of(event: ProductEvent) -> bytes:
    """SHA-256 of what the event says, whenever it was received."""
    received_at, event.receivedat = event.receivedat, None
    try:
        return hashlib.sha256(_ENCODE(event)).digest()
    finally:
        event.receivedat = received_at


def _check_count(count: int) -> None:
    if count > EVENTS_MAX:
        raise Undecodable("too_many_events", f"a request holds at most {EVENTS_MAX} events, this one holds {count}")


def _split(body: bytes, *, single: bool) -> list[bytes]:
    """The JSON text of each event."""
    try:
        if single:
            parts = [bytes(_RAW.decode(body))]
            if not _OPENS_OBJECT.match(body):
                raise Undecodable("wrong_shape", "this content type holds one event, which is a JSON object")
            return parts
        return [bytes(raw) for raw in _RAWS.decode(body)]
    except RecursionError:
        raise _too_deep() from None
    except msgspec.ValidationError:
        raise Undecodable("wrong_shape", "a batch is a JSON array of events") from None
    except msgspec.DecodeError:
        return _split_slowly(body, single=single)


def _split_slowly(body: bytes, *, single: bool) -> list[bytes]:
    """
    Split with the standard library, which takes what msgspec's splitter refuses although its syntax is sound: the
    escape of half a surrogate pair. Such an event is broken, and only such an event.
    """
    value = _load_slowly(body)
    if single != isinstance(value, dict) or not isinstance(value, dict | list):
        raise Undecodable("wrong_shape", "an event is a JSON object, a batch is a JSON array of events")
    return [json.dumps(part).encode() for part in ([value] if single else value)]


def _load_slowly(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # also UnicodeDecodeError and JSONDecodeError
        raise Undecodable("invalid_json", "the body is not valid JSON in UTF-8") from None


def _too_deep() -> Undecodable:
    return Undecodable("nested_too_deep", "the body is nested deeper than any event is")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def decode_one(part: bytes) -> ProductEvent | Broken:
    """One event's JSON, or what is wrong with it."""
    try:
        event: ProductEvent = _ONE.decode(part)
        return event
    except msgspec.ValidationError as error:
        return _broken(part, explain(str(error)))
    except (msgspec.DecodeError, RecursionError):
        sentence = "the event's text is broken: invalid UTF-8, half a surrogate pair, or a number out of range"
        return _broken(part, Flaw(QuarantineReason.MALFORMED, None, sentence))


def _broken(part: bytes, flaw: Flaw) -> Broken:
    loose = _loosely(part)
    kind = loose.get("type")
    if isinstance(kind, str) and kind not in EVENT_TYPES:
        flaw = Flaw(QuarantineReason.UNKNOWN_TYPE, "type", "this type of event is not known here")
    return Broken(
        flaw,
        hashlib.sha256(part).digest(),
        part,
        id=identifier_or_none(loose.get("id")),
        source=identifier_or_none(loose.get("source")),
        subject=identifier_or_none(loose.get("subject")),
        customer=customer_or_none(loose.get("customer")),
        type=identifier_or_none(kind),
    )


def _loosely(part: bytes) -> dict[str, Any]:
    """Whatever members can be read at all; empty where the event is no object."""
    try:
        value = json.loads(part.decode())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
