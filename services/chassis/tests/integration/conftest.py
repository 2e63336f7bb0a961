"""One PostgreSQL and one Kafka for all tests of this folder, with topics and databases of their own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count

import asyncpg
import pytest

from chassis.bus import BatchProducer
from chassis.topics import ensure_topics
from embedded_stack import Stack
from event_schemas.topics import Topic

_numbers = count(1)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        made = Stack(tmp_path_factory.mktemp("chassis-stack"), fsync=False)
    try:
        made.start()
        yield made
    finally:
        made.stop(remove_state=True)


@pytest.fixture
def bootstrap(stack: Stack) -> str:
    return stack.urls.kafka_bootstrap_servers


@pytest.fixture
async def database_url(stack: Stack) -> str:
    """An empty database of the test's own."""
    name = f"chassis_{next(_numbers)}"
    administrator = await asyncpg.connect(stack.urls.database_url)
    await administrator.execute(f"CREATE DATABASE {name}")
    await administrator.close()
    return stack.urls.database_url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
async def topic(bootstrap: str) -> Topic:
    """A new topic with two partitions."""
    made = Topic(f"chassis.{next(_numbers)}", "key", "chassis", ("chassis",), ("chassis",), partitions=2)
    await ensure_topics(bootstrap, partitions=2, topics=[made])
    return made


@pytest.fixture
async def producer(bootstrap: str) -> AsyncIterator[BatchProducer]:
    made = BatchProducer(bootstrap, confirm_within_s=5)
    await made.start()
    yield made
    await made.stop()
