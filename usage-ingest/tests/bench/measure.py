"""
How fast one process takes events in: closed loop over real Kafka, everything on this machine, result checked.

    python usage-ingest/tests/bench/measure.py [--seconds 15] [--connections 16] [--events 100] [--rate 0]

`--rate` gives a fixed rate in events a second instead of the closed loop. Every request is made anew (ids differ); the
answers must say that all is accepted, and the broker must hold exactly as many records more as were acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop

from chassis.testing import HouseKeys
from embedded_stack import Stack
from embedded_stack.children import free_port
from usage_ingest.seals import new_key
from usage_ingest.testing import Running, command

CUSTOMERS = [f"customer-{number}" for number in range(300)]
NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
KINDS = (
    '{"signal":"customer_message","intent":"question","channel":"chat"}',
    '{"signal":"ai_answer"}',
    '{"signal":"customer_message","intent":"affirm"}',
)


def a_request(key: str, number: int, events: int) -> bytes:
    """A whole HTTP request of so many events of about 250 bytes; 3 signals of a conversation follow each other."""
    made = []
    for position in range(events):
        index = number * events + position
        made.append(
            f'{{"specversion":"1.0","id":"event-{index:010d}","source":"urn:bench","type":"conversation.signal",'
            f'"subject":"conversation-{index // 3:09d}","time":"{NOW}.{index % 1000:03d}Z",'
            f'"customer":"{CUSTOMERS[index // 3 % len(CUSTOMERS)]}","data":{KINDS[index % 3]}}}'
        )
    body = f"[{','.join(made)}]".encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """Connections that send one request after the other, or at a fixed rate all together."""

    def __init__(self, port: int, key: str, *, events: int, rate: float) -> None:
        self.port, self.key, self.events, self.rate = port, key, events, rate
        self.latencies_ms: list[float] = []
        self.sent = 0
        self._next = 0
        self._started = time.perf_counter()

    async def connection(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.perf_counter() < until:
            number, self._next = self._next, self._next + 1
            request = a_request(self.key, number, self.events)
            begun = time.perf_counter()
            if self.rate:
                due = self._started + number * self.events / self.rate
                if due > begun:
                    await asyncio.sleep(due - begun)
                begun = max(due, self._started)  # lateness of the generator counts as waiting
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            self.latencies_ms.append((time.perf_counter() - begun) * 1000)
            assert head.startswith(b"HTTP/1.1 202"), (head, body[:300])
            assert body.endswith(b'"accepted":%d,"quarantined":0,"refused":0}' % self.events), body[-100:]
            self.sent += self.events
        writer.close()


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(service: Running, key: str, processes: dict[str, psutil.Process], options: Any) -> dict[str, Any]:
    port = int(service.url.rpartition(":")[2])
    warm = Load(port, key, events=options.events, rate=options.rate)
    await asyncio.gather(*(warm.connection(time.perf_counter() + 4) for _ in range(options.connections)))
    before = service.get("/v1/counts")["accepted"]
    load = Load(port, key, events=options.events, rate=options.rate)
    cpu = {name: cpu_s(process) for name, process in processes.items()}
    begun = time.perf_counter()
    await asyncio.gather(*(load.connection(begun + options.seconds) for _ in range(options.connections)))
    took_s = time.perf_counter() - begun
    used = {name: cpu_s(process) - cpu[name] for name, process in processes.items()}
    stored = service.get("/v1/counts")["accepted"] - before
    return {
        "events_per_second": round(load.sent / took_s),
        "request_p50_ms": round(percentile(load.latencies_ms, 0.50), 2),
        "request_p95_ms": round(percentile(load.latencies_ms, 0.95), 2),
        "request_p99_ms": round(percentile(load.latencies_ms, 0.99), 2),
        "acknowledged": load.sent,
        "stored": stored,
        "differences": stored - load.sent,
        "cpu_s_per_100k": {name: round(seconds * 100_000 / load.sent, 3) for name, seconds in used.items()},
        "memory_mb": round(processes["usage-ingest"].memory_info().rss / 1e6),
        **vars(options),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usage-ingest-bench-") as folder:
        Path(folder).chmod(0o755)
        stack = Stack(Path(folder) / "stack", fsync=False)
        stack.start()
        try:
            env = {
                **stack.urls.env(),
                **HouseKeys(stack.state_dir).env,
                "EVENT_PARTITIONS": "8",
                "BUSINESS_CLOCK_URL": "",
                "QUARANTINE_KEYS": new_key(),
            }
            command(env, "migrate")
            key = json.loads(command(env, "keys", "create", "--name", "bench", "--operator", "--json"))["key"]
            service = Running.start(env, Path(folder) / "service.log", port=free_port())
            try:
                assert service.post("/v1/customers", key, {"customers": CUSTOMERS}).status_code == 200
                processes = {
                    "usage-ingest": psutil.Process(service.process.pid),
                    "broker": psutil.Process(stack.status()["kafka"]["pid"]),
                    "load": psutil.Process(os.getpid()),
                }
                print(json.dumps(uvloop.run(measure(service, key, processes, options)), indent=2))
            finally:
                service.close()
        finally:
            stack.stop(remove_state=True)


if __name__ == "__main__":
    main()
