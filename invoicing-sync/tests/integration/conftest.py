"""One real PostgreSQL and Kafka for all tests; each test has its own database, topics, sandbox and door process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from confluent_kafka.admin import AdminClient

import invoicing_sync
import sandbox as sandbox_package
from chassis.bus import BatchProducer, partition_of_key
from chassis.store import migrate
from chassis.testing import HouseKeys
from chassis.topics import ensure_topics
from embedded_stack.children import free_port
from embedded_stack.testing import stack_for_tests
from event_schemas.contracts import Contract
from event_schemas.times import iso
from event_schemas.topics import TOPICS
from event_schemas.wire import RatedEntry
from invoicing_sync.testing import START, a_contract, contract_record, progress_record, rated_record

KEY = "sk_test_settled"
PARTITIONS = 2


@pytest.fixture(scope="session")
def stack() -> Iterator[dict[str, str]]:
    with stack_for_tests("door") as running:
        yield running.urls.env()


@pytest.fixture(scope="session")
def house_keys(tmp_path_factory: pytest.TempPathFactory) -> HouseKeys:
    """Keys that the sandbox and every door take."""
    return HouseKeys(tmp_path_factory.mktemp("keys"))


def _spawn(module: str, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        command = [sys.executable, "-m", module, "serve"]
        return subprocess.Popen(command, env=os.environ | env, stdout=out, stderr=out)


async def _wait_until_up(url: str) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            with suppress(httpx.HTTPError):
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


@pytest.fixture(scope="session")
def sandbox(stack: dict[str, str], house_keys: HouseKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a sandbox that checks every request and answer; a test's world makes it forget the last one's."""
    port = free_port()
    env = stack | house_keys.env
    env |= {
        "PORT": str(port),
        "SANDBOX_PROCESSING_MS": "20",
        "SANDBOX_REPORT_MS": "20",
        "SANDBOX_REQUESTS_PER_SECOND": "5000",
        "SANDBOX_CHECK": "1",
    }
    url = f"http://127.0.0.1:{port}"
    asyncio.run(migrate(stack["DATABASE_URL"], "sandbox", Path(sandbox_package.__file__).parent / "migrations"))
    process = _spawn("sandbox", env, tmp_path_factory.mktemp("sandbox") / "log")
    asyncio.run(_wait_until_up(url))
    yield url
    process.terminate()
    process.wait(20)


