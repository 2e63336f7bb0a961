"""Builders for tests: events with plain defaults, the service as a process of its own, and what lies on the bus."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
from confluent_kafka import Consumer, Producer, TopicPartition


def an_event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A sound `conversation.signal`; `changes` replace attributes, a value of None takes one away."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "urn:helpdesk:eu",
        "type": "conversation.signal",
        "subject": f"conversation-{number}",
        "time": "2026-03-02T10:00:08Z",
        "customer": "acme",
        "data": {"signal": "customer_message", "intent": "question", "channel": "chat"},
    }
    event.update(changes)
    return {name: value for name, value in event.items() if value is not None}


@dataclass
class Running:
    """The service as a process, and a client for it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    client: httpx.Client
    house_key: str  # of the house, not a sender's; may read
    _log_file: IO[bytes]

    @classmethod
    def start(cls, env: dict[str, str], log: Path, *, port: int, wait: bool = True) -> Running:
        """Start `python -m usage_ingest serve` with this environment beside our own."""
        log_file = log.open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "usage_ingest", "serve"],
            env={**os.environ, **env, "PORT": str(port)},
            stdout=log_file,
            stderr=subprocess.STDOUT,
        )
        running = cls(process, f"http://127.0.0.1:{port}", log, httpx.Client(timeout=40), env["SERVICE_KEY"], log_file)
        if wait:
            running.wait_ready()
        return running

    def wait_ready(self, *, within_s: float = 40) -> None:
        """Return once `/readyz` says so. Raises AssertionError with the log's end where it does not in time."""
        self.wait_until(lambda: self._get("/readyz") == 200, within_s=within_s)

    def wait_until(self, condition: Any, *, within_s: float = 20) -> None:
        """Return once the condition holds."""
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s} s: {self.log.read_text()[-3000:]}"
            assert self.process.poll() is None, f"it died: {self.log.read_text()[-3000:]}"
            time.sleep(0.02)

    def wait_dead(self, *, within_s: float = 20) -> int:
        """The exit code once the process has ended by itself; negative: the signal that killed it."""
        return self.process.wait(within_s)

    def send(self, events: Any, key: str, **options: Any) -> httpx.Response:
        """POST /v1/events."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **options.pop("headers", {})}
        content = events if isinstance(events, bytes) else json.dumps(events).encode()
        return self.client.post(f"{self.url}/v1/events", content=content, headers=headers, **options)

    def get(self, path: str, key: str | None = None, **params: Any) -> Any:
        """The JSON of a GET that must succeed; without another key by the one of the house."""
        headers = {"Authorization": f"Bearer {key or self.house_key}"}
        answer = self.client.get(self.url + path, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, key: str, body: Any) -> httpx.Response:
        """POST of a JSON body."""
        return self.client.post(self.url + path, json=body, headers={"Authorization": f"Bearer {key}"})

    def terminate(self, *, within_s: float = 30) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def close(self) -> None:
        """End the process however it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.client.close()
        self._log_file.close()

    def _get(self, path: str) -> int:
        try:
            return self.client.get(self.url + path, timeout=5).status_code
        except httpx.TransportError:
            return 0


def command(env: dict[str, str], *arguments: str) -> str:
    """Run `python -m usage_ingest ...` and answer its output. Raises AssertionError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "usage_ingest", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def accepted(bootstrap: str, *, source: str) -> list[dict[str, Any]]:
    """All records of events.accepted from one source, each with `_partition` and `_key`."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests", "enable.auto.commit": False})
    try:
        topic = consumer.list_topics("events.accepted", timeout=10).topics["events.accepted"]
        parts = [TopicPartition("events.accepted", number, 0) for number in topic.partitions]
        ends: dict[int | None, int] = {
            part.partition: consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts
        }
        consumer.assign(parts)
        found, left = [], sum(ends.values())
        deadline = time.monotonic() + 20
        while left and time.monotonic() < deadline:
            for message in consumer.consume(500, timeout=0.5):
                assert message.error() is None, message.error()
                if (message.offset() or 0) < ends[message.partition()]:
                    left -= 1
                    value = json.loads(message.value() or b"")
                    if value["source"] == source:
                        found.append({**value, "_partition": message.partition(), "_key": message.key()})
        assert left == 0, f"{left} records were not read"
        return found
    finally:
        consumer.close()


def produce(bootstrap: str, topic: str, key: str, value: bytes | None) -> None:
    """One record, confirmed."""
    errors: list[Any] = []
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value, key, on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert errors == [None], errors
