"""Two sandboxes are two accounts: each with objects of its own, both by the business time that the first one owns."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.testing import HouseKeys
from embedded_stack.processes import Services, ServiceSpec
from sandbox.testing import Driver, until

LATER, LAST = "2026-10-05T00:00:00Z", "2026-10-09T00:00:00Z"


@pytest.fixture
async def second(sandbox: Driver, services: Services, house_keys: HouseKeys) -> AsyncIterator[httpx.AsyncClient]:
    """Another account, which follows the first one's time."""
    env = {"SANDBOX_NAME": "ie", "SANDBOX_CLOCK_URL": f"{sandbox.url}/_sandbox/clock", "SANDBOX_API_KEYS": "sk_test_ie"}
    services.start(ServiceSpec("sandbox-ie", "sandbox", env={**house_keys.env, **env}))
    services.wait_ready("sandbox-ie")
    async with httpx.AsyncClient(base_url=services.url("sandbox-ie"), headers=house_keys.header, timeout=30) as client:
        yield client
    services.stop("sandbox-ie")


async def stands_at(account: httpx.AsyncClient, at: str) -> None:
    async def does() -> bool:
        return bool((await account.get("/quiet", params={"at": at})).json()["quiet"])

    await until(does)


async def test_a_follower_lives_by_the_owners_time_and_is_moved_by_nobody_else(
    sandbox: Driver, second: httpx.AsyncClient, services: Services
) -> None:
    await sandbox.advance(LATER)
    await stands_at(second, LATER)

    refused = await second.post("/_sandbox/clock/advance", json={"to": LAST})
    assert (refused.status_code, refused.json()["code"]) == (409, "clock_of_another")
    assert (await second.get("/quiet", params={"at": LAST})).json()["waiting_for"] == ["business time"]

    services.kill("sandbox-ie")
    await sandbox.advance(LAST)
    services.restart("sandbox-ie")
    services.wait_ready("sandbox-ie")
    await stands_at(second, LAST)


async def test_each_account_has_its_own_objects_and_keys(sandbox: Driver, second: httpx.AsyncClient) -> None:
    await sandbox.a_customer(name="Acme")
    mine = await second.get("/v1/customers", headers={"Authorization": "Bearer sk_test_ie"})
    strange = await second.get("/v1/customers", headers={"Authorization": "Bearer sk_test_us"})

    assert (mine.status_code, mine.json()["data"]) == (200, [])
    assert strange.status_code == 401
