"""Every control path asks for a key of the house, every call of NetSuite's surface for a signature of the account."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from chassis.access import Access
from chassis.access_matrix import undocumented, wrongly_answered
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.testing import HouseKeys
from sandbox.faults import Faults
from sandbox.netsuite.app import make_http
from sandbox.netsuite.auth.access import Door
from sandbox.netsuite.auth.credentials import Credentials
from sandbox.netsuite.business_time import BusinessTime
from sandbox.netsuite.control import Control
from sandbox.netsuite.front import Front, Limits, called_by

NOWHERE: Any = cast("Any", None)


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
def app(keys: HouseKeys) -> FastAPI:
    """A stand-in without a database: whoever is let in gets an error, which is no refusal for the key."""

    async def reset() -> None:
        raise RuntimeError("nothing to reset")

    door = Door(NOWHERE, Credentials(), account="TSTDRV1", window_s=300, token_s=3600)
    front = Front(NOWHERE, NOWHERE, door, Faults(), NOWHERE, Limits(5, 0, 200))
    time = BusinessTime(NOWHERE, owner_url=None, key=NOWHERE)
    control = Control(NOWHERE, NOWHERE, front, Faults(), time, reset)
    return make_http(Access(KeyFile(keys.file)), Health(), control, front, None)


async def test_every_route_asks_for_a_key_and_for_its_scope(app: FastAPI, keys: HouseKeys) -> None:
    assert await wrongly_answered(app, keys) == []
    assert undocumented(app) == {"GET /openapi.json"}


def test_what_cannot_be_undone_or_lets_somebody_in_takes_an_administrator(app: FastAPI) -> None:
    paths = app.openapi()["paths"]

    assert {path for path, ways in paths.items() for way in ways.values() if way.get("x-scope") == "admin"} == {
        "/_sandbox/company",
        "/_sandbox/credentials",
        "/_sandbox/reset",
    }


async def test_a_key_of_the_house_opens_nothing_of_netsuite(app: FastAPI, keys: HouseKeys) -> None:
    """Nor does no key; whatever the path, so that nobody learns what is there."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in ("record/v1/customer", "record/v1/nothing", "query/v1/suiteql", "system/v1/governanceLimits", "x"):
            for method in ("GET", "POST", "DELETE"):
                for header in ({}, keys.header, {"Authorization": "Basic eA=="}, {"Authorization": "OAuth x"}):
                    answer = await client.request(method, f"/services/rest/{path}", headers=header)

                    assert answer.status_code == 401, (method, path)
                    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"
                    assert keys.admin not in answer.text


def test_the_url_that_is_signed_is_the_one_that_the_client_called() -> None:
    """By its Host header, or as the setting has it where a proxy stands between."""
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"erp.example:8080")]}

    assert called_by(None)(scope) == "http://erp.example:8080"
    assert called_by("https://1234567.suitetalk.example/")(scope) == "https://1234567.suitetalk.example"
