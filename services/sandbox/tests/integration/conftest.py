"""One stack and one sandbox for the module, real HTTP and the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stripe

from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec

START = "2026-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """PostgreSQL and a sandbox whose business clock stands at START."""
    state = Path(tmp_path_factory.mktemp("sandbox"))
    stack = Stack(state, fsync=False)
    stack.postgres_only()
    services = Services(state, {"DATABASE_URL": stack.postgres.url, "SANDBOX_CLOCK_START": START})
    services.run_once("sandbox", "migrate")
    services.start(ServiceSpec("sandbox", "sandbox", env={"SANDBOX_REQUESTS_PER_SECOND": "2000"}))
    services.wait_ready("sandbox")
    yield services
    services.stop_all()
    stack.stop(remove_state=True)


@pytest.fixture
def url(services: Services) -> str:
    """Base URL of the sandbox."""
    return services.url("sandbox")


@pytest.fixture
async def client(url: str) -> AsyncIterator[stripe.StripeClient]:
    """The official SDK, pointed at the sandbox."""
    http = stripe.AIOHTTPClient()
    yield stripe.StripeClient("sk_test_x", base_addresses={"api": url}, http_client=http)
    await http.close_async()
