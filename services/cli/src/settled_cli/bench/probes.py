"""Latency by PostgreSQL's own commit timestamps: from the POST of a signal that charges at once to its commit."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import asyncpg

from settled_cli.bench.load import Sender
from workload.load.contracts import customer_name
from workload.month import iso


@dataclass(slots=True)
class Probes:
    """Single signals sent beside the load, each a charge of its own, so that its commit can be found."""

    run: str
    customers: int
    sent: dict[str, float] = field(default_factory=dict)  # conversation to wall time of the POST

    async def send_for(self, sender: Sender, *, seconds: float, per_second: float = 20.0) -> None:
        """Send probes at a steady rate."""
        began, tasks = time.monotonic(), []
        for number in range(int(seconds * per_second)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            name = f"probe-{self.run}-{number}"
            body = _signal(customer_name(number % self.customers), name)
            self.sent[name] = time.time()
            tasks.append(asyncio.create_task(sender.send(body)))
        await asyncio.gather(*tasks)

    async def to_ledger_ms(self, database_url: str) -> list[float]:
        """Milliseconds from each POST to the commit of the transaction that stored it; all must be there."""
        rows = await _committed(
            database_url,
            "SELECT subject AS name, pg_xact_commit_timestamp(xmin) AS at FROM rating.ledger WHERE subject LIKE $1",
            f"probe-{self.run}-%",
        )
        if len(rows) != len(self.sent):
            raise RuntimeError(f"{len(rows)} of {len(self.sent)} probes reached the ledger")
        return [(at - self.sent[name]) * 1000 for name, at in rows]


async def stripe_latencies_s(database_url: str, run: str, sent: dict[str, float]) -> list[float]:
    """Seconds from the POST of each charging signal to the sandbox's commit of its meter event, just before its 2xx."""
    rows = await _committed(
        database_url,
        "SELECT l.subject AS name, pg_xact_commit_timestamp(m.xmin) AS at FROM rating.ledger l"
        " JOIN sandbox.meter_events m ON m.identifier = l.entry_id::text WHERE l.subject LIKE $1",
        f"{run}-%",
    )
    return [at - sent[name] for name, at in rows if name in sent]


async def _committed(database_url: str, query: str, *arguments: str) -> list[tuple[str, float]]:
    connection = await asyncpg.connect(database_url)
    try:
        return [(row["name"], row["at"].timestamp()) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


def _signal(customer: str, conversation: str) -> bytes:
    at = iso(time.time_ns() // 1000)
    return (
        f'[{{"specversion":"1.0","id":"{conversation}","source":"urn:load:probe","type":"conversation.signal",'
        f'"subject":"{conversation}","time":"{at}","customer":"{customer}",'
        f'"data":{{"signal":"procedure_handoff"}}}}]'
    ).encode()
