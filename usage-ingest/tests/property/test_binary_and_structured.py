"""An event in binary mode and the same event in structured mode end in the same record, or in the same quarantine."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_ingest.binary import attributes_of, structured
from usage_ingest.decode import Broken, Shape, decode_events
from usage_ingest.handlers import append_event
from usage_ingest.testing import an_event

RECEIVED_AT = datetime(2026, 3, 2, 10, 0, 10, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)  # any text but half a surrogate pair
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "source", "subject", "customer", "type", "time", "note", "traceparent"), TEXT),
        "data": st.one_of(JSON, st.just({"signal": "ai_answer", "text": "hello"})),
    },
)


class Kept:
    """Keeps the one record."""

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> Any:
        self.record = (topic, partition, key, value)


def outcome(body: bytes) -> Any:
    """The record on the bus, or what is wrong with the event."""
    (event,) = decode_events(body, Shape.ONE)
    if isinstance(event, Broken):
        # the bytes differ in white space and order, what they say and what is kept under seal does not
        return replace(event, fingerprint=b"", content=b""), json.loads(event.content)
    kept = Kept()
    append_event(event, RECEIVED_AT, kept, 8)  # type: ignore[arg-type]
    return kept.record


@settings(max_examples=500, deadline=None)
@given(CHANGES)
@example({})
@example({"subject": '"quoted"'})
@example({"subject": "100%25"})
def test_both_modes_of_an_event_have_one_outcome(changes: dict[str, Any]) -> None:
    event = {**an_event(), **changes}
    data = json.dumps(event.pop("data")).encode()
    headers = [(f"ce-{name}".encode(), quote(value, safe="").encode()) for name, value in event.items()]
    event["datacontenttype"] = "application/json"  # as the header Content-Type says it in binary mode
    body = json.dumps(event, sort_keys=True).encode()  # of several flaws the first is told: the same order in both

    attributes = attributes_of(headers)

    assert attributes is not None
    assert outcome(structured(attributes, data)) == outcome(body[:-1] + b', "data": ' + data + b"}")
