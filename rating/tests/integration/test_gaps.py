"""For each gap between two writes: rating dies there, another one goes on, and nothing is missing or doubled."""

from __future__ import annotations

import signal
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from usage_rating.entries import entry_id
from usage_rating.failpoints import GAPS
from usage_rating.testing import a_contract, a_signal, until

pytestmark = pytest.mark.integration

# op, meter, ordinal of what an undisturbed run of `_a_life` holds, by the conversation's name
UNDISTURBED = {
    "confirmed": [("charge", "resolution", 1)],
    "assumed": [("charge", "resolution", 1)],
    "returned": [("charge", "resolution", 1), ("reverse", "resolution", 2)],
    "by-hand": [],
    "under-new-contract": [("charge", "resolution", 1)],
}


def _first_day(world: Any, customer: str) -> list[tuple[str, str, bytes]]:
    now = world.time.now

    def told(conversation: str, signal: str, minutes: int, **data: Any) -> tuple[str, str, bytes]:
        at = now - timedelta(minutes=minutes)
        value = a_signal(signal, at, conversation=conversation, customer=customer, received_at=now, **data)
        return customer, conversation, value

    records = []
    for conversation in UNDISTURBED:
        records.append(told(conversation, "customer_message", 30, intent="question"))
        records.append(told(conversation, "ai_answer", 20))
    records.append(told("confirmed", "customer_message", 10, intent="affirm"))
    records.append(told("confirmed", "customer_message", 10, intent="affirm"))
    records.append(told("returned", "customer_message", 10, intent="affirm"))
    records.append(told("by-hand", "customer_message", 10, intent="human_request"))
    records.append(told("under-new-contract", "teammate_reply", 5))
    return [*records, (customer, "broken", b'{"specversion":"1.0"}')]


def _a_life(world: Any, customer: str, *, dies_at: str | None) -> None:
    """
    Everything rating does, once: a batch with an unreadable record, a new contract, a night, timers, a return.

    Where the process dies it is followed by the next one at once.
    """
    world.agree(customer, a_contract(customer, teammate_takeover_voids=True))
    rating = world.rating(dies_at=dies_at)
    deaths = 0

    def carry_on() -> None:
        nonlocal rating, deaths
        while True:
            try:
                rating.quiet(world.time.now)
                return
            except pytest.fail.Exception:
                if deaths or rating.returncode != -signal.SIGKILL:
                    raise
                deaths += 1
                rating = world.rating()

    carry_on()
    world.send(*_first_day(world, customer))
    carry_on()
    world.agree(customer, a_contract(customer, revision=2, teammate_takeover_voids=False))
    carry_on()
    world.time.step(world.time.now + timedelta(days=2))
    carry_on()
    back = a_signal(
        "customer_message",
        world.time.now,
        conversation="returned",
        customer=customer,
        received_at=world.time.now,
        intent="needs_help",
    )
    world.send((customer, "returned", back))
    carry_on()
    assert deaths == (dies_at is not None)


def _published(world: Any, customer: str) -> dict[str, list[dict[str, Any]]]:
    by_id = defaultdict(list)
    for record in world.topic("usage.rated"):
        if record["subject"] == customer:
            by_id[record["id"]].append(record)
    return by_id


# those of alerts lie in no life without a threshold: test_alerts.py dies there
LIFE_GAPS = [gap for gap in GAPS if not gap.startswith("alerts-")]


@pytest.mark.parametrize("gap", [None, *LIFE_GAPS])
def test_dying_in_a_gap_loses_and_doubles_nothing(world: Any, customer: str, gap: str | None) -> None:
    received = len(world.topic("events.accepted"))

    _a_life(world, customer, dies_at=gap)

    ledger_id = str(world.query("SELECT ledger_id FROM instance")[0]["ledger_id"])
    ledger = world.query("SELECT * FROM ledger WHERE customer = $1 ORDER BY partition, seq", customer)
    held = {row["entry_id"]: (row["subject"], row["op"], row["meter"], row["ordinal"]) for row in ledger}
    assert held == {
        entry_id(ledger_id, customer, conversation, meter, op, ordinal): (conversation, op, meter, ordinal)
        for conversation, entries in UNDISTURBED.items()
        for op, meter, ordinal in entries
    }
    published = _published(world, customer)
    assert set(published) == set(held)
    for copies in published.values():
        assert all(copy == copies[0] for copy in copies)
    assert world.query("SELECT 1 FROM partitions WHERE published_seq <> next_seq - 1") == []
    seqs = world.query("SELECT partition FROM ledger GROUP BY 1 HAVING max(seq) <> count(*)")
    assert seqs == []
    equations = world.query(
        "SELECT sum(applied)::int applied, sum(duplicate)::int duplicate, sum(quarantined)::int quarantined, "
        "sum(next_offset)::int read, sum(seen)::int seen, "
        "sum(charged + not_chargeable + pending + excluded)::int by_status FROM partitions"
    )[0]
    assert equations["read"] == received + 17
    assert equations["applied"] + equations["duplicate"] + equations["quarantined"] == equations["read"]
    assert equations["seen"] == equations["by_status"] == world.query("SELECT count(*) FROM conversations")[0][0]
    quarantined = {record["id"] for record in world.topic("events.quarantined")}
    assert len(quarantined) == equations["quarantined"]


def test_progress_never_runs_ahead_of_what_is_published(world: Any, customer: str) -> None:
    _a_life(world, customer, dies_at=None)

    published = {row["partition"]: row["published_seq"] for row in world.query("SELECT * FROM partitions")}

    def last() -> dict[int, int]:
        return {record["data"]["partition"]: record["data"]["seq"] for record in world.topic("rating.progress")}

    until(lambda: last() == published, "progress tells what is published, and no more")
    told = world.topic("rating.progress")
    for number in published:
        of_partition = [record["data"] for record in told if record["data"]["partition"] == number]
        assert of_partition == sorted(of_partition, key=lambda data: (data["read_up_to"], data["seq"]))
