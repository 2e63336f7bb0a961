"""One embedded stack for all integration tests of this folder; a fresh service, keys and stepped clock as needed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from embedded_stack import Stack
from usage_ingest.__main__ import cli
from usage_ingest.testing import Running, command

PARTITIONS = "8"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


class ClockOwner:
    """A stepped business clock over HTTP, as the sandbox serves it."""

    def __init__(self) -> None:
        self.now, self.version = "2026-03-02T10:00:10Z", 1
        owner, self.moved = self, threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = dict(part.split("=") for part in self.path.partition("?")[2].split("&") if part)
                with owner.moved:
                    owner.moved.wait_for(
                        lambda: owner.version > int(query.get("newer_than", -1)), float(query.get("wait_s", 0))
                    )
                    body = json.dumps({"now": owner.now, "version": owner.version}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *where: Any) -> None:
                """A process that is killed hangs up in the middle of its long poll; anything else is told."""
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(*where)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/clock"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def move(self, now: str) -> None:
        with self.moved:
            self.now, self.version = now, self.version + 1
            self.moved.notify_all()

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="usage-ingest-", dir=os.environ.get("SETTLED_TEST_DIR", "/tmp")) as folder:
        Path(folder).chmod(0o755)
        started = Stack(Path(folder) / "stack", fsync=False)
        started.start()
        yield started
        started.stop(remove_state=True)


@pytest.fixture
def clock() -> Iterator[ClockOwner]:
    owner = ClockOwner()
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def base_env(stack: Stack) -> dict[str, str]:
    env = {**stack.urls.env(), "EVENT_PARTITIONS": PARTITIONS}
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
def env(base_env: dict[str, str], clock: ClockOwner) -> dict[str, str]:
    return {**base_env, "BUSINESS_CLOCK_URL": clock.url}


@pytest.fixture
def start(env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts the service; ends it after the test."""
    started: list[Running] = []

    def starting(*, wait: bool = True, **more: str) -> Running:
        started.append(Running.start({**env, **more}, tmp_path / "service.log", wait=wait))
        return started[-1]

    yield starting
    for running in started:
        running.close()


@pytest.fixture(scope="session")
def shared_clock() -> Iterator[ClockOwner]:
    owner = ClockOwner()
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def service(
    base_env: dict[str, str], shared_clock: ClockOwner, operator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One running service for the tests that leave it as it is. It knows the customer `acme`; it is 10:00:10."""
    log = tmp_path_factory.mktemp("shared") / "service.log"
    running = Running.start({**base_env, "BUSINESS_CLOCK_URL": shared_clock.url, "READ_BODY_WITHIN_S": "2"}, log)
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
    """A key that may do everything."""
    return keys.make("--operator")[1]
