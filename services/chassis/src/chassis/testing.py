"""Fakes and helpers that tests of services import."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import keyring
from chassis.broker import Broker
from chassis.key_file import create_key, write_private
from chassis.keyring import KeyScope


class HouseKeys:
    """
    A keys file of a test's own, with a secret of each scope, one that has expired, and one that nobody made.

    `env` is what a service needs of it, `header` what a request needs.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.jsonl"
        self.read, self.operate, self.admin, self.expired, self.unknown = (keyring.new_secret() for _ in range(5))
        for scope, secret in (
            (KeyScope.READ, self.read),
            (KeyScope.OPERATE, self.operate),
            (KeyScope.ADMIN, self.admin),
        ):
            create_key(self.file, f"test-{scope}", scope, secret=secret)
        now = datetime.now(UTC)
        ended = keyring.Key("test-expired", KeyScope.ADMIN, keyring.digest_of(self.expired), now, now)
        write_private(self.file, self.file.read_text() + keyring.to_text([ended]))

    @property
    def env(self) -> dict[str, str]:
        """The settings of a service that takes these keys, and asks others with one that may read."""
        return {"ACCESS_KEYS_FILE": str(self.file), "SERVICE_KEY": self.read}

    @property
    def header(self) -> dict[str, str]:
        """The header of a caller who may do everything."""
        return bearer(self.admin)


def bearer(secret: str) -> dict[str, str]:
    """The header that carries a secret."""
    return {"Authorization": f"Bearer {secret}"}


class SetClock:
    """A business clock that stands where a test has put it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Where the test has put it."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to an instant, never back."""
        if now < self._now:
            raise ValueError("business time never goes back")
        self._now = now

    def advance(self, **by: float) -> None:
        """Move forward, such as `advance(hours=1)`."""
        self.set(self._now + timedelta(**by))

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


class ClockServer:
    """The owner of business time over HTTP, as the sandbox is one: answers a long poll, never goes back."""

    def __init__(self, begin: datetime) -> None:
        self.now, self._version = begin, 0
        self._moved = threading.Condition()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                body = owner._wait(int(query.get("newer_than", ["-1"])[0]), float(query.get("wait_s", ["0"])[0]))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *where: Any) -> None:
                """A process that is killed hangs up in the middle of its long poll; anything else is told."""
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(*where)

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/clock"

    def _wait(self, newer_than: int, wait_s: float) -> bytes:
        with self._moved:
            self._moved.wait_for(lambda: self._version > newer_than, wait_s)
            return json.dumps({"now": self.now.isoformat(), "version": self._version}).encode()

    def step(self, to: datetime) -> None:
        """Move to an instant, never back."""
        with self._moved:
            if to < self.now:
                raise ValueError("business time never goes back")
            self.now, self._version = to, self._version + 1
            self._moved.notify_all()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


async def stored(broker: Broker | str, topic: str, partition: int, *, within_s: float = 20) -> list[ConsumerRecord]:
    """All records of a partition, read by a client of its own up to the end that the broker tells."""
    consumer = AIOKafkaConsumer(**Broker.of(broker).aiokafka(), enable_auto_commit=False)
    await consumer.start()
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        end = (await consumer.end_offsets([where]))[where]
        found: list[ConsumerRecord] = []
        deadline = time.monotonic() + within_s
        while await consumer.position(where) < end:
            assert time.monotonic() < deadline, f"read {len(found)} of {end}"
            for records in (await consumer.getmany(where, timeout_ms=200)).values():
                found.extend(records)
        return found
    finally:
        await consumer.stop()


async def until(holds: Callable[[], bool | Awaitable[bool]], *, within_s: float = 30) -> None:
    """Return once a condition holds."""
    deadline = time.monotonic() + within_s
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "it never came to hold"
        await asyncio.sleep(0.02)
