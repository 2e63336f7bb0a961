"""One embedded stack for all integration tests of this folder; each test has its own customers, and its own loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from chassis.store import migrate
from chassis.testing import HouseKeys, SetClock, stored, until
from contracts_service.app import Service, build
from contracts_service.settings import MIGRATIONS, SCHEMA, Settings
from contracts_service.testing import a_catalog, asked, terms
from embedded_stack import Stack
from embedded_stack.children import free_port
from embedded_stack.testing import stack_for_tests

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with stack_for_tests("contracts") as started:
        yield started


@pytest.fixture(scope="session")
def house_keys(tmp_path_factory: pytest.TempPathFactory) -> HouseKeys:
    return HouseKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def database_url(stack: Stack) -> str:
    url = stack.urls.env()["DATABASE_URL"]
    asyncio.run(migrate(url, SCHEMA, MIGRATIONS))
    return url


@pytest.fixture
def fresh_database(stack: Stack) -> str:
    """A database of the test's own, for what would disturb the others."""
    url = stack.urls.env()["DATABASE_URL"]
    name = f"contracts_{os.urandom(4).hex()}"
    asyncio.run(_make(url, name))
    own = f"{url.rpartition('/')[0]}/{name}"
    asyncio.run(migrate(own, SCHEMA, MIGRATIONS))
    return own


async def _make(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


class Running:
    """The service in this process, its clock, and a client with a key that may do everything."""

    def __init__(self, service: Service, client: httpx.AsyncClient, clock: SetClock, kafka: str) -> None:
        self.service, self.client, self.clock, self.kafka = service, client, clock, kafka

    async def do(self, customer: str, command: dict[str, Any], **params: Any) -> httpx.Response:
        """Send a command."""
        path = f"/v1/contracts/{customer}/commands"
        return await self.client.post(path, json=command, params=params)

    async def apply(self, **changes: Any) -> httpx.Response:
        """Apply the small catalogue with changes."""
        body = {"catalog": a_catalog(**changes), "actor": "person:ann", "reason": "as agreed"}
        return await self.client.post("/v1/catalog/apply", json=body)

    async def published(self) -> None:
        """Return once nothing is due."""

        async def nothing_due() -> bool:
            return await self.service.publisher.waiting() == 0

        await until(nothing_due)

    async def records(self, topic: str, customer: str) -> list[dict[str, Any]]:
        """What lies on a topic about a customer."""
        found = [json.loads(record.value or b"") for record in await stored(self.kafka, topic, 0)]
        return [record for record in found if record["subject"] == customer]


Start = Callable[..., Any]


@pytest.fixture
def start(stack: Stack, house_keys: HouseKeys, database_url: str) -> Start:
    """Starts the service in this process; `async with start() as running`."""
    kafka = stack.urls.env()["KAFKA_BOOTSTRAP_SERVERS"]

    @asynccontextmanager
    async def starting(url: str = database_url, **more: Any) -> AsyncIterator[Running]:
        settings = Settings(
            database_url=SecretStr(url), kafka_bootstrap_servers=kafka, access_keys_file=str(house_keys.file), **more
        )
        clock = SetClock(NOW)
        service = build(settings, clock=clock)
        work = asyncio.create_task(service.work())
        transport = httpx.ASGITransport(service.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://contracts", headers=house_keys.header)
        try:
            await until(lambda: service.parts.ready or work.done())
            yield Running(service, client, clock, kafka)
        finally:
            await client.aclose()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await service.stop()

    return starting


@pytest.fixture
def customer() -> str:
    return f"acme-{os.urandom(4).hex()}"


def sign_up(key: str, **changes: Any) -> dict[str, Any]:
    """A sign-up with a key of its own."""
    return asked("sign_up", key=key, terms=terms(**changes))


class Process:
    """The service as a process that can be killed."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "contracts_service", "serve"],
            env={**os.environ, **env, "PORT": str(port)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.client = httpx.Client(base_url=self.url, timeout=20)

    def ready(self, *, within_s: float = 40) -> Process:
        """Return once it answers."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                if self.client.get("/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, Path(self._log.name).read_text()[-3000:]
            time.sleep(0.02)

    def dead(self, *, within_s: float = 20) -> int:
        """The exit code once it has ended by itself."""
        return self.process.wait(within_s)

    def close(self) -> None:
        """End it however it is."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.client.close()
        self._log.close()


@pytest.fixture
def process(stack: Stack, house_keys: HouseKeys, database_url: str, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the service as a process of its own; ends it after the test."""
    started: list[Process] = []

    def starting(**more: str) -> Process:
        env = {**stack.urls.env(), **house_keys.env, "DATABASE_URL": database_url, **more}
        started.append(Process(env, tmp_path / "service.log"))
        started[-1].client.headers = httpx.Headers(house_keys.header)
        return started[-1].ready()

    yield starting
    for one in started:
        one.close()
