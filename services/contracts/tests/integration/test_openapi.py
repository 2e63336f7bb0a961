"""The OpenAPI document says what the service does: no generated request gets a 5xx or an undocumented answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from contracts_service.app import build
from contracts_service.settings import Settings
from contracts_service.testing import a_catalog, asked, terms
from embedded_stack import Stack

from .conftest import Process

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# The document is the same without a broker or a database: it is made here, the requests go to the running service.
with tempfile.TemporaryDirectory() as folder:
    SETTINGS = Settings(
        database_url=SecretStr("postgresql://nowhere"),
        kafka_bootstrap_servers="nowhere",
        access_keys_file=str(HouseKeys(Path(folder)).file),
    )
    DOCUMENT = build(SETTINGS).app.openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def shared(
    stack: Stack, house_keys: HouseKeys, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """One running service with a catalogue and the contract of `acme`."""
    env = {**stack.urls.env(), **house_keys.env, "DATABASE_URL": database_url}
    process = Process(env, tmp_path_factory.mktemp("shared") / "service.log")
    process.client.headers.update(house_keys.header)
    process.ready()
    body = {"catalog": a_catalog(), "actor": "person:ann", "reason": "as agreed"}
    process.client.post("/v1/catalog/apply", json=body)
    process.client.post("/v1/contracts/acme/commands", json=asked("sign_up", terms=terms()))
    yield process
    process.close()


def test_the_served_document_is_the_one_under_test(shared: Process) -> None:
    assert shared.client.get("/openapi.json").json() == DOCUMENT


@SCHEMA.exclude(path_regex="commands$").parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_generated_request_gets_a_5xx_or_an_undocumented_answer(
    case: Any, shared: Process, house_keys: HouseKeys
) -> None:
    case.call_and_validate(shared.url, headers=house_keys.header, checks=CHECKS)


@SCHEMA.include(path_regex="commands$").parametrize()  # fifteen shapes, whose generator takes seconds to build
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_generated_command_does_either(case: Any, shared: Process, house_keys: HouseKeys) -> None:
    case.call_and_validate(shared.url, headers=house_keys.header, checks=CHECKS)


@SCHEMA.exclude(path_regex="commands$").parametrize()
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
def test_nor_does_one_without_a_key(case: Any, shared: Process) -> None:
    case.call_and_validate(shared.url, headers={"Authorization": "Bearer stl_wrong"}, checks=CHECKS)


def test_nor_does_a_command_without_a_key(shared: Process) -> None:
    headers = {"Authorization": "Bearer stl_wrong"}
    answer = shared.client.post("/v1/contracts/acme/commands", json=asked("cancel"), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
