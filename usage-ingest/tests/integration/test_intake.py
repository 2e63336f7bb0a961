"""What POST /v1/events does with sound and bad events, over real HTTP, Kafka and PostgreSQL."""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

from chassis.testing import bearer
from usage_ingest.testing import Running, accepted, an_event

NUMBERS = itertools.count()


@pytest.fixture
def source() -> str:
    """A source that no other test uses."""
    return f"urn:test:{os.getpid()}:{next(NUMBERS)}"


@pytest.fixture
def bootstrap(base_env: dict[str, str]) -> str:
    return base_env["KAFKA_BOOTSTRAP_SERVERS"]


def test_an_acknowledged_event_is_on_the_bus(service: Running, operator: str, source: str, bootstrap: str) -> None:
    answer = service.send(an_event(1, source=source, note="dropped"), operator)

    assert answer.status_code == 202
    assert answer.json() == {
        "results": [{"id": "e1", "source": source, "status": "accepted"}],
        "accepted": 1,
        "quarantined": 0,
        "refused": 0,
    }
    (record,) = accepted(bootstrap, source=source)
    assert record["receivedat"] == "2026-03-02T10:00:10Z"
    assert record["_key"] == b"acme\x00conversation-1"
    assert "note" not in record


def test_an_event_of_the_sdk_is_the_same_record_in_binary_and_in_structured_mode(
    service: Running, operator: str, source: str, bootstrap: str
) -> None:
    attributes = an_event(1, source=source, time=datetime(2026, 3, 2, 10, 0, 8, tzinfo=UTC))
    data = attributes.pop("data")
    event = CloudEvent({**attributes, "datacontenttype": "application/json"}, data)

    answers = [
        service.client.post(
            f"{service.url}/v1/events",
            content=message.body,
            headers={"Authorization": f"Bearer {operator}", **message.headers},
        )
        for message in (http.to_binary_event(event), http.to_structured_event(event))
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["accepted"] for answer in answers] == [1, 1]
    binary, structured = accepted(bootstrap, source=source)
    assert binary == structured
    assert (binary["id"], binary["customer"], binary["data"]["intent"]) == ("e1", "acme", "question")


def test_a_header_that_is_no_text_is_a_problem_document(service: Running, operator: str) -> None:
    answer = service.send(b"{}", operator, headers={"CE-Id": "%ff"})

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "invalid_header", "ce-id")


def test_a_bad_event_never_spoils_its_batch(service: Running, operator: str, source: str, bootstrap: str) -> None:
    bad: list[Any] = [
        an_event(2, source=source, type="chat.message"),
        an_event(3, source=source, data={"signal": "ai_answer", "text": "hello there"}),
        an_event(4, source=source, customer="stranger"),
        an_event(5, source=source, time="0001-01-01T00:00:00Z"),
        an_event(6, source=source, time="9999-12-31T23:59:59Z"),
        an_event(7, source=source, time="2016-12-31T23:59:60Z"),
        an_event(8, source=source, time="2026-03-02T10:00:08"),
        an_event(9, source=source, data={"signal": "flagged"}),
        an_event(10, source=source, id="\u202eevil"),
        an_event(11, source=source, id="nul\x00"),
        an_event(12, source=source, type="usage", data={"meter": "sms", "quantity": "-1"}),
        "no event at all",
    ]

    answer = service.send([an_event(1, source=source), *bad, an_event(13, source=source)], operator)

    results = answer.json()["results"]
    assert answer.status_code == 202
    assert [(result["status"], result.get("reason"), result.get("field")) for result in results] == [
        ("accepted", None, None),
        ("quarantined", "unknown_type", "type"),
        ("quarantined", "unknown_field", "data.text"),
        ("quarantined", "unknown_customer", "customer"),
        ("quarantined", "too_old", "time"),
        ("quarantined", "in_the_future", "time"),
        ("quarantined", "malformed", "time"),
        ("quarantined", "malformed", "time"),
        ("quarantined", "malformed", "data.flag"),
        ("quarantined", "malformed", "id"),
        ("quarantined", "malformed", "id"),
        ("quarantined", "malformed", "data.quantity"),
        ("quarantined", "malformed", None),
        ("accepted", None, None),
    ]
    assert [result["id"] for result in results[-5:]] == [None, None, "e12", None, "e13"]
    assert all(result["detail"] for result in results if result["status"] == "quarantined")
    assert sorted(record["id"] for record in accepted(bootstrap, source=source)) == ["e1", "e13"]


