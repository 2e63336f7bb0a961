"""
A tiny outside system as a process of its own: holds records, counts every write, and fails as it is told.

    PUT /records/{record}  {"key", "version", "content"}    writes, each time it is asked: it knows no duplicates
    GET /records/{record}                                   the record as it is there
    POST /faults  [{"record"?, "fault", "times"?, "seconds"?}]   GET /told

Its argument is how long each answer takes in seconds; it begins with its port on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

REASONS = {200: "OK", 404: "Not Found", 422: "Unprocessable", 423: "Locked", 429: "Too Many", 500: "Error", 503: "Away"}
Reply = tuple[int, dict[str, Any], dict[str, str]]


class TinyVendor:
    """`effects` counts writes by key; `written` is their order; `arrivals` the instants of calls about records."""

    def __init__(self, answer_s: float = 0.0) -> None:
        self.answer_s = answer_s
        self.records: dict[str, dict[str, Any]] = {}
        self.effects: Counter[str] = Counter()
        self.written: list[tuple[str, int]] = []
        self.arrivals: list[tuple[str, float, str]] = []
        self.statuses: Counter[int] = Counter()
        self.faults: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self.limited_until = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept open over many requests."""
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ", 2)
                length = 0
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                body = json.loads(await reader.readexactly(length)) if length else None
                status, answer, headers = await self.answer(method, path, body)
                raw = json.dumps(answer).encode()
                more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n{more}"
                writer.write(head.encode() + f"Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller was killed or has given up: that is what these tests are about
        finally:
            writer.close()

    async def answer(self, method: str, path: str, body: Any) -> Reply:
        """Route a request; what is about records is counted and goes through the faults."""
        if path == "/faults":
            self.faults = [{"times": 1, "seconds": 0.0, "record": None, **fault} for fault in body]
            return 200, {}, {}
        if path == "/told":
            return 200, self.told(), {}
        if path.startswith("/by-hand/"):  # a person over there
            self.records[path.removeprefix("/by-hand/")] = {**body, "key": "a person"}
            return 200, {}, {}
        record = path.removeprefix("/records/")
        self.arrivals.append((method, time.monotonic(), record))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.answer_s:
                await asyncio.sleep(self.answer_s)
            reply = await (self.write(record, body) if method == "PUT" else self.read(record))
            self.statuses[reply[0]] += 1
            return reply
        finally:
            self.at_once -= 1

    async def write(self, record: str, body: dict[str, Any]) -> Reply:
        """Write, or fail as told: before it, after it, or without an answer."""
        fault = self.fault(record, ("down", "limited", "breaks_before", "breaks_after", "slow", "refuses", "person"))
        name, seconds = fault.get("fault"), fault.get("seconds", 0.0)
        if name == "limited":
            self.limited_until = self.limited_until or time.monotonic() + seconds
        if (left := self.limited_until - time.monotonic()) > 0:
            return 429, {"sentence": "too many"}, {"Retry-After": f"{left:.3f}"}
        if name == "down":
            return 503, {"sentence": "down for maintenance"}, {}
        if name == "breaks_before":
            return 500, {"sentence": "something went wrong"}, {}
        if name == "refuses":
            return 422, {"code": "E17", "sentence": "The period is closed."}, {}
        if name == "person":
            return 423, {"code": "E23", "sentence": "The company has no nexus there."}, {}
        if name == "slow":  # the caller may have gone by then; the write takes place all the same
            await asyncio.sleep(seconds)
        self.effects[body["key"]] += 1
        self.written.append((record, body["version"]))
        self.records[record] = body
        if name == "breaks_after":
            await asyncio.sleep(seconds)
            return 500, {"sentence": "something went wrong"}, {}
        return 200, {"id": f"id-of-{record}"}, {}

    async def read(self, record: str) -> Reply:
        """The record as it is there."""
        if self.fault(record, ("look_up_down",)):
            return 503, {"sentence": "down for maintenance"}, {}
        return (200, self.records[record], {}) if record in self.records else (404, {}, {})

    def fault(self, record: str, names: tuple[str, ...]) -> dict[str, Any]:
        """The first fault that fits, used once."""
        for fault in self.faults:
            if fault["times"] and fault["fault"] in names and fault["record"] in (None, record):
                fault["times"] -= 1
                return fault
        return {}

    def told(self) -> dict[str, Any]:
        """What was seen."""
        return {
            "effects": self.effects,
            "written": self.written,
            "arrivals": self.arrivals,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "most_at_once": self.most_at_once,
        }


async def main() -> None:
    """Serve until killed."""
    answer_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    server = await asyncio.start_server(TinyVendor(answer_s).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
