"""Dying in each gap between two writes: nothing acknowledged is lost, and sending all again makes it whole."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from usage_ingest.testing import Running, accepted, an_event

Start = Callable[..., Running]


@pytest.fixture
def bootstrap(base_env: dict[str, str]) -> str:
    return base_env["KAFKA_BOOTSTRAP_SERVERS"]


@pytest.fixture
def source(start: Start, operator: str) -> str:
    """A source of this test alone; the customer `acme` is registered."""
    return f"urn:gap:{os.urandom(4).hex()}"


def a_batch(source: str) -> list[dict[str, Any]]:
    """Good events for several partitions, and a bad one."""
    return [an_event(number, source=source) for number in range(20)] + [an_event(99, source=source, type="chat")]


@pytest.mark.parametrize("gap", ["events.between-partitions", "events.before-quarantine", "events.before-answer"])
def test_a_request_that_died_is_whole_once_it_is_sent_again(
    gap: str, start: Start, operator: str, source: str, bootstrap: str
) -> None:
    dying = start(SETTLED_FAILPOINT=f"usage-ingest.{gap}")
    assert dying.post("/v1/customers", operator, {"customers": ["acme"]}).status_code == 200

    with pytest.raises(httpx.TransportError):  # nothing was acknowledged
        dying.send(a_batch(source), operator)
    assert dying.wait_dead() == -9
    revived = start()
    again = revived.send(a_batch(source), operator)

    assert again.status_code == 202
    times = Counter(record["id"] for record in accepted(bootstrap, source=source))
    assert set(times) == {f"e{number}" for number in range(20)}
    assert max(times.values()) <= 2  # rating knows the second one by its identity
    rows = revived.get("/v1/quarantine", operator, source=source)["items"]
    assert [(row["event_id"], row["reason"]) for row in rows] == [("e99", "unknown_type")]
    assert rows[0]["deliveries"] == (2 if gap == "events.before-answer" else 1)


def test_a_replay_that_died_before_marking_is_repeated_as_the_same_event(
    start: Start, operator: str, source: str, bootstrap: str
) -> None:
    gap, customer = "replay.before-mark", f"late-{os.urandom(4).hex()}"
    dying = start(SETTLED_FAILPOINT=f"usage-ingest.{gap}")
    assert dying.send([an_event(1, source=source, customer=customer)], operator).json()["quarantined"] == 1
    assert dying.post("/v1/customers", operator, {"customers": [customer]}).status_code == 200

    with pytest.raises(httpx.TransportError):
        dying.post("/v1/quarantine/replay", operator, {"customer": customer})
    assert dying.wait_dead() == -9
    revived = start()
    assert len(revived.get("/v1/quarantine", operator, customer=customer)["items"]) == 1
    again = revived.post("/v1/quarantine/replay", operator, {"customer": customer})

    assert again.json()["replayed"] == 1
    assert revived.get("/v1/quarantine", operator, customer=customer)["items"] == []
    records = accepted(bootstrap, source=source)
    assert [(record["id"], record["receivedat"]) for record in records] == [("e1", "2026-03-02T10:00:10Z")] * 2


def test_a_repaired_replay_that_died_before_marking_still_has_its_content(
    start: Start, operator: str, source: str, bootstrap: str
) -> None:
    gap, repair = "replay.before-mark", {"drop": ["data.sentiment"]}
    dying = start(SETTLED_FAILPOINT=f"usage-ingest.{gap}")
    dying.send([an_event(1, source=source, data={"signal": "ai_answer", "sentiment": "cross"})], operator)
    (row,) = dying.get("/v1/quarantine", operator, source=source)["items"]

    with pytest.raises(httpx.TransportError):
        dying.post("/v1/quarantine/replay", operator, {"ids": [row["id"]], **repair})
    assert dying.wait_dead() == -9
    revived = start()
    again = revived.post("/v1/quarantine/replay", operator, {"ids": [row["id"]], **repair})

    assert again.json()["replayed"] == 1
    records = accepted(bootstrap, source=source)
    assert [(record["id"], record["receivedat"]) for record in records] == [("e1", "2026-03-02T10:00:10Z")] * 2


@pytest.mark.parametrize("gap", ["events.before-quarantine", "events.before-answer"])
def test_no_row_is_ever_without_its_content(gap: str, start: Start, operator: str, source: str) -> None:
    dying = start(SETTLED_FAILPOINT=f"usage-ingest.{gap}")

    with pytest.raises(httpx.TransportError):
        dying.send(a_batch(source), operator)
    revived = start()

    rows = revived.get("/v1/quarantine", operator, source=source)["items"]
    assert len(rows) == (1 if gap == "events.before-answer" else 0)
    assert all(row["content_kept_until"] for row in rows)
