"""The OpenAPI document says what the service does: each answer listed for the hot route is provoked and held to it."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chassis.testing import HouseKeys
from usage_ingest.app import build
from usage_ingest.seals import new_key
from usage_ingest.settings import Settings
from usage_ingest.testing import Running, an_event

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def document(service: Running) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/openapi.json")
    return found


@pytest.fixture
def answers(service: Running, operator: str, keys: Any, start: Callable[..., Running]) -> dict[str, tuple[str, Any]]:
    """(content type, body) of one answer of each status that the document lists."""
    _, narrow = keys.make("--customer", "beta")
    _, slow = keys.make("--quota-per-second", "0.1", "--burst", "1")
    for key in (narrow, slow):
        service.wait_until(lambda: service.send([], key).status_code == 202, within_s=10)  # noqa: B023
    starting = start(wait=False, BUSINESS_CLOCK_URL="http://127.0.0.1:9/clock")
    starting.wait_until(lambda: starting._get("/healthz") == 200)
    bad = [an_event(2, type="chat"), an_event(3, id="a b", source="c d"), 3]
    service.send([an_event()], slow)
    provoked = [
        service.send([an_event(), *bad], operator),
        service.send(b"{", operator),
        service.send([an_event()], "stl_wrong"),
        service.send([an_event()], narrow),
        service.send(b" " * 2_000_000, operator),
        service.send([an_event()], operator, headers={"Content-Type": "text/plain"}),
        service.send([an_event()], slow),
        starting.send([an_event()], operator),
    ]
    found = {str(answer.status_code): (answer.headers["content-type"], answer.json()) for answer in provoked}
    return {**found, "408": _too_slow(service, operator)}


def _too_slow(service: Running, key: str) -> tuple[str, Any]:
    host, port = service.url.removeprefix("http://").split(":")
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n[".encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += slow.recv(65_536)
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in headers
    return "application/problem+json", json.loads(body)


def test_each_documented_answer_of_the_hot_route_happens_and_fits_its_schema(
    document: dict[str, Any], answers: dict[str, tuple[str, Any]]
) -> None:
    documented = document["paths"]["/v1/events"]["post"]["responses"]

    assert set(answers) == set(documented)
    for status, (content_type, body) in answers.items():
        schema = {**documented[status]["content"][content_type]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(body)


def test_the_document_takes_a_sound_event_and_refuses_a_text(document: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ProductEvent", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)

    assert validator.is_valid(an_event())
    assert not validator.is_valid(an_event(data={"signal": "ai_answer", "text": "hello"}))


# The document is the same without a broker or a database: it is made here, the requests go to the running service.
with tempfile.TemporaryDirectory() as folder:
    SETTINGS = Settings(
        database_url=SecretStr("postgresql://nowhere"),
        kafka_bootstrap_servers="nowhere",
        access_keys_file=str(HouseKeys(Path(folder)).file),
        quarantine_keys=SecretStr(new_key()),
    )
    DOCUMENT = build(SETTINGS).app.openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def test_the_served_document_is_the_one_under_test(document: dict[str, Any]) -> None:
    assert document == DOCUMENT


@SCHEMA.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_generated_request_gets_a_5xx_or_an_undocumented_answer(case: Any, service: Running, operator: str) -> None:
    case.call_and_validate(service.url, headers={"Authorization": f"Bearer {operator}"}, checks=CHECKS)


@SCHEMA.parametrize()
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_nor_does_one_without_a_key(case: Any, service: Running) -> None:
    case.call_and_validate(service.url, headers={"Authorization": "Bearer stl_wrong"}, checks=CHECKS)
