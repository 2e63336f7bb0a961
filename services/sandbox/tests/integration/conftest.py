"""One PostgreSQL and one sandbox that checks itself, real HTTP and the official SDK; each test begins with nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from chassis.testing import HouseKeys
from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec
from sandbox.testing import KEY, START, Driver, Receiver, receiving


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A PostgreSQL of the tests' own."""
    stack = Stack(Path(tmp_path_factory.mktemp("sandbox")), fsync=False)
    stack.postgres_only()
    yield stack
    stack.stop(remove_state=True)


@pytest.fixture(scope="session")
def house_keys(tmp_path_factory: pytest.TempPathFactory) -> HouseKeys:
    """Keys that open the control paths."""
    return HouseKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def services(stack: Stack, house_keys: HouseKeys) -> Iterator[Services]:
    """A running sandbox; it holds all requests and answers against the OpenAPI document."""
    services = Services(stack.state_dir, {"DATABASE_URL": stack.postgres.url, **house_keys.env})
    env = {
        "SANDBOX_CHECK": "1",
        "SANDBOX_WEBHOOK_FIRST_RETRY_MS": "20",
        "SANDBOX_WEBHOOK_LONGEST_RETRY_MS": "100",
        "SANDBOX_WEBHOOK_TRIES": "6",
        "SANDBOX_REPORT_MS": "200",
        "SANDBOX_PROCESSING_MS": "20",
        "SANDBOX_FORGET_S": "0.05",
    }
    services.start(ServiceSpec("sandbox", "sandbox", env=env))
    services.wait_ready("sandbox")
    yield services
    services.stop_all()


@pytest.fixture
async def sandbox(services: Services, house_keys: HouseKeys) -> AsyncIterator[Driver]:
    """An empty sandbox whose business clock stands at START."""
    url = services.url("sandbox")
    http = stripe.AIOHTTPClient()
    async with httpx.AsyncClient(base_url=url, headers=house_keys.header, timeout=30) as client:
        sandbox = Driver(url, stripe.StripeClient(KEY, base_addresses={"api": url}, http_client=http), client)
        await sandbox.control("POST", "reset")
        await sandbox.control("POST", "keys", keys=[])  # a reset is no rotation: the account's keys outlive it
        await sandbox.control("POST", "limits", requests_per_second=5000, meter_events_per_second=5000)
        await sandbox.advance(START)
        yield sandbox
        await sandbox.control("DELETE", "faults")
    await http.close_async()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server that keeps the webhooks it gets."""
    with receiving() as receiver:
        yield receiver