def test_half_a_surrogate_pair_spoils_its_event_alone(service: Running, operator: str, source: str) -> None:
    good = json.dumps(an_event(1, source=source)).encode()
    broken = json.dumps(an_event(2, source=source, subject="\ud800")).encode()

    answer = service.send(b"[" + good + b"," + broken + b"]", operator)

    assert answer.status_code == 202
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "quarantined"]


def test_an_empty_batch_is_answered_with_no_results(service: Running, operator: str) -> None:
    answer = service.send([], operator)

    assert (answer.status_code, answer.json()["results"]) == (202, [])


def test_a_thousand_events_pass_and_a_thousand_and_one_do_not(
    service: Running, operator: str, source: str, bootstrap: str
) -> None:
    thousand = [an_event(number, source=source) for number in range(1000)]

    passed = service.send(thousand, operator)
    refused = service.send([*thousand, an_event(1000, source=source)], operator)

    assert (passed.status_code, passed.json()["accepted"]) == (202, 1000)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_events")
    assert len(accepted(bootstrap, source=source)) == 1000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[NaN]", 400, "invalid_json"),
        (b"42", 400, "wrong_shape"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "nested_too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "nested_too_deep"),
        (b" " * (1024 * 1024 + 1), 413, "body_too_large"),
        (b"[" + b"0," * 500_000 + b"0]", 413, "too_many_events"),
    ],
)
def test_a_body_that_cannot_be_used_is_a_problem_document(
    service: Running, operator: str, body: bytes, status: int, code: str
) -> None:
    answer = service.send(body, operator)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:settled:problem:{code}"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "text/plain"}, "unsupported_media_type"),
        ({"Content-Type": ""}, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=utf-16"}, "unsupported_charset"),
        ({"Content-Encoding": "gzip"}, "unsupported_encoding"),
        ({"Content-Encoding": "br"}, "unsupported_encoding"),
    ],
)
def test_labels_that_are_not_taken_are_415(service: Running, operator: str, headers: dict[str, str], code: str) -> None:
    answer = service.send([an_event()], operator, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, code)


@pytest.mark.parametrize(
    ("content_type", "one", "status"),
    [
        ("application/cloudevents+json", True, 202),
        ("application/cloudevents+json; charset=UTF-8", True, 202),
        ("application/cloudevents+json", False, 400),
        ("application/cloudevents-batch+json", False, 202),
        ("application/cloudevents-batch+json", True, 400),
    ],
)
def test_the_content_type_says_whether_it_is_one_event_or_a_batch(
    service: Running, operator: str, source: str, content_type: str, one: bool, status: int
) -> None:
    event = an_event(1, source=source)

    answer = service.send(event if one else [event], operator, headers={"Content-Type": content_type})

    assert answer.status_code == status


def test_a_chunked_body_is_measured_while_it_is_read(service: Running, operator: str) -> None:
    def endless() -> Any:
        for _ in range(400):
            yield b" " * 65_536

    answer = service.client.post(
        f"{service.url}/v1/events",
        content=endless(),
        headers={"Authorization": f"Bearer {operator}", "Content-Type": "application/json"},
        timeout=20,
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_that_does_not_arrive_is_408_and_holds_no_place(service: Running, operator: str) -> None:
    import socket

    host, port = service.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {operator}\r\nContent-Type: application/json\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n[".encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += slow.recv(65_536)

    assert b"408" in answer.split(b"\r\n")[0]
    assert b"body_too_slow" in answer


@pytest.mark.parametrize("authorization", [None, "Bearer stl_wrong", "Basic YTpi", "Bearer"])
def test_without_a_valid_key_it_is_401(service: Running, authorization: str | None) -> None:
    headers = {"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})}

    answer = service.client.post(f"{service.url}/v1/events", json=an_event(), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_service_logs_no_content(service: Running, operator: str, source: str) -> None:
    service.send([an_event(1, source=source, data={"signal": "ai_answer", "text": "hunter2"})], operator)
    service.send(b'{"hunter2"', operator)

    assert "hunter2" not in service.log.read_text()
    assert "stl_" not in service.log.read_text()


def test_other_methods_are_405_problem_documents(service: Running) -> None:
    answer = service.client.get(f"{service.url}/v1/events", headers=bearer(service.house_key))

    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
