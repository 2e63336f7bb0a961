"""Every control path asks for a key of the house, every call of AvaTax's surface for the account's credentials."""

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
from sandbox.avatax.account import read_account
from sandbox.avatax.answers import Answers
from sandbox.avatax.app import make_http
from sandbox.avatax.clock import Clock
from sandbox.avatax.control import Control
from sandbox.avatax.desk import Desk
from sandbox.avatax.front import Front
from sandbox.avatax.operations import OPERATIONS
from sandbox.avatax.rates_file import read_table
from sandbox.avatax.state import State
from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, TOKEN, write_account
from sandbox.faults import Faults

NOWHERE: Any = cast("Any", None)


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
def app(keys: HouseKeys, tmp_path: Path) -> FastAPI:
    """A stand-in without a database: whoever is let in gets an error, which is no refusal for the key."""

    async def reset() -> None:
        raise RuntimeError("nothing to reset")

    desk = Desk(State(), read_table(), read_account(str(write_account(tmp_path))), Answers(), Faults(), 100)
    front = Front(desk, NOWHERE, TokenBucket(10_000, 10_000), 0, frozenset({LICENSE_KEY}), frozenset({TOKEN}))
    return make_http(Access(KeyFile(keys.file)), Health(), Control(front, Clock(desk.state, NOWHERE), reset), front)


async def test_every_route_asks_for_a_key_and_for_its_scope(app: FastAPI, keys: HouseKeys) -> None:
    assert await wrongly_answered(app, keys) == []
    assert undocumented(app) == {"GET /openapi.json"}


def test_what_cannot_be_undone_or_changes_credentials_takes_an_administrator(app: FastAPI) -> None:
    paths = app.openapi()["paths"]

    found = {path for path, ways in paths.items() for way in ways.values() if way.get("x-scope") == "admin"}
    assert found == {"/_sandbox/keys", "/_sandbox/reset"}


async def test_a_key_of_the_house_is_none_of_avataxs(app: FastAPI, keys: HouseKeys) -> None:
    """Of all calls only ping answers without credentials, and no refusal repeats what was sent."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for operation in OPERATIONS:
            for header in ({}, keys.header, bearer("x"), {"Authorization": f"Basic {ACCOUNT}"}):
                url = f"/api/v2{path_of(operation.path)}"
                answer = await client.request(operation.method, url, headers=header)

                assert answer.status_code == (200 if operation.open_to_all else 401), (operation.method, url)
                assert keys.admin not in answer.text
                if operation.open_to_all:
                    assert answer.json()["authenticated"] is False
