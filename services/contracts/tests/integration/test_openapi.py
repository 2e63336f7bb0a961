"""The OpenAPI document says what the service does: no generated request gets a 5xx or an undocumented answer."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from contracts_service.testing import a_catalog, asked, from_the_file, terms
from embedded_stack import Stack
from event_schemas.contract_v2.testing import a_document

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


# A generator of all twenty shapes takes seconds to build; sound commands with anything in any place find more.
COMMAND = SCHEMA["/v1/contracts/{customer}/commands"]["POST"]
VERSION_1 = from_the_file("acme", revision=9)
RAMP = [{"at": "2026-03-01T00:00:00Z", "quantity": 1}]
SOUND = [
    asked("sign_up", terms=terms(coupon="welcome", add_ons=[{"add_on": "copilot"}], tax_address={"country": "DE"})),
    asked("sign", quote="Q-1"),
    asked("change_plan", plan="pro", seats=3),
    asked("change_seats", quantity=4, product="basic_seat"),
    asked("add_add_on", add_on="copilot", quantity=2),
    asked("remove_add_on", add_on="copilot"),
    asked("give_discount", percent="5", invoices=3, until="2027-01-01T00:00:00Z"),
    asked("commit", commitment={"meter": "resolution", "unit_price": "1", "bill": "advance", "ramp": RAMP}),
    asked("give_credit", amount_minor=5),
    asked("give_allowance", meter="resolution", quantity=10),
    asked("set_minimum", meter="resolution", amount_minor=5000, currency="USD"),
    asked("set_limit", meter="resolution", quantity=100),
    asked("set_alerts", meter="resolution", thresholds=[50, 90]),
    asked("change_policy", policy="patient"),
    asked("change_billing", name="Acme SE", billing_email="a@b.example"),
    asked("change_tax", tax_ids=[{"kind": "eu_vat", "value": "DE1"}], exemption={"reason": "resale"}),
    asked("move_issuer", issuer="settled-ie"),
    asked("cancel", when="period_end"),
    asked("undo", revision=1),
    asked("agree", contract=a_document(customer="acme", revision=9)),
    asked("agree", contract=VERSION_1),
]
INSTANTS = st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2199-12-31T23:59:59Z", "7"])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | INSTANTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def commands(draw: st.DrawFn) -> dict[str, Any]:
    """A sound command under a key of its own, in which one member may be anything, at any depth, or an instant odd."""
    command = copy.deepcopy(draw(st.sampled_from(SOUND)))
    command["key"] = draw(st.uuids()).hex
    command["at"] = draw(st.none() | INSTANTS | st.just("2026-04-01T00:00:00Z"))
    target: Any = command
    while isinstance(target, dict) and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(target)))
        if not isinstance(target[name], dict | list) or draw(st.booleans()):
            target[name] = draw(ANYTHING)
            break
        target = target[name]
    return command


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(command=commands(), dry_run=st.booleans(), customer=st.sampled_from(["acme", "nobody"]))
def test_no_command_does_either(
    command: dict[str, Any], dry_run: bool, customer: str, shared: Process, house_keys: HouseKeys
) -> None:
    case = COMMAND.Case(
        path_parameters={"customer": customer},
        query={"dry_run": str(dry_run).lower()},
        body=command,
        media_type="application/json",
    )
    case.call_and_validate(shared.url, headers=house_keys.header, checks=CHECKS)


@SCHEMA.exclude(path_regex="commands$").parametrize()
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
def test_nor_does_one_without_a_key(case: Any, shared: Process) -> None:
    case.call_and_validate(shared.url, headers={"Authorization": "Bearer stl_wrong"}, checks=CHECKS)


def test_nor_does_a_command_without_a_key(shared: Process) -> None:
    headers = {"Authorization": "Bearer stl_wrong"}
    answer = shared.client.post("/v1/contracts/acme/commands", json=asked("cancel"), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=st.lists(commands(), min_size=1, max_size=3), dry_run=st.booleans())
def test_nor_do_whole_contracts(
    found: list[dict[str, Any]], dry_run: bool, shared: Process, house_keys: HouseKeys
) -> None:
    case = SCHEMA["/v1/contracts"]["POST"].Case(
        query={"dry_run": str(dry_run).lower()}, body={"commands": found}, media_type="application/json"
    )
    case.call_and_validate(shared.url, headers=house_keys.header, checks=CHECKS)
