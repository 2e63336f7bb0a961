"""A running AvaTax stand-in with an account of a test's own, real HTTP; each test begins with nothing recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from avalara.client import AvataxClient

from chassis.testing import HouseKeys
from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec
from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, Driver, write_account


@pytest.fixture(scope="session")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with a US and a German company."""
    return write_account(tmp_path_factory.mktemp("avatax"))


@pytest.fixture(scope="session")
def avatax_services(stack: Stack, house_keys: HouseKeys, account_file: Path) -> Iterator[Services]:
    """The process; the forced time-out is short, so that a test can wait for it."""
    services = Services(stack.state_dir, {"DATABASE_URL": stack.postgres.url, **house_keys.env})
    env = {"AVATAX_ACCOUNT_FILE": str(account_file), "AVATAX_FORCE_TIMEOUT_MS": "200", "AVATAX_MOST_LINES": "100"}
    services.start(ServiceSpec("avatax", "sandbox", args=("serve", "avatax"), env=env))
    services.wait_ready("avatax")
    yield services
    services.stop("avatax")


@pytest.fixture
async def avatax(avatax_services: Services, house_keys: HouseKeys) -> AsyncIterator[Driver]:
    """An empty stand-in whose business clock stands at the middle of October 2026."""
    url = avatax_services.url("avatax")
    async with httpx.AsyncClient(base_url=url, headers=house_keys.header, timeout=30) as client:
        driver = Driver(url, client)
        await driver.control("POST", "reset")
        await driver.control("POST", "limits", requests_per_second=5000)
        await driver.control("POST", "clock/advance", to="2026-10-15T00:00:00Z")
        yield driver
        await driver.control("DELETE", "faults")


@pytest.fixture
def sdk(avatax: Driver) -> AvataxClient:
    """Avalara's own SDK, pointed at the stand-in. It is synchronous: call it in a thread."""
    client = AvataxClient("settled-tests", "1", "here", avatax.url, timeout_limit=30)
    return client.add_credentials(ACCOUNT, LICENSE_KEY)
