"""Every route but the senders' asks for a key of the house; operators' keys of our own table open as they did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from chassis.access_matrix import undocumented, wrongly_answered
from chassis.testing import HouseKeys, bearer
from usage_ingest.app import Service, build
from usage_ingest.seals import new_key
from usage_ingest.secret import digest_of, new_secret
from usage_ingest.settings import Settings


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


@pytest.fixture
def service(keys: HouseKeys) -> Service:
    """Without a database and a broker: whoever is let in gets an error, which is no refusal for the key."""
    made = build(
        Settings(
            database_url=SecretStr("postgresql://nowhere"),
            kafka_bootstrap_servers="nowhere:9092",
            access_keys_file=str(keys.file),
            quarantine_keys=SecretStr(new_key()),
            metrics_open=False,
        )
    )
    made.parts.ready = True
    return made


def a_row(secret: str, name: str, *, operator: bool) -> dict[str, Any]:
    none = {"expires_at": None, "quota_per_second": None, "burst": None}
    return {
        "digest": digest_of(secret),
        "name": name,
        "sources": ["*"],
        "customers": ["*"],
        "operator": operator,
    } | none


async def test_every_route_asks_for_a_key_and_for_its_scope(service: Service, keys: HouseKeys) -> None:
    assert await wrongly_answered(service.app, keys) == []
    assert undocumented(service.app) == {"GET /openapi.json"}


async def test_keys_of_our_own_table_open_by_what_they_are(service: Service, keys: HouseKeys) -> None:
    operator, sender = new_secret(), new_secret()
    service.parts.keys.replace([a_row(operator, "ops", operator=True), a_row(sender, "helpdesk", operator=False)])
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, path in (("GET", "/v1/quarantine"), ("POST", "/v1/customers"), ("GET", "/openapi.json")):
            assert (await client.request(method, path, headers=bearer(operator))).status_code not in (401, 403)
            assert (await client.request(method, path, headers=bearer(sender))).status_code == 403
        assert (await client.post("/v1/events", headers=keys.header, content=b"[]")).status_code == 401
        service.parts.ready = False  # they are not loaded: nobody can say that this key is none
        assert (await client.get("/v1/counts", headers=bearer(operator))).status_code == 503
        assert (await client.get("/v1/counts", headers=bearer(keys.read))).status_code == 503
        assert (await client.get("/v1/counts")).status_code == 401


async def test_only_the_senders_route_is_guarded_otherwise(service: Service) -> None:
    paths = service.app.openapi()["paths"]

    assert {path for path, ways in paths.items() for way in ways.values() if "x-guarded-by" in way} == {
        "/healthz",
        "/readyz",
        "/v1/events",
    }
    assert paths["/v1/counts"]["get"]["x-scope"] == "read"
    assert paths["/v1/quarantine/replay"]["post"]["x-scope"] == "operate"
