"""Rating as its own process against real PostgreSQL and Kafka, under a business clock that the test steps."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.bus import BatchProducer, partition_of
from chassis.failpoints import VARIABLE
from chassis.testing import ClockServer, HouseKeys, bearer
from embedded_stack import Stack
from embedded_stack.children import free_port
from embedded_stack.testing import stack_for_tests
from event_schemas.times import iso
from event_schemas.topics import TOPICS

PARTITIONS = 8
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


class RatingProcess:
    """One `python -m usage_rating serve`."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "usage_rating", "serve"], env=env, stdout=output, stderr=output
            )
        self.url = f"http://127.0.0.1:{env['PORT']}"
        self.header = bearer(env["SERVICE_KEY"])

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        """Send this process a signal."""
        self._process.send_signal(number)

    def wait_dead(self, within_s: float = 90) -> int:
        """The exit code once it has ended by itself."""
        return self._process.wait(within_s)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """One request."""
        return httpx.get(f"{self.url}{path}", params=parameters or None, headers=self.header, timeout=20)

    def post(self, path: str, body: object) -> httpx.Response:
        """One request with a JSON body."""
        return httpx.post(f"{self.url}{path}", json=body, headers=self.header, timeout=20)

    def quiet(self, at: datetime, within_s: float = 90) -> None:
        """Return once nothing is left to do up to `at`."""
        deadline = time.monotonic() + within_s
        waiting: object = "it does not answer"
        while time.monotonic() < deadline:
            if self.returncode is not None:
                pytest.fail(f"rating has ended with {self.returncode}: {self.tail()}")
            try:
                waiting = self.get("/quiet", at=iso(at)).json()
                if waiting["quiet"]:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        pytest.fail(f"not quiet at {at}: {waiting}; {self.tail()}")

    def logged(self, text: str, within_s: float = 20) -> None:
        """Return once the log holds `text`."""
        deadline = time.monotonic() + within_s
        while text not in self.log.read_text():
            if time.monotonic() > deadline:
                pytest.fail(f"never logged {text!r}: {self.tail()}")
            time.sleep(0.05)

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:]

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class World:
    """The stack, business time, and what tests do to them. Tests keep apart by their customers."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.urls = stack.urls
        self.time = ClockServer(BEGIN)
        self._folder = folder
        self._numbers = count()
        self._processes: list[RatingProcess] = []
        self.env = {
            **os.environ,
            **self.urls.env(),
            **HouseKeys(folder).env,
            "EVENT_PARTITIONS": str(PARTITIONS),
            "BUSINESS_CLOCK_URL": self.time.url,
            "PYTHONDONTWRITEBYTECODE": "",  # a process that starts once a test need not compile everything anew
            "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        }

    def rating(self, *, dies_at: str | None = None, group: str | None = None, **env: str) -> RatingProcess:
        """
        Start a process. By default in a group of its own, so that it need not wait until a dead one's session ends:
        what it has to go on with lies in the partitions' rows, not in the group.
        """
        number = next(self._numbers)
        own = {"PORT": str(free_port()), "CONSUMER_GROUP": group or f"rating-{number}", **env}
        if dies_at:
            own[VARIABLE] = f"rating.{dies_at}"
        process = RatingProcess({**self.env, **own}, self._folder / f"rating-{number}.log")
        self._processes.append(process)
        return process

    def stop_all(self) -> None:
        """End all processes of the test."""
        for process in self._processes:
            process.stop()
        self._processes.clear()

    def send(self, *records: tuple[str, str, bytes]) -> None:
        """Append (customer, subject, value) to `events.accepted`, as usage-ingest would."""
        asyncio.run(self._send(records))

    async def _send(self, records: tuple[tuple[str, str, bytes], ...]) -> None:
        producer = BatchProducer(self.urls.kafka_bootstrap_servers)
        await producer.start()
        await producer.partitions_for("events.accepted")
        for customer, subject, value in records:
            partition = partition_of(customer, subject, PARTITIONS)
            producer.append("events.accepted", partition, f"{customer}\x00{subject}".encode(), value)
        await producer.stop()

    def agree(self, customer: str, contract: bytes) -> None:
        """Publish a contract."""

        async def publish() -> None:
            producer = BatchProducer(self.urls.kafka_bootstrap_servers)
            await producer.start()
            await producer.partitions_for("contracts")
            await producer.send("contracts", 0, customer.encode(), contract)
            await producer.stop()

        asyncio.run(publish())

    def query(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows, as the administrator sees them."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(self.urls.database_url)
            try:
                await connection.execute("SET search_path = rating")
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def topic(self, name: str) -> list[dict[str, Any]]:
        """All records of a topic, decoded, by partition and offset."""
        return asyncio.run(self._topic(name))

    async def _topic(self, name: str) -> list[dict[str, Any]]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.urls.kafka_bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(name, n) for n in range(TOPICS[name].partitions or PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[dict[str, Any]] = []
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [json.loads(record.value) for record in records]
            return found
        finally:
            await consumer.stop()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and Kafka of this run, with rating's tables and all topics."""
    with stack_for_tests("rating") as stack:
        env = {**os.environ, **stack.urls.env(), "EVENT_PARTITIONS": str(PARTITIONS)}
        subprocess.run([sys.executable, "-m", "usage_rating", "migrate"], env=env, check=True)
        yield stack


@pytest.fixture(scope="session")
def whole_world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One for the run: business time never goes back."""
    return World(stack, tmp_path_factory.mktemp("logs"))


@pytest.fixture
def world(whole_world: World) -> Iterator[World]:
    """The world, with no process left over afterwards."""
    yield whole_world
    whole_world.stop_all()


@pytest.fixture
def customer() -> str:
    """A customer that no other test has."""
    return f"customer-{next(_customers)}"


_customers = count(1)
Step = Callable[[], None]
