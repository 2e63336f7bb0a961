"""Several owners, zombies, and a database or a broker that goes away in the middle of work."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from embedded_stack import Stack
from usage_rating.testing import a_contract, a_signal, until

pytestmark = pytest.mark.integration

CONVERSATIONS = 40  # over 8 partitions: every owner has some of them


def outcomes(world: Any, customer: str, names: range) -> list[tuple[str, str, bytes]]:
    """One signal for each conversation that charges at once."""
    now = world.time.now
    return [
        (
            customer,
            f"c{n}",
            a_signal(
                "outcome_reached",
                now,
                conversation=f"c{n}",
                customer=customer,
                received_at=now,
                outcome_type="qualification",
            ),
        )
        for n in names
    ]


def assert_each_charged_once(world: Any, customer: str, conversations: int) -> None:
    """In the ledger, and on the topic by entry id."""
    ledger = world.query("SELECT subject, op, entry_id FROM ledger WHERE customer = $1", customer)
    assert Counter(row["subject"] for row in ledger) == {f"c{n}": 1 for n in range(conversations)}
    published = {record["id"] for record in world.topic("usage.rated") if record["subject"] == customer}
    assert published == {row["entry_id"] for row in ledger}


@contextmanager
def row_held(world: Any, customer: str, conversation: str) -> Iterator[None]:
    """A conversation's row is locked by somebody else: who wants to write it stands in the middle of a transaction."""
    release, held = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(world.urls.database_url)
        async with connection.transaction():
            await connection.fetch(
                "SELECT 1 FROM rating.conversations WHERE customer = $1 AND conversation = $2 FOR UPDATE",
                customer,
                conversation,
            )
            held.set()
            await asyncio.to_thread(release.wait)
        await connection.close()

    thread = threading.Thread(target=asyncio.run, args=(hold(),))
    thread.start()
    held.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join(10)


def owned_by(process: Any) -> int:
    """How many partitions a process says it owns; none where it does not answer any more."""
    try:
        metrics = process.get("/metrics").text
    except httpx.TransportError:
        return 0
    for line in metrics.splitlines():
        if line.startswith("rating_partitions_owned "):
            return int(float(line.split()[1]))
    return 0


def test_two_processes_share_the_partitions_and_a_leaving_one_hands_over(world: Any, customer: str) -> None:
    world.agree(customer, a_contract(customer))
    first = world.rating(group="shared")
    first.quiet(world.time.now)
    second = world.rating(group="shared")
    until(lambda: second.log.exists() and "partitions claimed" in second.log.read_text(), "the second one owns some")
    until(lambda: (owned_by(first), owned_by(second)) == (4, 4), "four each")

    world.send(*outcomes(world, customer, range(20)))
    first.quiet(world.time.now)
    second.stop()
    world.send(*outcomes(world, customer, range(20, CONVERSATIONS)))
    first.quiet(world.time.now)

    assert owned_by(first) == 8
    assert_each_charged_once(world, customer, CONVERSATIONS)


def test_a_zombie_stopped_between_transactions_changes_nothing(world: Any, customer: str) -> None:
    world.agree(customer, a_contract(customer))
    zombie = world.rating(group="zombie-between")
    zombie.quiet(world.time.now)
    zombie.send_signal(signal.SIGSTOP)
    world.send(*outcomes(world, customer, range(CONVERSATIONS)))
    other = world.rating(group="zombie-between")
    other.quiet(world.time.now)
    before = world.query("SELECT * FROM ledger ORDER BY partition, seq")

    zombie.send_signal(signal.SIGCONT)
    world.time.step(world.time.now + timedelta(hours=1))  # it wants to tick now
    until(lambda: zombie.returncode is not None or owned_by(zombie) == 4, "it has stopped, or joined again")
    world.stop_all()
    world.rating().quiet(world.time.now)

    assert world.query("SELECT * FROM ledger ORDER BY partition, seq") == before
    assert_each_charged_once(world, customer, CONVERSATIONS)


