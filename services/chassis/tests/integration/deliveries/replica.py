"""
One replica of a tiny door: hands over what TINY_WANTED says, and delivers until SIGTERM.

It is all that a door needs beside its own rules: a vendor folder (here one class) and the parts put together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from chassis import deliveries
from chassis.access import Access
from chassis.app import create_app, run
from chassis.deliveries import GAPS, Answer, Delivery, Desired, Kind, Monitor, Policy, Runner
from chassis.failpoints import Failpoints
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.store import create_pool, transaction

DESTINATION = "tiny:main"


class TinyDoor:
    """The vendor: what each answer means."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=30)

    async def send(self, delivery: Delivery) -> Answer:
        body = {"key": delivery.key, "version": delivery.version, "content": dict(delivery.content)}
        try:
            answer = await self._http.put(f"/records/{delivery.record}", json=body)
        except httpx.ConnectError as error:
            return Answer(Kind.UNAVAILABLE, f"not reached: {error}")
        except httpx.TransportError as error:
            return Answer(Kind.UNCLEAR, f"no answer: {type(error).__name__}")
        told = answer.json()
        kind = {
            200: Kind.DONE,
            422: Kind.REFUSED,
            423: Kind.NEEDS_PERSON,
            429: Kind.RATE_LIMITED,
            500: Kind.UNCLEAR,
            503: Kind.UNAVAILABLE,
        }[answer.status_code]
        after_s = float(answer.headers.get("Retry-After", 0))
        return Answer(kind, told.get("sentence", ""), told.get("code", ""), told.get("id"), after_s)

    async def look_up(self, delivery: Delivery) -> Answer:
        try:
            answer = await self._http.get(f"/records/{delivery.record}")
        except httpx.TransportError as error:
            return Answer(Kind.UNAVAILABLE, f"not reached: {type(error).__name__}")
        if answer.status_code == 503:
            return Answer(Kind.UNAVAILABLE, "down")
        if answer.status_code == 404:
            return Answer(Kind.ABSENT)
        key = answer.json()["key"]
        if key == delivery.key:
            return Answer(Kind.FOUND, reference=f"id-of-{delivery.record}")
        ours = key.startswith(f"{delivery.destination}/{delivery.record}@")
        return Answer(Kind.ABSENT) if ours else Answer(Kind.DIFFERS, "A person has changed it over there.")


class Sleeper:
    """A far side without a wire, for measuring the mechanism alone."""

    def __init__(self, answer_s: float) -> None:
        self._answer_s = answer_s

    async def send(self, delivery: Delivery) -> Answer:
        await asyncio.sleep(self._answer_s)
        return Answer(Kind.DONE)

    async def look_up(self, delivery: Delivery) -> Answer:
        return Answer(Kind.ABSENT)


def wanted(text: str) -> list[Desired]:
    """What to hand over: JSON of [record, version, parents]."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        Desired(record, version, {"total": 100 * version}, at, parents=tuple(parents))
        for record, version, parents in json.loads(text)
    ]


async def main(env: Any) -> None:
    """Put the parts together, as a door's `app.py` does."""
    pool = await create_pool(env["DATABASE_URL"], "tiny")
    policy = Policy(**json.loads(env["TINY_POLICY"]))
    failpoints = Failpoints("tiny", GAPS)
    url = env["TINY_URL"]
    vendor = Sleeper(float(url.removeprefix("sleep:"))) if url.startswith("sleep:") else TinyDoor(url)
    runner = Runner(pool, DESTINATION, vendor, policy, failpoints, owner=env["TINY_OWNER"])
    health = Health()
    monitor = Monitor(pool, health, [DESTINATION], limit_s=float(env.get("TINY_LIMIT_S", "60")))
    async with transaction(pool) as tx:
        await deliveries.enqueue(tx, DESTINATION, wanted(env.get("TINY_WANTED", "[]")))
    runner.wake()

    async def quiet(at: datetime) -> list[str]:
        return await deliveries.waiting(pool, at)

    access = Access(KeyFile(Path(env["ACCESS_KEYS_FILE"])), metrics_open=True)
    app = create_app("tiny", health=health, access=access, quiet=quiet)
    app.include_router(deliveries.Deliveries(pool, lambda _: runner.wake()).router)
    await run(app, host="127.0.0.1", port=int(env["PORT"]), work={"runner": runner.run(), "monitor": monitor.run()})
    await pool.close()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s %(message)s")
    asyncio.run(main(os.environ))
