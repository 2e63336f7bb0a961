"""Every control path asks for a key of the house, every call of Stripe's surface for a key of Stripe's account."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from chassis.access import Access
from chassis.access_matrix import path_of, undocumented, wrongly_answered
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.pacing import TokenBucket
from chassis.testing import HouseKeys, bearer
from sandbox.app import make_http
from sandbox.control import Control
from sandbox.faults import Faults
from sandbox.stripe import operations
from sandbox.stripe.desk import Desk
from sandbox.stripe.front import Front
from sandbox.stripe.openapi.check import RequestChecker
from sandbox.stripe.openapi.document import read_document
from sandbox.stripe.state import State

NOWHERE: Any = cast("Any", None)


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
def app(keys: HouseKeys) -> FastAPI:
    """A sandbox without a database: whoever is let in gets an error, which is no refusal for the key."""

    async def reset() -> None:
        raise RuntimeError("nothing to reset")

    state, faults, rate = State(), Faults(), TokenBucket(10_000, 10_000)
    front = Front(
        Desk(state, NOWHERE, faults),
        RequestChecker(read_document()),
        None,
        frozenset(),
        rate,
        TokenBucket(10_000, 10_000),
    )
    control = Control(state, NOWHERE, faults, NOWHERE, None, front, reset)
    return make_http(Access(KeyFile(keys.file)), Health(), control, front)


async def test_every_route_asks_for_a_key_and_for_its_scope(app: FastAPI, keys: HouseKeys) -> None:
    assert await wrongly_answered(app, keys) == []
    assert undocumented(app) == {"GET /openapi.json"}


def test_what_cannot_be_undone_or_tells_a_secret_takes_an_administrator(app: FastAPI) -> None:
    paths = app.openapi()["paths"]

    assert {path for path, ways in paths.items() for way in ways.values() if way.get("x-scope") == "admin"} == {
        "/_sandbox/keys",
        "/_sandbox/reset",
        "/_sandbox/webhooks/roll",
    }


async def test_a_key_of_the_house_is_none_of_stripes(app: FastAPI, keys: HouseKeys) -> None:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for operation in operations.OPERATIONS:
            for header in ({}, keys.header, bearer("sk_live_1")):
                answer = await client.request(operation.method, path_of(operation.path), headers=header)

                assert answer.status_code == 401, (operation.method, operation.path)
                assert answer.json()["error"]["type"] == "invalid_request_error"
                assert keys.admin not in answer.text
