"""A running stand-in of NetSuite over the tests' PostgreSQL; each test begins with the example company alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from chassis.testing import HouseKeys
from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec
from sandbox.netsuite.testing import START, Driver

NAME = "netsuite"


@pytest.fixture(scope="session")
def standins(stack: Stack, house_keys: HouseKeys) -> Iterator[Services]:
    """The process."""
    services = Services(stack.state_dir / "netsuite", {"DATABASE_URL": stack.postgres.url, **house_keys.env})
    services.start(ServiceSpec(NAME, "sandbox.netsuite"))
    services.wait_ready(NAME)
    yield services
    services.stop_all()


@pytest.fixture
async def netsuite(standins: Services, house_keys: HouseKeys) -> AsyncIterator[Driver]:
    """An account without records whose business clock stands at START, and a client that is let in."""
    url = standins.url(NAME)
    async with httpx.AsyncClient(base_url=url, headers=house_keys.header, timeout=30) as client:
        driver = Driver(url, client)
        await driver.control("POST", "reset")
        await driver.control("POST", "limits", concurrency=5, request_ms=0, most_lines=200)
        await driver.control("POST", "clock/advance", to=START)
        await driver.certify()
        await driver.log_in()
        yield driver
        await driver.control("DELETE", "faults")
