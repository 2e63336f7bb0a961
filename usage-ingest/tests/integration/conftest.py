"""One embedded stack for all integration tests of this folder; a fresh service, keys and stepped clock as needed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from chassis.testing import ClockServer, HouseKeys
from embedded_stack import Stack
from embedded_stack.children import free_port
from embedded_stack.testing import stack_for_tests
from usage_ingest.__main__ import cli
from usage_ingest.seals import new_key
from usage_ingest.testing import Running, command

PARTITIONS = "8"
BEGIN = datetime(2026, 3, 2, 10, 0, 10, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with stack_for_tests("usage-ingest") as started:
        yield started


@pytest.fixture
def clock() -> Iterator[ClockServer]:
    owner = ClockServer(BEGIN)
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def house_keys(tmp_path_factory: pytest.TempPathFactory) -> HouseKeys:
    return HouseKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def base_env(stack: Stack, house_keys: HouseKeys) -> dict[str, str]:
    env = {**stack.urls.env(), **house_keys.env, "EVENT_PARTITIONS": PARTITIONS, "QUARANTINE_KEYS": new_key("tests")}
    command(env, "migrate")
    asyncio.run(_register(env["DATABASE_URL"], "acme"))
    return env


async def _register(database_url: str, customer: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("INSERT INTO ingest.customers (customer, origin) VALUES ($1, 'operator')", customer)
    finally:
        await connection.close()


@pytest.fixture
def env(base_env: dict[str, str], clock: ClockServer) -> dict[str, str]:
    return {**base_env, "BUSINESS_CLOCK_URL": clock.url}


@pytest.fixture
def start(env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts the service; ends it after the test."""
    started: list[Running] = []

    def starting(*, wait: bool = True, **more: str) -> Running:
        started.append(Running.start({**env, **more}, tmp_path / "service.log", port=free_port(), wait=wait))
        return started[-1]

    yield starting
    for running in started:
        running.close()


@pytest.fixture(scope="session")
def shared_clock() -> Iterator[ClockServer]:
    owner = ClockServer(BEGIN)
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def service(
    base_env: dict[str, str], shared_clock: ClockServer, operator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One running service for the tests that leave it as it is. It knows the customer `acme`; it is 10:00:10."""
    log = tmp_path_factory.mktemp("shared") / "service.log"
    running = Running.start(
        {**base_env, "BUSINESS_CLOCK_URL": shared_clock.url, "READ_BODY_WITHIN_S": "2"}, log, port=free_port()
    )
    yield running
    assert running.terminate() == 0
    running.close()


class Keys:
    """Makes keys of unused names."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self._made = 0

    def make(self, *options: str) -> tuple[str, str]:
        """(name, secret)"""
        self._made += 1
        name = f"key-{os.urandom(4).hex()}-{self._made}"
        arguments = ["keys", "create", "--name", name, "--json", *options]
        done = CliRunner().invoke(cli, arguments, env=self._env)  # in this process: a new one takes seconds to load
        assert done.exit_code == 0, done.output
        return name, json.loads(done.stdout)["key"]

    def run(self, *arguments: str) -> str:
        return command(self._env, "keys", *arguments)


@pytest.fixture(scope="session")
def keys(base_env: dict[str, str]) -> Keys:
    return Keys(base_env)


@pytest.fixture(scope="session")
def operator(keys: Keys) -> str:
    """A key of our own table that may send everything and do what operators do, as earlier states have them."""
    return keys.make("--operator")[1]