def test_a_zombie_stopped_inside_a_transaction_changes_nothing(world: Any, customer: str) -> None:
    """Its one statement is committed by the server without it: stopped, it holds no row, and the next owner goes on."""
    world.agree(customer, a_contract(customer))
    world.send(*outcomes(world, customer, range(1)))
    zombie = world.rating(group="zombie-inside")
    zombie.quiet(world.time.now)
    with row_held(world, customer, "c0"):
        returned = a_signal(
            "flagged", world.time.now, conversation="c0", customer=customer, received_at=world.time.now, flag="spam"
        )
        world.send((customer, "c0", returned), *outcomes(world, customer, range(1, CONVERSATIONS)))
        blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO conversations%'"
        until(lambda: world.query(blocked), "it stands in the middle of a transaction")
        zombie.send_signal(signal.SIGSTOP)
    other = world.rating(group="zombie-inside")
    other.quiet(world.time.now, within_s=120)
    before = world.query("SELECT * FROM ledger ORDER BY partition, seq")

    zombie.send_signal(signal.SIGCONT)
    until(lambda: zombie.returncode is not None or owned_by(zombie) == 4, "it has stopped, or joined again")
    world.stop_all()
    world.rating().quiet(world.time.now)

    assert world.query("SELECT * FROM ledger ORDER BY partition, seq") == before
    ops = world.query("SELECT op FROM ledger WHERE customer = $1 AND subject = 'c0' ORDER BY ordinal", customer)
    assert [row["op"] for row in ops] == ["charge", "reverse"]


@pytest.mark.parametrize("part", ["postgres", "kafka"])
def test_a_part_killed_in_the_middle_of_work_delays_and_changes_nothing(
    world: Any, stack: Stack, customer: str, part: Any
) -> None:
    world.agree(customer, a_contract(customer))
    rating = world.rating()
    rating.quiet(world.time.now)
    world.send(*outcomes(world, customer, range(20)))

    stack.kill(part)
    while_away = rating.get("/v1/equations")
    stack.start()
    world.send(*outcomes(world, customer, range(20, CONVERSATIONS)))
    rating.quiet(world.time.now, within_s=120)

    assert rating.returncode is None
    assert (while_away.status_code, while_away.json()["code"]) == (503, "away")
    assert_each_charged_once(world, customer, CONVERSATIONS)


def test_a_log_that_another_topic_has_written_stops_rating(world: Any) -> None:
    world.query("UPDATE partitions SET topic_id = 'another' || topic_id WHERE partition = 0")
    try:
        rating = world.rating()

        assert rating.wait_dead() == 1
        assert "ForeignTopic" in rating.log.read_text()
    finally:
        world.query("UPDATE partitions SET topic_id = substr(topic_id, 8) WHERE partition = 0")


def test_an_offset_outside_the_log_stops_rating(world: Any) -> None:
    world.query("UPDATE partitions SET next_offset = next_offset + 1000000 WHERE partition = 0")
    try:
        rating = world.rating()

        assert rating.wait_dead() == 1
        assert "outside the log" in rating.log.read_text()
    finally:
        world.query("UPDATE partitions SET next_offset = next_offset - 1000000 WHERE partition = 0")


def test_a_contract_published_while_nobody_ran_is_applied_at_the_next_start(world: Any, customer: str) -> None:
    world.agree(customer, a_contract(customer, teammate_takeover_voids=True))
    rating = world.rating()
    now = world.time.now

    def told(signal: str, minutes: int) -> tuple[str, str, bytes]:
        at = now + timedelta(minutes=minutes)
        return customer, "c", a_signal(signal, at, conversation="c", customer=customer, received_at=now)

    world.send(told("ai_answer", 0), told("teammate_reply", 1))
    world.time.step(now + timedelta(days=2))
    rating.quiet(world.time.now)
    assert world.query("SELECT op FROM ledger WHERE customer = $1", customer) == []
    rating.stop()

    world.agree(customer, a_contract(customer, revision=2, teammate_takeover_voids=False))
    world.rating().quiet(world.time.now)

    ledger = world.query("SELECT op, policy_version FROM ledger WHERE customer = $1", customer)
    assert [tuple(row) for row in ledger] == [("charge", "test-2")]


def test_contracts_of_a_topic_made_anew_are_all_applied_again(world: Any, customer: str) -> None:
    world.query("UPDATE partitions SET contracts_applied = 1000000")

    world.rating().quiet(world.time.now)

    applied = {row["contracts_applied"] for row in world.query("SELECT contracts_applied FROM partitions")}
    assert len(applied) == 1
    assert max(applied) < 1_000_000