class World:
    """A sandbox and a door, and the bus in between, driven from outside like in life."""

    def __init__(self, env: dict[str, str], logs: Path, sandbox_url: str, keys: HouseKeys) -> None:
        self.env = env | keys.env
        self.keys = keys
        self.logs = logs
        self.door_port = free_port()
        self.sandbox_url = sandbox_url
        self.door_url = f"http://127.0.0.1:{self.door_port}"
        self.http = httpx.AsyncClient(timeout=30, headers=keys.header)
        self.producer = BatchProducer(env["KAFKA_BOOTSTRAP_SERVERS"])
        self.door: subprocess.Popen[bytes] | None = None
        self.at = START
        self.months = 0
        self.may_die = False
        self.deaths: list[int] = []
        self.seq = 0
        self.held: dict[str, Any] = {}

    # --- processes

    async def start(self, start: datetime) -> None:
        versions = Path(invoicing_sync.__file__).parent / "migrations"
        await asyncio.gather(
            migrate(self.env["DATABASE_URL"], "invoicing", versions),
            ensure_topics(self.env["KAFKA_BOOTSTRAP_SERVERS"], partitions=PARTITIONS),
            self.http.post(f"{self.sandbox_url}/_sandbox/reset"),
        )
        await self.producer.start()
        await self.step(start)

    def door_env(self, **changes: str) -> dict[str, str]:
        return {
            "PORT": str(self.door_port),
            "STRIPE_API_KEY": KEY,
            "STRIPE_BASE_URL": self.sandbox_url,
            "BUSINESS_CLOCK_URL": f"{self.sandbox_url}/_sandbox/clock",
            "PUBLIC_URL": self.door_url,
            "INSTANCE_NAME": "door-1",
            "EVENT_PARTITIONS": str(PARTITIONS),
            "KEEP_EVENTS_DAYS": "36500",  # a module's world lives for years, and its tests count every event
            "SETTLE_S": "1",
            "RECHECK_S": "0.5",
            "GATE_S": "0.1",
            "SWEEP_S": "1",
            "SCAN_S": "0.2",
            "LEASE_S": "3",
            "RETRY_BASE_S": "0.05",
            "RETRY_CAP_S": "0.5",
            "CALL_TIMEOUT_S": "2",
        } | changes

    async def start_door(self, **changes: str) -> None:
        self.door = _spawn("invoicing_sync", self.env | self.door_env(**changes), self.logs / "door.log")
        if "SETTLED_FAILPOINT" not in changes:
            await _wait_until_up(self.door_url)

    async def revive(self) -> None:
        """Start the door again where it may die, and count it."""
        if self.may_die and self.door is not None and self.door.poll() is not None:
            self.deaths.append(self.door.returncode)
            await self.start_door()

    def door_said(self) -> str:
        """The end of the door's log, for a test that fails."""
        return (self.logs / "door.log").read_text()[-4000:]

    async def door_dies(self, within_s: float = 30) -> int:
        door = self.door
        assert door is not None
        await self.until(lambda: _true(door.poll() is not None), within_s=within_s)
        return int(door.returncode)

    def stop_door(self, number: int = signal.SIGTERM) -> None:
        if self.door is not None and self.door.poll() is None:
            self.door.send_signal(number)
            self.door.wait(20)

    async def stop(self) -> None:
        self.stop_door()
        await self.producer.stop()
        await self.http.aclose()

    # --- the bus

    async def _put(self, topic: str, records: list[tuple[bytes, bytes]]) -> None:
        partitions = await self.producer.partitions_for(topic)
        for key, value in records:
            self.producer.append(topic, partition_of_key(key, partitions), key, value)
        await self.producer.flush()

    async def apply(self, *contracts: Contract) -> None:
        await self._put("contracts", [contract_record(contract) for contract in contracts])

    async def apply_document(self, document: dict[str, Any]) -> None:
        """A contract of any version, as it lies on the topic."""
        key, value = contract_record(a_contract(document["customer"]))
        event = json.loads(value) | {"id": f"{document['customer']}-{document['revision']}", "data": document}
        await self._put("contracts", [(key, json.dumps(event).encode())])

    async def rate(self, *entries: RatedEntry) -> None:
        self.seq = max([self.seq, *(entry.seq for entry in entries)])
        await self._put("usage.rated", [rated_record(entry) for entry in entries])

    async def progress(self, read_up_to: datetime) -> None:
        records = [progress_record(0, read_up_to, self.seq)]
        records += [progress_record(number, read_up_to, 0) for number in range(1, PARTITIONS)]
        await self._put("rating.progress", records)

    # --- business time

    async def step(self, to: datetime) -> None:
        answer = await self.http.post(f"{self.sandbox_url}/_sandbox/clock/advance", json={"to": iso(to)})
        assert answer.status_code == 200, answer.text
        self.at = to

    async def move(self, to: datetime) -> None:
        """Step, let rating say so, and wait until all is quiet."""
        await self.step(to)
        await self.progress(to - timedelta(seconds=60))
        await self.quiet(to)

    async def quiet(self, at: datetime, within_s: float = 60) -> None:
        seen: Any = None

        async def is_quiet() -> bool:
            nonlocal seen
            await self.revive()
            seen = (await self.http.get(f"{self.door_url}/quiet", params={"at": iso(at)})).json()
            return bool(seen.get("quiet"))

        async def is_quiet_and_alive() -> bool:
            try:
                return await is_quiet()
            except httpx.HTTPError:
                if not self.may_die:
                    raise
                return False

        try:
            await self.until(is_quiet_and_alive, within_s=within_s)
        except TimeoutError:
            stuck = await self.rows(
                "SELECT event_id, type, received_at, published_at FROM invoicing.webhooks WHERE handled_at IS NULL"
            )
            raise AssertionError(f"not quiet: {seen}, {stuck}") from None

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while not await condition():
                await asyncio.sleep(0.05)

    # --- what the two sides say

    async def ask(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(f"{self.door_url}{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def stripe(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(
            f"{self.sandbox_url}{path}", params=params, headers={"Authorization": f"Bearer {KEY}"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def stripe_post(self, path: str, **data: Any) -> httpx.Response:
        return await self.http.post(f"{self.sandbox_url}{path}", data=data, headers={"Authorization": f"Bearer {KEY}"})

    async def stripe_delete(self, path: str) -> None:
        answer = await self.http.delete(f"{self.sandbox_url}{path}", headers={"Authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200, answer.text

    async def fault(self, kind: str, **order: Any) -> None:
        answer = await self.http.post(f"{self.sandbox_url}/_sandbox/faults", json={"kind": kind, **order})
        assert answer.status_code == 200, answer.text

    async def no_faults(self) -> None:
        await self.http.delete(f"{self.sandbox_url}/_sandbox/faults")

    async def dump(self, customer: str = "acme") -> Any:
        """The sandbox's own view of a customer."""
        stripe_customer = (await self.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
        answer = await self.http.get(f"{self.sandbox_url}/_sandbox/dump", params={"customer": stripe_customer})
        return answer.json()

    async def counted(self, customer: str = "acme") -> dict[str, str]:
        """Identifier to value of what the sandbox counts."""
        usage = (await self.dump(customer))["usage"]
        return {event["identifier"]: event["value"] for event in usage if event["state"] == "counted"}

    async def plant(self, action: str, **order: Any) -> None:
        """Change usage at Stripe behind everybody's back."""
        answer = await self.http.post(f"{self.sandbox_url}/_sandbox/plant", json={"action": action, **order})
        assert answer.status_code == 200, answer.text

    async def conformance(self) -> Any:
        """What did not hold against Stripe's OpenAPI document."""
        return (await self.http.get(f"{self.sandbox_url}/_sandbox/conformance")).json()

    async def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.env["DATABASE_URL"])
        try:
            return [dict(row) for row in await connection.fetch(query, *params)]
        finally:
            await connection.close()


async def _true(value: bool) -> bool:
    return value


async def _fresh_database(url: str) -> str:
    name = f"t_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return url.rsplit("/", 1)[0] + f"/{name}"


def _drop_topics(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    there = [name for name in admin.list_topics(timeout=20).topics if name in TOPICS]
    if there:
        for future in admin.delete_topics(there, operation_timeout=20).values():
            future.result(20)


async def _made(stack: dict[str, str], folder: Path, sandbox: str, keys: HouseKeys) -> World:
    await asyncio.to_thread(_drop_topics, stack["KAFKA_BOOTSTRAP_SERVERS"])
    env = stack | {"DATABASE_URL": await _fresh_database(stack["DATABASE_URL"])}
    made = World(env, folder, sandbox, keys)
    await made.start(START)
    return made


@pytest.fixture
async def world(
    stack: dict[str, str], sandbox: str, house_keys: HouseKeys, tmp_path: Path, held_against_stripe: Counter[str]
) -> AsyncIterator[World]:
    """A world of this test's own."""
    made = await _made(stack, tmp_path, sandbox, house_keys)
    try:
        yield made
        await _held_against_stripes_document(made, held_against_stripe)
    finally:
        await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def long_world(
    stack: dict[str, str],
    sandbox: str,
    house_keys: HouseKeys,
    tmp_path_factory: pytest.TempPathFactory,
    held_against_stripe: Counter[str],
) -> AsyncIterator[World]:
    """One world for all tests of a module, which live in it one after another: its time never goes back."""
    made = await _made(stack, tmp_path_factory.mktemp("world"), sandbox, house_keys)
    try:
        yield made
        await _held_against_stripes_document(made, held_against_stripe)
    finally:
        await made.stop()


async def _held_against_stripes_document(world: World, counted: Counter[str]) -> None:
    """Every request of the door and every answer of the sandbox; see the line in pytest's summary."""
    report = await world.conformance()
    counted.update({f"{one['method']} {one['path']}": one["count"] for one in report["operations"]})
    assert report["violations"] == []
