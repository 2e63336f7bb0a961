"""From a decoder's message to a flaw that a stranger understands and that quotes nothing the sender wrote."""

from __future__ import annotations

import re

from event_schemas.vocabulary import QuarantineReason
from usage_ingest.domain.flaws import Flaw

_SCHEMA_PATH = re.compile(r"[a-z_]+(\.[a-z_]+)*\Z")  # members of our own schemas
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING_FIELD = re.compile(r"Object missing required field `([a-z_]+)`\Z")
_EXPECTED = re.compile(r"Expected `[a-z |]+`(, got `[a-z]+`| of length (>=|<=) \d+)?\Z")

_SENTENCES = (
    ("Invalid enum value", "is not one of the words that this field takes"),
    ("Invalid value", "is not one of the words that this field takes"),
    ("Invalid RFC3339", "is not an RFC 3339 time such as 2026-03-02T10:00:08Z"),
    ("Expected `datetime` with a timezone", "needs an offset from UTC, such as Z"),
    ("Expected `str` matching regex", "takes lower-case letters, digits and _, and starts with a letter"),
)


def explain(message: str) -> Flaw:
    """The flaw behind the message of a msgspec.ValidationError about one event."""
    what, _, where = message.partition(" - at `$")
    path = where.rstrip("`").lstrip(".")
    field = path if _SCHEMA_PATH.match(path) else None
    if unknown := _UNKNOWN_FIELD.match(what):
        return Flaw(
            QuarantineReason.UNKNOWN_FIELD,
            field,
            f"{field or 'the event'} holds a field that its type does not have; "
            "unknown fields are refused, so that no text can enter",
            named=f"{field}.{unknown[1]}"[:200],
        )
    if missing := _MISSING_FIELD.match(what):
        full = f"{field}.{missing[1]}" if field else missing[1]
        return Flaw(QuarantineReason.MALFORMED, full, f"{full} is required and missing")
    return Flaw(QuarantineReason.MALFORMED, field, f"{field or 'the event'} {_sentence(what)}")


def _sentence(what: str) -> str:
    for opening, sentence in _SENTENCES:
        if what.startswith(opening):
            return sentence
    if _EXPECTED.match(what):
        return "is of the wrong type or size: " + what.replace("`", "").lower()
    return "does not fit the schema of its type"
