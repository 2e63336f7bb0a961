"""Every route of the door asks for a key and for its scope; Stripe's webhooks are known by their signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from chassis.access import Access
from chassis.access_matrix import undocumented, wrongly_answered
from chassis.bus import BatchProducer
from chassis.key_file import KeyFile
from chassis.testing import HouseKeys, SetClock
from invoicing_sync.app import _assemble
from invoicing_sync.instance import Instance
from invoicing_sync.settings import Settings
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.testing import START

NOWHERE: Any = cast("Any", None)


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
async def app(keys: HouseKeys) -> FastAPI:
    """The door without a database: whoever is let in gets an error, which is no refusal for the key."""
    settings = Settings(
        database_url=SecretStr("postgresql://nowhere"),
        kafka_bootstrap_servers="nowhere:9092",
        stripe_api_key=SecretStr("sk_test_none"),
    )
    door = StripeDoor(settings.api_keys(), base_url=None, pace=settings.pace)
    clock: Any = SetClock(START)
    instance = Instance(NOWHERE, door, name="test", lease_s=5)
    built = _assemble(
        settings, Access(KeyFile(keys.file)), clock, NOWHERE, door, BatchProducer("nowhere:9092"), instance
    )
    for work in built.work.values():
        work.close()
    return built.app


async def test_every_route_asks_for_a_key_and_for_its_scope(app: FastAPI, keys: HouseKeys) -> None:
    assert await wrongly_answered(app, keys) == []
    assert undocumented(app) == {"GET /openapi.json"}


async def test_only_the_webhooks_are_guarded_otherwise_and_a_key_opens_them_no_more(
    app: FastAPI, keys: HouseKeys
) -> None:
    otherwise = {
        path: operation["x-guarded-by"]
        for path, operations in app.openapi()["paths"].items()
        for operation in operations.values()
        if "x-guarded-by" in operation
    }

    assert otherwise == {
        "/healthz": "open: a probe has no key",
        "/readyz": "open: a probe has no key",
        "/v1/webhooks/stripe": "Stripe's signature",
    }
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/v1/webhooks/stripe", headers=keys.header, content=b"{}")
    assert answer.status_code not in (200, 401, 403)
