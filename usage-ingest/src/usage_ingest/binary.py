"""
CloudEvents in binary mode: attributes in `ce-` headers, the body is `data`. Turned into the structured form of the same
event, so that everything behind it is one path and both modes end in the same record.

Source: CloudEvents 1.0.2, HTTP protocol binding, 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import msgspec

from chassis.problems import Problem
from usage_ingest.decode import check_json

_PREFIX = b"ce-"
_TELLING = frozenset({b"ce-specversion", b"ce-id"})
_NOT_ATTRIBUTES = frozenset({b"ce-data", b"ce-datacontenttype"})  # the body is the one, Content-Type the other
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"\Z', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ENCODE = msgspec.json.Encoder().encode


def attributes_of(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """
    The event's attributes as the headers say them; None where this is no event in binary mode.

    Args:
        headers: of a request whose content type is plain JSON, names in lower case. `application/cloudevents+json` is
            structured whatever headers stand beside it.

    Raises:
        Problem: 400, a header says no text, or says it twice.
    """
    found = sorted(header for header in headers if header[0][:3] == _PREFIX)  # their order says nothing
    if not found or _TELLING.isdisjoint(name for name, _ in found):
        return None
    attributes: dict[str, str] = {}
    for name, value in found:
        if name in _NOT_ATTRIBUTES:
            continue
        attribute = name[3:].decode("latin-1")
        if attribute in attributes:
            raise _unusable(name, "stands twice; an attribute has one value")
        try:
            attributes[attribute] = _plain(value).decode()
        except UnicodeDecodeError:
            raise _unusable(name, "is not percent-encoded UTF-8") from None
    attributes["datacontenttype"] = "application/json"  # what the content type says, without its charset
    return attributes


def structured(attributes: dict[str, str], body: bytes) -> bytes:
    """
    The same event as one JSON object; without `data` where the body is empty.

    Raises:
        Undecodable: the body is not one JSON value.
    """
    envelope: bytes = _ENCODE(attributes)
    if not body:
        return envelope
    check_json(body)  # or a body could end the object early and go on with attributes of its own
    return envelope[:-1] + b',"data":' + body + b"}"


def _plain(value: bytes) -> bytes:
    """A header's value without the quotes that older senders put around it, and one round of percent-decoding."""
    if quoted := _QUOTED.match(value):
        value = _ESCAPED.sub(rb"\1", quoted[1])
    return unquote_to_bytes(value) if b"%" in value else value


def _unusable(name: bytes, sentence: str) -> Problem:
    header = name.decode("latin-1")
    named = header if re.fullmatch(r"ce-[a-z0-9]{1,50}", header) else "a ce- header"  # a name could hold text
    return Problem(400, "invalid_header", f"{named} {sentence}", field=named)
