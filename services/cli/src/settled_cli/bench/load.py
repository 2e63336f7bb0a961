"""The load: requests of 100 signals, as fast as they are answered or at a fixed rate, timed from when they were due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

BATCH = 100


@dataclass(slots=True)
class Load:
    """What a phase of load came to. Latencies in milliseconds, from the instant at which a request was due."""

    signals: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    repeated: int = 0  # answered 503 or 429 and sent again

    @property
    def per_second(self) -> float:
        """Signals acknowledged per second."""
        return self.signals / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency below which this share of the requests stayed."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Sender:
    """Sends batches to usage-ingest over kept connections."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/v1/events"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents-batch+json"}
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=128))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def send(self, body: bytes, load: Load | None = None) -> None:
        """Send one batch until it is stored."""
        while True:
            async with self._session.post(self._url, data=body, headers=self._headers) as answer:
                await answer.read()
                if answer.status == 202:
                    return
                if answer.status not in (429, 503):
                    raise RuntimeError(f"usage-ingest answered {answer.status}")
            if load is not None:
                load.repeated += 1
            await asyncio.sleep(0.05)

    async def closed_loop(self, next_batch: Callable[[], bytes], *, seconds: float, at_once: int = 32) -> Load:
        """`at_once` senders, each with the next batch as soon as its last one is answered."""
        load, began = Load(), time.monotonic()

        async def one() -> None:
            while time.monotonic() - began < seconds:
                sent = time.monotonic()
                await self.send(next_batch(), load)
                load.latencies_ms.append((time.monotonic() - sent) * 1000)
                load.signals += BATCH

        await asyncio.gather(*(one() for _ in range(at_once)))
        load.seconds = time.monotonic() - began
        return load

    async def fixed_rate(
        self, next_batch: Callable[[], bytes], *, per_second: float, seconds: float, batch: int = BATCH
    ) -> Load:
        """Batches at a fixed rate whatever the answers do: a request that waits for its turn is late already."""
        load, began = Load(), time.monotonic()
        pause = batch / per_second
        under_way: set[asyncio.Task[None]] = set()

        async def one(body: bytes, due: float) -> None:
            await self.send(body, load)
            load.latencies_ms.append((time.monotonic() - due) * 1000)
            load.signals += batch

        for number in range(int(seconds / pause)):
            due = began + number * pause
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(one(next_batch(), due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            if number % 50 == 0 and wait <= 0:
                await asyncio.sleep(0)  # late already: the answers must be read all the same
        if under_way:
            await asyncio.gather(*under_way)
        load.seconds = time.monotonic() - began
        return load
