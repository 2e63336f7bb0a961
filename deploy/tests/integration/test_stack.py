"""The stack is really there, is found again, survives kill -9, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from embedded_stack import Stack
from embedded_stack.state import StateFile

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)


@pytest.fixture(autouse=True)
def _up(stack: Stack) -> None:
    stack.start()


async def query(stack: Stack, sql: str) -> object:
    connection = await asyncpg.connect(stack.urls.database_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def make_topic(stack: Stack, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.urls.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def send(stack: Stack, topic: str, *values: bytes, timestamp_ms: int | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.urls.kafka_bootstrap_servers, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value, timestamp_ms=timestamp_ms)


async def read(stack: Stack, topic: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=stack.urls.kafka_bootstrap_servers) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        async with asyncio.timeout(30):
            return [(await consumer.getone()).value for _ in range(count)]


def pids(stack: Stack) -> tuple[int, int]:
    status = stack.status()
    return status["postgres"]["pid"], status["kafka"]["pid"]


async def test_a_started_stack_has_the_database_settled_and_a_broker_that_stores(stack: Stack) -> None:
    await make_topic(stack, "first")
    await send(stack, "first", b"one", b"two")

    assert await query(stack, "SELECT current_database()::text") == "settled"
    assert await query(stack, "SHOW synchronous_commit") == "on"
    assert await read(stack, "first", 2) == [b"one", b"two"]


async def test_the_broker_takes_records_of_a_business_time_far_ahead(stack: Stack) -> None:
    await make_topic(stack, "ahead")
    year_2100_ms = 4_102_444_800_000

    await send(stack, "ahead", b"later", timestamp_ms=year_2100_ms)

    assert await read(stack, "ahead", 1) == [b"later"]


def test_starting_twice_is_harmless(stack: Stack, state: Path) -> None:
    before = pids(stack)

    assert Stack(state).start() == stack.urls
    assert pids(stack) == before


def test_another_command_finds_the_stack(stack: Stack, state: Path) -> None:
    command = [sys.executable, "-m", "embedded_stack", "status", "--json", "--state", str(state)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)

    status = json.loads(said.stdout)
    assert said.returncode == 0
    assert [status[part]["state"] for part in ("postgres", "kafka")] == ["running", "running"]
    assert [status[part]["answers"] for part in ("postgres", "kafka")] == [True, True]


def test_ten_starts_at_once_start_one(stack: Stack, state: Path) -> None:
    stack.stop()

    with ThreadPoolExecutor(max_workers=10) as pool:
        urls = set(pool.map(lambda _: Stack(state, fsync=False).start(), range(10)))

    assert urls == {stack.urls}
    assert len(servers(stack)) == 2


async def test_postgres_comes_back_after_kill_9_with_what_it_had_committed(stack: Stack) -> None:
    urls = stack.urls
    await query(stack, "CREATE TABLE kept AS SELECT 42 AS answer")

    stack.kill("postgres")
    assert stack.status()["postgres"]["state"] == "crashed"
    stack.start()

    assert stack.urls == urls
    assert await query(stack, "SELECT answer FROM kept") == 42


async def test_kafka_comes_back_after_kill_9_with_what_it_had_confirmed(stack: Stack) -> None:
    urls = stack.urls
    await make_topic(stack, "kept")
    await send(stack, "kept", b"confirmed")

    stack.kill("kafka")
    assert stack.status()["kafka"]["state"] == "crashed"
    stack.start()

    assert stack.urls == urls
    assert await read(stack, "kept", 1) == [b"confirmed"]


def test_servers_that_the_records_have_lost_are_found_and_not_started_again(stack: Stack, state: Path) -> None:
    before = pids(stack)
    records = StateFile(state / "stack.json")
    records.record("postgres", child=None)
    records.record("kafka", child=None)

    Stack(state).start()

    assert pids(stack) == before


async def test_stopping_leaves_no_process_and_keeps_the_data(stack: Stack) -> None:
    await query(stack, "CREATE TABLE slept AS SELECT 7 AS answer")
    await make_topic(stack, "slept")
    await send(stack, "slept", b"still here")

    stack.stop()
    stack.stop()

    assert servers(stack) == []
    assert [part["state"] for part in stack.status().values()] == ["stopped", "stopped"]
    stack.start()
    assert await query(stack, "SELECT answer FROM slept") == 7
    assert await read(stack, "slept", 1) == [b"still here"]


def servers(stack: Stack) -> list[int]:
    """The servers of this state folder, whatever our records say: by their command lines."""
    data = {str(stack.postgres._data)}
    settings = {str(stack.kafka._properties)}
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = set(process.info["cmdline"] or [])
        if (words & data and "-D" in words) or words & settings:
            found.append(process.pid)
    return found
