"""The limits of this machine, measured in the same run: what stands beside every figure of the line."""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.bus import BatchProducer, confirmed
from embedded_stack.children import free_port

TOPIC, PARTITIONS = "bench.raw", 8
EMPTY_APP = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http": return
    more = True
    while more: more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 202, "headers": []})
    await send({"type": "http.response.body", "body": b""})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")
"""


async def empty_handler(body: bytes, *, seconds: float = 3.0) -> float:
    """Requests per second to a handler that reads its body and answers 202."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", EMPTY_APP, str(port))
    count = 0
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/"
            for _ in range(200):
                try:
                    async with session.post(url, data=body):
                        break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.05)
            began = time.monotonic()

            async def one() -> None:
                nonlocal count
                while time.monotonic() - began < seconds:
                    async with session.post(url, data=body) as answer:
                        await answer.read()
                    count += 1

            await asyncio.gather(*(one() for _ in range(16)))
            return count / (time.monotonic() - began)
    finally:
        process.terminate()
        await process.wait()


async def make_topic(bootstrap: str) -> None:
    """Make the topic of `producer`, some time before it is used: a new partition refuses records at first."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    finally:
        await admin.close()


async def producer(bootstrap: str, *, seconds: float = 3.0) -> float:
    """Records of 300 bytes per second, each confirmed by the broker with acks=all."""
    made = BatchProducer(bootstrap)
    await made.start()
    try:
        value, count, began = b"x" * 300, 0, time.monotonic()
        while time.monotonic() - began < seconds:
            await confirmed([made.append(TOPIC, number % PARTITIONS, b"raw", value) for number in range(4000)])
            count += 4000
        return count / (time.monotonic() - began)
    finally:
        await made.stop()


async def bulk_insert(database_url: str, *, seconds: float = 3.0) -> float:
    """Rows per second, 1,000 in a statement, each statement committed."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "DROP TABLE IF EXISTS raw_limit; CREATE TABLE raw_limit (id bigint PRIMARY KEY, v text)"
        )
        count, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            ids = list(range(count, count + 1000))
            await connection.execute(
                "INSERT INTO raw_limit SELECT * FROM unnest($1::bigint[], $2::text[])", ids, ["x" * 300] * 1000
            )
            count += 1000
        await connection.execute("DROP TABLE raw_limit")
        return count / (time.monotonic() - began)
    finally:
        await connection.close()
