"""The phases of the benchmark, in order; each figure is of this run and this machine."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from event_schemas.contracts import Contract
from settled_cli import contracts
from settled_cli.bench import raw
from settled_cli.bench.accounts import Account, accounts, touched
from settled_cli.bench.load import BATCH, Load, Sender
from settled_cli.bench.probes import Probes, stripe_latencies_s
from settled_cli.fleet import Fleet, Plan
from settled_cli.line import Line
from workload.load import ChargingStream, SignalStream, load_contracts
from workload.month import micros

CUSTOMERS = 2000
Say = Callable[[str], None]
BENCH_ENV = {
    "SANDBOX_REQUESTS_PER_SECOND": "5000",
    "SANDBOX_METER_EVENTS_PER_SECOND": "1000",
    "API_CALLS_PER_SECOND": "2000",
    "METER_EVENTS_PER_SECOND": "1000",
    "SETTLE_S": "5",
}


@dataclass(slots=True)
class Bench:
    """What to measure, and what came of it."""

    fleet: Fleet
    rate: float
    seconds: float
    interleave: int
    result: dict[str, Any] = field(default_factory=dict)
    scale: float = 1.0  # of the durations of all other phases: below 1 only to try the benchmark itself
    series: list[tuple[float, float, float]] = field(default_factory=list)  # second, received/s, unread
    _probe_net: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def run(self, say: Say) -> None:
        """All phases; leaves the result in `result`."""
        began = time.monotonic()
        say("starting the line")
        self.fleet.up(Plan(rating_processes=2, env=BENCH_ENV))
        await raw.make_topic(self.fleet.stack.urls.kafka_bootstrap_servers)
        now = datetime.now(UTC)
        start = micros(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        agreed = tuple(Contract.model_validate(c) for c in load_contracts(CUSTOMERS, start=start))
        async with Line(self.fleet) as line:
            say(f"agreeing {CUSTOMERS:,} contracts")
            await contracts.agree(line, agreed)
            await self._settled(line, "contracts")
            sender = Sender(self.fleet.url("usage-ingest"), self.fleet.api_key)
            try:
                await self._phases(line, sender, say)
            finally:
                await sender.close()
        self.result["duration_s"] = round(time.monotonic() - began, 1)

    async def _phases(self, line: Line, sender: Sender, say: Say) -> None:
        run = f"b{int(time.time())}"
        stream = SignalStream(seed=1, customers=CUSTOMERS, interleave=self.interleave, run=run)

        def batch() -> bytes:
            return stream.batch(BATCH, time.time_ns() // 1000)

        await sender.send(batch())
        say("warming up")
        await sender.fixed_rate(batch, per_second=8000, seconds=20 * self.scale)
        await self._settled(line, "warming up")
        say("signal to ledger at 10,000/s")
        await self._to_ledger(line, sender, batch, run)
        say("closed loop")
        loop = await sender.closed_loop(batch, seconds=20 * self.scale)
        drained = await self._read(line)
        through = loop.signals / (loop.seconds + drained)
        self.result["closed_loop"] = {
            "acknowledged_per_second": round(loop.per_second),
            "to_ledger_per_second": round(through),
            "request_ms": _percentiles(loop),
        }
        held = await self._highest(line, sender, batch, through, say)
        self.result["highest_held_for_60_s"] = held
        say(f"half of the maximum: {held / 2:,.0f}/s")
        half = await sender.fixed_rate(batch, per_second=max(held / 2, 1000), seconds=30 * self.scale)
        await self._read(line)
        self.result["request_p95_ms"] = round(half.percentile(0.95), 1)
        self.result["half_of_maximum"] = {"per_second": held / 2, "request_ms": _percentiles(half)}
        say(f"{self.rate:,.0f}/s for {self.seconds:.0f} s")
        await self._long(line, sender, batch, stream)
        for late in stream.rest(BATCH):
            await sender.send(late)
        await self._read(line)
        say("draining the door")
        backlog = await self._settled(line, "door")
        self.result["door_backlog_drained_s"] = round(backlog, 1)
        say("signal to Stripe at 500/s")
        charging = await self._to_stripe(line, sender, run)
        await self._settled(line, "door")
        say("holding every net against what was sent")
        expected = stream.expected_net() + charging.expected_net() + self._probe_net
        await self._check(line, expected)
        say("raw limits of this machine")  # last: what they leave to be written to the disk is not the line's
        self.result["raw"] = {
            "empty_handler_requests_per_second": round(await raw.empty_handler(batch())),
            "producer_records_per_second": round(await raw.producer(self.fleet.stack.urls.kafka_bootstrap_servers)),
            "bulk_insert_rows_per_second": round(await raw.bulk_insert(self.fleet.stack.urls.database_url)),
        }

    async def _highest(self, line: Line, sender: Sender, batch: Callable[[], bytes], through: float, say: Say) -> int:
        """The highest of a few rates that is held for 60 s with queues that do not grow."""
        for share in (0.9, 0.75, 0.6, 0.45):
            rate = int(round(through * share, -3))
            say(f"is {rate:,.0f}/s held for 60 s?")
            load = await sender.fixed_rate(batch, per_second=rate, seconds=60 * self.scale)
            unread = (await line.get("rating", "/v1/equations"))["events"]["unread"]
            behind = load.seconds - 60 * self.scale
            await self._read(line)
            if unread < rate and behind < 1:
                return rate
        return rate

    async def _to_ledger(self, line: Line, sender: Sender, batch: Callable[[], bytes], run: str) -> None:
        probes = Probes(run, CUSTOMERS)
        await asyncio.gather(
            sender.fixed_rate(batch, per_second=10_000, seconds=32 * self.scale),
            probes.send_for(sender, seconds=30 * self.scale),
        )
        await self._read(line)
        latencies = sorted(await probes.to_ledger_ms(self.fleet.stack.urls.database_url))
        for number in range(len(probes.sent)):
            self._probe_net[(f"load-{number % CUSTOMERS:05d}", "procedure_handoff")] += 1
        self.result["signal_to_ledger_p95_ms"] = round(_at(latencies, 0.95), 1)
        self.result["signal_to_ledger_ms"] = {
            "p50": round(_at(latencies, 0.5), 1),
            "p95": round(_at(latencies, 0.95), 1),
            "p99": round(_at(latencies, 0.99), 1),
            "probes": len(latencies),
        }

    async def _long(self, line: Line, sender: Sender, batch: Callable[[], bytes], stream: SignalStream) -> None:
        before, events_before = accounts(self.fleet), touched(self.fleet)
        charges_before = await self._ledger_rows()
        watching = asyncio.create_task(self._watch(line))
        load = await sender.fixed_rate(batch, per_second=self.rate, seconds=self.seconds)
        lag = (await line.get("rating", "/v1/equations"))["events"]["unread"]
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        drained = await self._read(line)
        after, events_after = accounts(self.fleet), touched(self.fleet)
        signals = load.signals
        events = events_after[0] - events_before[0]
        self.result |= {
            "fixed_rate": self.rate,
            "signals_per_second": round(signals / (load.seconds + drained)),
            "acknowledged_per_second": round(load.per_second),
            "fixed_rate_seconds": round(load.seconds, 1),
            "unread_at_the_end": lag,
            "request_ms_at_fixed_rate": _percentiles(load),
            "signals": signals,
            "repeated_requests": load.repeated,
            "conversations_touched_per_signal": round((events_after[1] - events_before[1]) / events, 3)
            if events
            else None,
            "charges_per_second": round((await self._ledger_rows() - charges_before) / (load.seconds + drained)),
            "processes": _used(before, after, signals),
        }

    async def _watch(self, line: Line) -> None:
        began, last, at = time.monotonic(), None, time.monotonic()
        while True:
            await asyncio.sleep(2)
            events = (await line.get("rating", "/v1/equations"))["events"]
            now = time.monotonic()
            if last is not None:
                self.series.append((now - began, (events["received"] - last) / (now - at), events["unread"]))
            last, at = events["received"], now

    async def _to_stripe(self, line: Line, sender: Sender, run: str) -> ChargingStream:
        charging = ChargingStream(customers=CUSTOMERS, run=f"{run}-charging")
        sent: dict[str, float] = {}

        def batch() -> bytes:
            now = time.time()
            for number in range(charging.signals, charging.signals + 5):
                sent[f"{run}-charging-{number}"] = now
            return charging.batch(5, int(now * 1_000_000))

        await sender.fixed_rate(batch, per_second=500, seconds=60 * self.scale, batch=5)
        await self._settled(line, "door")
        found = sorted(await stripe_latencies_s(self.fleet.stack.urls.database_url, f"{run}-charging", sent))
        self.result["signal_to_stripe_p99_s"] = round(_at(found, 0.99), 3)
        self.result["signal_to_stripe_s"] = {
            "p50": round(_at(found, 0.5), 3),
            "p99": round(_at(found, 0.99), 3),
            "signals": len(sent),
            "reached_stripe": len(found),
        }
        return charging

    async def _read(self, line: Line) -> float:
        """Wait until rating has read everything; seconds that it took."""
        began = time.monotonic()
        while True:
            if not (await line.get("rating", "/v1/equations"))["events"]["unread"]:
                return time.monotonic() - began
            await asyncio.sleep(0.05)

    async def _settled(self, line: Line, what: str) -> float:
        """Wait until the door has nothing left to do; seconds that it took."""
        began = time.monotonic()
        while time.monotonic() - began < 1200:
            at = datetime.now(UTC).isoformat()
            answer = await line.get("invoicing-sync", "/quiet", at=at)
            if all("business time" in sentence or "clock" in sentence for sentence in answer["waiting_for"]):
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise RuntimeError(f"the door did not settle after {what}")

    async def _ledger_rows(self) -> int:
        connection = await asyncpg.connect(self.fleet.stack.urls.database_url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM rating.ledger"))
        finally:
            await connection.close()

    async def _check(self, line: Line, expected: Counter[tuple[str, str]]) -> None:
        """Every net per customer and meter: in the ledger, and at the sandbox."""
        connection = await asyncpg.connect(self.fleet.stack.urls.database_url)
        try:
            ledger = await connection.fetch(
                "SELECT customer, meter, sum(CASE op::text WHEN 'charge' THEN quantity ELSE -quantity END) AS net"
                " FROM rating.ledger GROUP BY 1, 2"
            )
        finally:
            await connection.close()
        wanted = {key: Decimal(count) for key, count in expected.items() if count}
        in_ledger = {(row["customer"], row["meter"]): row["net"] for row in ledger if row["net"]}
        stripe = await line.get("sandbox", "/_sandbox/dump")
        names = {stripe_id: name for name, stripe_id in stripe["customers"].items()}
        totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in stripe["totals"]:
            totals[(names[row["customer"]], row["meter"])] += Decimal(row["value"])
        at_stripe = {key: net for key, net in totals.items() if net}
        keys = wanted.keys() | in_ledger.keys() | at_stripe.keys()
        self.result["nets_compared"] = len(keys)
        self.result["differences_in_ledger"] = sum(wanted.get(k, 0) != in_ledger.get(k, 0) for k in keys)
        self.result["differences_at_stripe"] = sum(in_ledger.get(k, 0) != at_stripe.get(k, 0) for k in keys)
        self.result["differences"] = self.result["differences_in_ledger"] + self.result["differences_at_stripe"]


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _percentiles(load: Load) -> dict[str, float]:
    return {name: round(load.percentile(share), 1) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def _used(before: dict[str, Account], after: dict[str, Account], signals: int) -> dict[str, dict[str, float]]:
    return {
        name: {
            "cpu_s_per_100k_signals": round((one.cpu_s - before[name].cpu_s) / signals * 100_000, 3),
            "resident_mb": round(one.resident_bytes / 1_000_000),
        }
        for name, one in after.items()
        if name in before
    }
