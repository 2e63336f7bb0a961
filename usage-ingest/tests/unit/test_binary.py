"""CloudEvents in binary mode, as the SDK writes it and as others might."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from chassis.problems import Problem
from event_schemas.wire import ConversationSignal
from usage_ingest.binary import attributes_of, structured
from usage_ingest.decode import Broken, Shape, Undecodable, decode_events

HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "e1",
    "ce-source": "urn:helpdesk:eu",
    "ce-type": "conversation.signal",
    "ce-subject": "conversation-1",
    "ce-time": "2026-03-02T10:00:08Z",
    "ce-customer": "acme",
}
DATA = b'{"signal":"ai_answer"}'


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """As the server hands headers over: names in lower case."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def decode(headers: dict[str, str], body: bytes = DATA) -> Any:
    attributes = attributes_of(raw(headers))
    assert attributes is not None
    (event,) = decode_events(structured(attributes, body), Shape.ONE)
    return event


def an_sdk_event(**changes: Any) -> CloudEvent:
    attributes = {
        "id": 'e 1%é"',
        "source": "urn:helpdesk:eu",
        "type": "conversation.signal",
        "subject": "conversation-1",
        "time": datetime(2026, 3, 2, 10, 0, 8, 250_000, tzinfo=UTC),
        "customer": "acme",
        "datacontenttype": "application/json",
        **changes,
    }
    return CloudEvent(attributes, {"signal": "customer_message", "intent": "question", "channel": "email"})


class TestTheSdk:
    def test_its_binary_form_is_the_same_event_as_its_structured_form(self) -> None:
        event = an_sdk_event(id="e1")
        binary: HTTPMessage = to_binary_event(event)

        (told,) = decode_events(to_structured_event(event).body, Shape.ONE)

        assert isinstance(told, ConversationSignal)
        assert decode(binary.headers, binary.body) == told

    def test_what_it_percent_encodes_is_decoded(self) -> None:
        attributes = attributes_of(raw(to_binary_event(an_sdk_event()).headers))

        assert attributes is not None
        assert attributes["id"] == 'e 1%é"'


class TestHeaders:
    def test_names_are_taken_in_any_case(self) -> None:
        assert decode({name.title(): value for name, value in HEADERS.items()}) == decode(HEADERS)

    @pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"ce-note": "of a proxy"}])
    def test_without_specversion_or_id_it_is_no_binary_mode(self, headers: dict[str, str]) -> None:
        assert attributes_of(raw(headers)) is None

    @pytest.mark.parametrize("missing", ["specversion", "source", "type", "subject", "time", "customer"])
    def test_an_attribute_that_is_missing_is_named(self, missing: str) -> None:
        headers = {name: value for name, value in HEADERS.items() if name != f"ce-{missing}"}

        broken = decode(headers)

        assert isinstance(broken, Broken)
        assert (broken.flaw.reason, broken.flaw.field) == ("malformed", missing)

    @pytest.mark.parametrize(
        ("written", "meant"),
        [("a%20b", "a b"), ("%41", "A"), ("%e2%82%ac", "€"), ('"in \\"quotes\\""', 'in "quotes"'), ("5%", "5%")],
    )
    def test_values_are_unquoted_and_percent_decoded_once(self, written: str, meant: str) -> None:
        attributes = attributes_of(raw({**HEADERS, "ce-note": written}))

        assert attributes is not None
        assert attributes["note"] == meant

    @pytest.mark.parametrize("value", ["%C0%A0", "%ff", "\xe9"])
    def test_a_value_that_is_no_text_is_refused(self, value: str) -> None:
        with pytest.raises(Problem) as refusal:
            attributes_of(raw({**HEADERS, "ce-subject": value}))

        assert (refusal.value.status, refusal.value.code) == (400, "invalid_header")
        assert refusal.value.field == "ce-subject"

    def test_an_attribute_that_stands_twice_is_refused(self) -> None:
        with pytest.raises(Problem) as refusal:
            attributes_of([*raw(HEADERS), (b"ce-id", b"e2")])

        assert refusal.value.detail == "ce-id stands twice; an attribute has one value"

    def test_a_refusal_quotes_no_name_that_could_hold_text(self) -> None:
        with pytest.raises(Problem) as refusal:
            attributes_of(raw({**HEADERS, "ce-my_password_is_hunter2": "%ff"}))

        assert "hunter2" not in refusal.value.detail + str(refusal.value.field)

    def test_data_comes_from_the_body_alone(self) -> None:
        assert decode({**HEADERS, "ce-data": "x", "ce-datacontenttype": "text/plain"}) == decode(HEADERS)

    def test_the_order_of_headers_makes_no_other_event(self) -> None:
        forth = decode({**HEADERS, "ce-type": "chat"})
        back = decode(dict(reversed({**HEADERS, "ce-type": "chat"}.items())))

        assert forth.fingerprint == back.fingerprint


class TestBodies:
    def test_an_empty_body_is_an_event_without_data(self) -> None:
        broken = decode(HEADERS, b"")

        assert isinstance(broken, Broken)
        assert (broken.flaw.reason, broken.flaw.field) == ("malformed", "data")

    @pytest.mark.parametrize("body", [b"{", b'{},"id":"e2"', b"{}}", b"nope", b"\xff", b" ", b'{"signal":NaN}'])
    def test_a_body_that_is_not_one_json_value_cannot_enter(self, body: bytes) -> None:
        with pytest.raises(Undecodable) as refusal:
            decode(HEADERS, body)

        assert refusal.value.code == "invalid_json"

    def test_a_body_nested_too_deep_is_refused(self) -> None:
        with pytest.raises(Undecodable) as refusal:
            decode(HEADERS, b"[" * 100_000 + b"]" * 100_000)

        assert refusal.value.code == "nested_too_deep"

    @pytest.mark.parametrize("body", [b"3", b"[]", b'"text"', json.dumps({"signal": "\ud800"}).encode()])
    def test_json_that_is_no_data_of_ours_is_a_broken_event(self, body: bytes) -> None:
        broken = decode(HEADERS, body)

        assert isinstance(broken, Broken)
        assert (broken.flaw.reason, broken.id) == ("malformed", "e1")
