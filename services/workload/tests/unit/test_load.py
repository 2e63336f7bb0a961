"""The load's own word about what it is worth, against the truth that judges by rules; its shares; its pace."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

import pytest

from workload.load import charging_stream, load_contracts, signal_stream
from workload.month import DAY, micros
from workload.truth.outcome import Fact, fact, ledger, net

START = micros(datetime.fromisoformat("2026-10-01T00:00:00+00:00"))
POLICY = [(START, load_contracts(1, start=START)[0]["timeline"][0]["policy"])]


def judged(batches: list[bytes], as_of: int) -> Counter[tuple[str, str]]:
    facts: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for batch in batches:
        for event in json.loads(batch):
            at = micros(datetime.fromisoformat(event["time"][:19] + "+00:00")) + int(event["time"][20:26])
            facts[(event["customer"], event["subject"])].append(fact({**event, "at": at}))
    found: Counter[tuple[str, str]] = Counter()
    for (customer, _), known in facts.items():
        entries = ledger(known, POLICY, as_of)
        if net(entries):
            found[(customer, entries[-1].meter)] += 1
    return found


def load(signals: int = 20_000, **other: Any) -> tuple[list[bytes], Any]:
    streamed = list(signal_stream(seed=3, customers=40, signals=signals, interleave=500, start=START, **other))
    return [batch for batch, _ in streamed], streamed[-1][1]


@pytest.mark.parametrize("matured", [False, True])
def test_the_load_is_worth_what_it_says(matured: bool) -> None:
    batches, stream = load()

    assert judged(batches, START + (2 * DAY if matured else 0)) == stream.expected_net(matured=matured)


def test_a_batch_touches_as_many_conversations_as_it_holds_signals() -> None:
    batches, _ = load()

    subjects = [{event["subject"] for event in json.loads(batch)} for batch in batches[:50]]
    assert all(len(touched) >= 98 for touched in subjects)


def test_shares_of_doubled_and_late_signals() -> None:
    batches, stream = load(signals=50_000)

    events = [event for batch in batches for event in json.loads(batch)]
    identities = {(event["source"], event["id"]) for event in events}
    newest: dict[str, str] = {}
    late = 0
    for event in events:
        late += event["time"] < newest.get(event["subject"], "")
        newest[event["subject"]] = max(event["time"], newest.get(event["subject"], ""))
    assert len(events) == stream.deliveries
    assert len(identities) == stream.signals
    assert len(events) - len(identities) == pytest.approx(250, abs=60)
    assert late == pytest.approx(1000, rel=0.3)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert load(signals=2000)[0] == load(signals=2000)[0]


def test_a_charging_signal_charges_at_once() -> None:
    streamed = list(charging_stream(customers=7, signals=100, start=START))

    expected = streamed[-1][1].expected_net()
    assert judged([batch for batch, _ in streamed], START) == expected
    assert sum(expected.values()) == 100
    assert set(expected.values()) == {14, 15}
