"""Starting, stopping and time: under load, with stepped clocks, with what it needs away."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from embedded_stack import Stack
from usage_ingest.testing import Running, accepted, an_event, produce

Start = Callable[..., Running]


@pytest.fixture
def source() -> str:
    return f"urn:life:{os.urandom(4).hex()}"


@pytest.fixture
def bootstrap(base_env: dict[str, str]) -> str:
    return base_env["KAFKA_BOOTSTRAP_SERVERS"]


@pytest.fixture
def whole_stack(stack: Stack) -> Iterator[Stack]:
    """The stack, brought up again after the test however it was left."""
    yield stack
    stack.kill("kafka", signal.SIGCONT)
    stack.start()


class Load:
    """Senders that repeat what was not acknowledged, until told to stop; remembers what was acknowledged."""

    def __init__(self, service: Running, key: str, source: str, *, senders: int = 4) -> None:
        self.acknowledged: set[str] = set()
        self.statuses: list[int] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(service.url, key, source, number)) for number in range(senders)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, url: str, key: str, source: str, sender: int) -> None:
        with httpx.Client(timeout=40, headers={"Authorization": f"Bearer {key}"}) as client:
            number = 0
            while not self._stop.is_set():
                events = [an_event(sender * 10**6 + number * 20 + place, source=source) for place in range(20)]
                try:
                    answer = client.post(f"{url}/v1/events", json=events)
                except httpx.TransportError:
                    self._stop.wait(0.02)
                    continue
                self.statuses.append(answer.status_code)
                results = answer.json().get("results", [])
                self.acknowledged.update(result["id"] for result in results if result["status"] == "accepted")
                if answer.status_code == 202:
                    number += 1
                else:
                    self._stop.wait(0.02)


def test_sigterm_under_load_loses_nothing_that_was_acknowledged(
    start: Start, operator: str, source: str, bootstrap: str
) -> None:
    service = start()
    with Load(service, operator, source) as load:
        service.wait_until(lambda: len(load.acknowledged) > 2000)
        exit_code = service.terminate()

    assert exit_code == 0
    assert load.acknowledged <= {record["id"] for record in accepted(bootstrap, source=source)}


def test_sigkill_under_load_loses_nothing_that_was_acknowledged(
    start: Start, operator: str, source: str, bootstrap: str
) -> None:
    service = start()
    with Load(service, operator, source) as load:
        service.wait_until(lambda: len(load.acknowledged) > 2000)
        service.process.kill()
        service.process.wait()

    assert load.acknowledged <= {record["id"] for record in accepted(bootstrap, source=source)}


def test_while_the_broker_is_away_it_says_503_and_recovers_by_itself(
    start: Start, operator: str, source: str, bootstrap: str, whole_stack: Stack
) -> None:
    service = start(CONFIRM_WITHIN_S="3")
    with Load(service, operator, source) as load:
        service.wait_until(lambda: len(load.acknowledged) > 500)
        whole_stack.kill("kafka")
        service.wait_until(lambda: load.statuses[-1] == 503, within_s=30)
        refused = service.send([an_event(1, source="urn:away"), an_event(2, type="chat")], operator)
        unready = service.client.get(f"{service.url}/readyz")
        whole_stack.start()
        held = len(load.acknowledged)
        service.wait_until(lambda: len(load.acknowledged) > held + 500, within_s=60)

    assert (refused.status_code, refused.json()["code"]) == (503, "not_all_stored")
    assert [result["status"] for result in refused.json()["results"]] == ["not_stored", "quarantined"]
    assert refused.headers["retry-after"] == "1"
    assert unready.status_code == 503
    assert load.acknowledged <= {record["id"] for record in accepted(bootstrap, source=source)}
    service.wait_ready()


def test_a_broker_that_hangs_fills_no_memory(start: Start, operator: str, source: str, whole_stack: Stack) -> None:
    service = start(CONFIRM_WITHIN_S="8", PRODUCER_WAITING_BYTES_MAX="1000000")
    thousand = [an_event(number, source=source) for number in range(1000)]
    assert service.send(thousand, operator).status_code == 202
    whole_stack.kill("kafka", signal.SIGSTOP)
    answers: list[Any] = []
    senders = [threading.Thread(target=lambda: answers.append(service.send(thousand, operator))) for _ in range(6)]
    for sender in senders:
        sender.start()

    service.wait_until(lambda: bool(answers), within_s=5)  # long before the time-out: there is no room
    early = answers[0]
    whole_stack.kill("kafka", signal.SIGCONT)
    for sender in senders:
        sender.join()

    assert early.status_code == 503
    service.wait_until(lambda: service.send(thousand, operator).status_code == 202, within_s=40)


def test_while_the_database_is_away_good_events_pass_and_bad_ones_are_503(
    start: Start, operator: str, source: str, whole_stack: Stack
) -> None:
    service = start()
    whole_stack.kill("postgres")

    good = service.send([an_event(1, source=source)], operator)
    mixed = service.send([an_event(2, source=source), an_event(3, source=source, type="chat")], operator)
    listed = service.client.get(f"{service.url}/v1/quarantine", headers={"Authorization": f"Bearer {operator}"})
    whole_stack.start()

    assert good.status_code == 202
    assert (mixed.status_code, listed.status_code) == (503, 503)
    assert [result["status"] for result in mixed.json()["results"]] == ["accepted", "not_stored"]
    service.wait_until(
        lambda: service.send([an_event(3, source=source, type="chat")], operator).status_code == 202, within_s=30
    )


def test_starts_before_the_clock_and_answers_503_until_it_is_there(start: Start, operator: str, clock: Any) -> None:
    waiting = start(wait=False, BUSINESS_CLOCK_URL="http://127.0.0.1:9/clock")
    waiting.wait_until(lambda: waiting._get("/healthz") == 200)

    answer = waiting.send([an_event()], operator)

    assert (answer.status_code, answer.json()["code"]) == (503, "starting")
    assert waiting.client.get(f"{waiting.url}/readyz").status_code == 503
    assert waiting.terminate() == 0


def test_quiet_waits_for_the_step_and_for_what_is_unread(start: Start, clock: Any, bootstrap: str) -> None:
    service = start()
    early = service.get("/quiet", at="2026-03-02T11:00:00Z")

    clock.step(datetime.fromisoformat("2026-03-02T11:00:00Z"))
    produce(bootstrap, "contracts", "acme", b"{}")

    assert early == {"quiet": False, "waiting_for": ["business time here is 2026-03-02T10:00:10Z"]}
    service.wait_until(lambda: service.get("/quiet", at="2026-03-02T11:00:00Z")["quiet"])


def test_received_at_follows_the_stepped_clock(
    start: Start, clock: Any, operator: str, source: str, bootstrap: str
) -> None:
    service = start()
    service.send([an_event(1, source=source)], operator)
    clock.step(datetime.fromisoformat("2026-03-02T12:30:00Z"))
    service.wait_until(lambda: service.get("/quiet", at="2026-03-02T12:30:00Z")["quiet"])

    service.send([an_event(2, source=source)], operator)

    received = {record["id"]: record["receivedat"] for record in accepted(bootstrap, source=source)}
    assert received == {"e1": "2026-03-02T10:00:10Z", "e2": "2026-03-02T12:30:00Z"}


def test_another_partition_count_than_the_topics_stops_the_start(start: Start) -> None:
    wrong = start(wait=False, EVENT_PARTITIONS="16")

    assert wrong.wait_dead() == 1
    assert "a conversation would change its partition" in wrong.log.read_text()
