"""From a body's bytes to events: a bad event never spoils its batch, a bad body is refused with a stable code."""

from __future__ import annotations

import json

import pytest

from event_schemas.wire import ConversationSignal
from usage_ingest.decode import Broken, Shape, Undecodable, decode_events
from usage_ingest.testing import an_event


def decode(events: object, shape: Shape = Shape.EITHER) -> list[object]:
    return list(decode_events(json.dumps(events).encode(), shape))


def code_of(body: bytes, shape: Shape = Shape.EITHER) -> str:
    with pytest.raises(Undecodable) as refusal:
        decode_events(body, shape)
    return refusal.value.code


class TestWholeBodies:
    def test_one_event_is_a_list_of_one(self) -> None:
        (event,) = decode(an_event(7), Shape.ONE)

        assert isinstance(event, ConversationSignal)
        assert event.id == "e7"

    def test_an_array_is_a_batch(self) -> None:
        assert len(decode([an_event(1), an_event(2)], Shape.BATCH)) == 2

    def test_an_empty_batch_is_no_event(self) -> None:
        assert decode([]) == []

    def test_a_thousand_events_pass(self) -> None:
        assert len(decode([an_event(number) for number in range(1000)])) == 1000

    @pytest.mark.parametrize("bad", [{}, {"extra": 1}])
    def test_a_thousand_and_one_are_refused_sound_or_not(self, bad: dict[str, int]) -> None:
        events = [an_event(number) for number in range(1000)] + [bad or an_event(1000)]

        assert code_of(json.dumps(events).encode()) == "too_many_events"

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[", b"[1,]", b"[NaN]", b"[] []", b"\xef\xbb\xbf[]", b"\xff", b"nope"]
    )
    def test_what_is_not_json_is_refused(self, body: bytes) -> None:
        assert code_of(body) == "invalid_json"

    @pytest.mark.parametrize("body", [b"3", b'"text"', b"null", b"true"])
    def test_what_is_neither_object_nor_array_is_refused(self, body: bytes) -> None:
        assert code_of(body) == "wrong_shape"

    def test_a_batch_under_the_type_of_one_event_is_refused(self) -> None:
        assert code_of(json.dumps([an_event()]).encode(), Shape.ONE) == "wrong_shape"

    def test_one_event_under_the_type_of_a_batch_is_refused(self) -> None:
        assert code_of(json.dumps(an_event()).encode(), Shape.BATCH) == "wrong_shape"

    def test_two_objects_are_not_smuggled_in_as_a_batch(self) -> None:
        assert code_of(b"{},{}") == "invalid_json"

    @pytest.mark.parametrize(
        "body", [b"[" * 100_000 + b"]" * 100_000, b'[{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]"]
    )
    def test_a_hundred_thousand_levels_are_refused(self, body: bytes) -> None:
        assert code_of(body) == "nested_too_deep"


class TestOneBadEventAmongGoodOnes:
    @pytest.mark.parametrize(
        ("bad", "reason", "field"),
        [
            (3, "malformed", None),
            (None, "malformed", None),
            ([], "malformed", None),
            ({}, "malformed", "type"),
            (an_event(type="chat.message"), "unknown_type", "type"),
            (an_event(type=3), "malformed", "type"),
            (an_event(id=None), "malformed", "id"),
            (an_event(id=3), "malformed", "id"),
            (an_event(id=""), "malformed", "id"),
            (an_event(id="x" * 201), "malformed", "id"),
            (an_event(customer="x" * 101), "malformed", "customer"),
            (an_event(specversion="0.3"), "malformed", "specversion"),
            (an_event(time="2026-03-02T10:00:08"), "malformed", "time"),
            (an_event(time="2016-12-31T23:59:60Z"), "malformed", "time"),
            (an_event(time="yesterday"), "malformed", "time"),
            (an_event(time=1700000000), "malformed", "time"),
            (an_event(time=1e300), "malformed", "time"),
            (an_event(data=None), "malformed", "data"),
            (an_event(data={"signal": "shouted"}), "malformed", "data.signal"),
            (an_event(data={"signal": "ai_answer", "text": "hello"}), "unknown_field", "data"),
            (an_event(type="usage", data={"meter": "Sms", "quantity": "1"}), "malformed", "data.meter"),
            (an_event(type="usage", data={"meter": "sms", "quantity": 1}), "malformed", "data.quantity"),
        ],
    )
    def test_is_named_with_its_reason_and_field(self, bad: object, reason: str, field: str | None) -> None:
        first, broken, last = decode([an_event(1), bad, an_event(3)])

        assert isinstance(first, ConversationSignal)
        assert isinstance(last, ConversationSignal)
        assert isinstance(broken, Broken)
        assert (broken.flaw.reason, broken.flaw.field) == (reason, field)

    @pytest.mark.parametrize(
        "text",
        [
            rb'{"id":"\ud800"}',  # half a surrogate pair: sound syntax, no text
            rb'{"id":"\udfff\ud800"}',
            b'{"id":"\xff"}',  # not UTF-8
            b'{"id":1e400}',
        ],
    )
    def test_text_that_is_none_spoils_nothing_but_its_event(self, text: bytes) -> None:
        good = json.dumps(an_event(1)).encode()

        first, broken, last = decode_events(b"[" + good + b"," + text + b"," + good + b"]", Shape.EITHER)

        assert isinstance(first, ConversationSignal)
        assert isinstance(broken, Broken)
        assert isinstance(last, ConversationSignal)

    def test_keeps_the_identifiers_that_are_valid_and_no_others(self) -> None:
        (broken,) = decode(an_event(id="has white space", subject="ok", customer="-no", type="chat.message"))

        assert isinstance(broken, Broken)
        assert (broken.id, broken.source, broken.subject) == (None, "urn:helpdesk:eu", "ok")
        assert (broken.customer, broken.type) == (None, "chat.message")

    def test_quotes_nothing_that_the_sender_wrote(self) -> None:
        secrets = [
            an_event(data={"signal": "my password is hunter2"}),
            an_event(data={"signal": "ai_answer", "hunter2": "x"}),
            an_event(time="hunter2"),
            an_event(specversion="hunter2"),
        ]

        flaws = [broken.flaw for broken in decode(secrets) if isinstance(broken, Broken)]

        assert len(flaws) == 4
        assert not any("hunter2" in f"{flaw.field} {flaw.sentence}" for flaw in flaws)

    def test_names_an_unknown_field_to_its_sender_alone(self) -> None:
        (broken,) = decode(an_event(data={"signal": "ai_answer", "text": "hello"}))

        assert isinstance(broken, Broken)
        assert (broken.flaw.field, broken.flaw.named) == ("data", "data.text")


class TestAwkwardJson:
    def test_of_two_members_of_one_name_the_last_counts(self) -> None:
        body = json.dumps(an_event()).replace('"id": "e1"', '"id": "e1", "id": "e2"').encode()

        (event,) = decode_events(body, Shape.ONE)

        assert event.id == "e2"

    def test_numbers_out_of_range_in_attributes_that_are_not_ours_do_no_harm(self) -> None:
        body = json.dumps(an_event()).replace('"id"', '"x": 1e400, "y": -0, "z": 123456789012345678901234567890, "id"')

        (event,) = decode_events(body.encode(), Shape.ONE)

        assert event.id == "e1"

    def test_extension_attributes_end_at_the_door(self) -> None:
        (event,) = decode(an_event(traceparent="00-abc", note="some text"))

        assert not hasattr(event, "note")
