"""Transactions on real PostgreSQL: whatever the batches, the same net; a stale owner writes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import StaleEpoch
from chassis.store import create_pool
from embedded_stack import Stack
from event_schemas.times import to_micros
from usage_rating.arrivals import Arrivals
from usage_rating.changes import CaseFound, Change, Counts
from usage_rating.contract_book import Touched
from usage_rating.domain.differences import first_difference, first_difference_in_force
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import decide
from usage_rating.domain.policy import DAY, ContractTimeline
from usage_rating.handlers import LogGap, handle_arrivals, handle_contracts, handle_tick, handle_timers
from usage_rating.redeciding import handle_redecisions
from usage_rating.state import decode_conversation
from usage_rating.store.hot import Draft, HotStore, keep_steered, steer
from usage_rating.store.partitions import PartitionRow
from usage_rating.testing import a_signal, a_timeline, a_usage_report
from usage_rating.walks import Redecision, Turns

pytestmark = pytest.mark.integration

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
TIMELINE = a_timeline()
_partitions = count(100)


@dataclass
class _Record:
    offset: int
    value: bytes


@dataclass
class Owner:
    """One owner of one partition, whose log is whatever the test hands in."""

    store: HotStore
    pool: Any
    partition: int
    customer: str
    rows: dict[int, PartitionRow]
    timeline: Any = TIMELINE

    async def batch(self, *values: bytes, offset: int | None = None) -> Any:
        first = self.rows[self.partition].next_offset if offset is None else offset
        arrivals = Arrivals()
        arrivals.add(self.partition, [_Record(first + place, value) for place, value in enumerate(values)])
        handled = await handle_arrivals(
            arrivals, rows=self.rows, store=self.store, ledger_id="L", timelines=lambda _: self.timeline, now=0
        )
        self.rows |= handled.rows
        return handled

    async def time_is(self, instant: datetime, *, limit: int = 2) -> int:
        """Tick, then timers until none is left; how many transactions the timers took."""
        ticked = await handle_tick({self.partition: to_micros(instant)}, rows=self.rows, store=self.store, now=0)
        self.rows |= ticked.rows
        for transactions in count(1):
            handled, more = await handle_timers(
                rows=self.rows, store=self.store, ledger_id="L", timelines=lambda _: self.timeline, now=0, limit=limit
            )
            self.rows |= handled.rows
            if not more:
                return transactions
        raise AssertionError

    async def contract(self, timeline: Any, *, applied: int) -> None:
        """A new contract: what it can change is decided again."""
        await self.announce(timeline, applied=applied)
        await self.walk()

    async def announce(self, timeline: Any, *, applied: int) -> list[Redecision]:
        """A new contract: what is to be decided again."""
        before, self.timeline = self.timeline, timeline
        since = Touched(first_difference(before, timeline), first_difference_in_force(before, timeline))
        touched = {self.partition: {self.customer: since}}
        handled = await handle_contracts(touched, applied=applied, rows=self.rows, store=self.store)
        self.rows |= handled.rows
        return await self.store.redecisions([self.partition])

    async def walk(self, *, limit: int = 2, most: int = 1_000) -> int:
        """Decide again what is to be, in at most so many transactions; how many rows were decided."""
        decided = 0
        for _ in range(most):
            turns = Turns()
            turns.replace(await self.store.redecisions([self.partition]), [self.partition])
            if not turns:
                break
            handled, _, _ = await handle_redecisions(
                turns.next(1),
                rows=self.rows,
                store=self.store,
                ledger_id="L",
                timelines=lambda _: self.timeline,
                now=0,
                limit=limit,
            )
            self.rows |= handled.rows
            decided += handled.decided
        return decided

    async def row(self) -> Any:
        return await self.pool.fetchrow("SELECT * FROM partitions WHERE partition = $1", self.partition)

    async def ledger(self) -> list[Any]:
        return list(await self.pool.fetch("SELECT * FROM ledger WHERE partition = $1 ORDER BY seq", self.partition))

    async def conversations(self) -> dict[str, Any]:
        rows = await self.pool.fetch("SELECT * FROM conversations WHERE partition = $1", self.partition)
        return {row["conversation"]: row for row in rows}


@pytest.fixture(scope="session")
def database_url(stack: Stack) -> str:
    """A database of its own beside that of the processes."""

    async def create() -> None:
        connection = await asyncpg.connect(stack.urls.database_url)
        await connection.execute("CREATE DATABASE handlers")
        await connection.close()

    asyncio.run(create())
    url = stack.urls.database_url.rpartition("/")[0] + "/handlers"
    env = {**os.environ, **stack.urls.env(), "DATABASE_URL": url, "EVENT_PARTITIONS": "8"}
    subprocess.run([sys.executable, "-m", "usage_rating", "migrate"], env=env, check=True)
    return url


@asynccontextmanager
async def owning(url: str) -> AsyncIterator[Owner]:
    pool = await create_pool(url, "rating", size=2, init=steer, reset=keep_steered)
    store, partition = HotStore(pool), next(_partitions)
    claimed = await store.claim(partition, "topic", owned_at=None, wait_s=1)
    try:
        yield Owner(store, pool, partition, f"customer-{partition}", {partition: claimed})
    finally:
        await pool.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Owner]:
    async with owning(database_url) as owner:
        yield owner


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def told(owner: Owner, signal: str, hours: float, *, conversation: str = "c", **data: Any) -> bytes:
    at = BEGIN + timedelta(hours=hours)
    return a_signal(signal, at, conversation=conversation, customer=owner.customer, received_at=at, **data)


# ── any history of arrival ends with the same net ──────────────────────────────────────────────────────────────────

KINDS = [
    ("customer_message", {"intent": "question"}),
    ("customer_message", {"intent": "affirm"}),
    ("customer_message", {"intent": "needs_help"}),
    ("customer_message", {"intent": "human_request"}),
    *[("ai_answer", {})] * 3,
    *[("ai_nudge", {})] * 3,
    ("ai_question", {}),
    ("outcome_reached", {"outcome_type": "qualification"}),
    ("flagged", {"flag": "spam"}),
    ("cleared", {"flag": "spam"}),
    ("merged_into", {"into": "elsewhere"}),
]


@st.composite
def histories(draw: Any) -> tuple[list[tuple[str, int, str, dict[str, str]]], list[list[int] | int]]:
    """Signals (conversation, hour, kind, data), and how they come: batches of their places, and hours passing."""
    signals = draw(
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 90), st.sampled_from(KINDS)), min_size=1, max_size=10)
    )
    places = draw(st.permutations(list(range(len(signals))) + draw(st.lists(st.sampled_from(range(len(signals)))))))
    steps: list[list[int] | int] = [[]]
    for place in places:
        kind = draw(st.sampled_from(["same batch", "same batch", "next batch", "time passes"]))
        if kind != "same batch":
            steps += [draw(st.integers(1, 60))] if kind == "time passes" else []
            steps.append([])
        batch = steps[-1]
        assert isinstance(batch, list)
        batch.append(place)
    return [(name, hour, kind, data) for name, hour, (kind, data) in signals], steps


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(history=histories())
def test_any_order_doubling_lateness_and_split_into_batches_gives_the_same_net(
    runner: asyncio.Runner, database_url: str, history: Any
) -> None:
    """
    Seen to fail on three planted bugs in `changes`: the entries held before are written back instead of those held
    now; a new signal is put last without asking whether it is the latest; a window that is stopped keeps no due time
    though a later answer has opened one (`_due_to_store` returning None).
    """
    runner.run(_replay(database_url, history))


async def _replay(url: str, history: Any) -> None:
    signals, steps = history
    async with owning(url) as owner:
        values = [
            told(owner, kind, hour, conversation=name, event_id=str(place), **data)
            for place, (name, hour, kind, data) in enumerate(signals)
        ]
        passed = 0
        for step in steps:
            if isinstance(step, int):
                passed += step
                await owner.time_is(BEGIN + timedelta(hours=passed))
            elif step:
                await owner.batch(*(values[place] for place in step))
        end = BEGIN + timedelta(days=60)
        await owner.time_is(end)

        held: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        for entry in await owner.ledger():
            key = (entry["subject"], entry["meter"], to_micros(entry["effective_at"]))
            held[key] += 1 if entry["op"] == "charge" else -1
        wanted: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        conversations = await owner.conversations()
        for name, row in conversations.items():
            state = decode_conversation(row["state"])
            assert {int(signal.id) for signal in state.signals} == {
                place for place, signal in enumerate(signals) if signal[0] == name
            }
            decision = decide(merge((), (), state.signals).kept, TIMELINE, as_of=to_micros(end))
            assert row["status"] == decision.status
            for entry in decision.wanted:
                wanted[(name, entry.meter, entry.effective_at)] += 1 if entry.op == "charge" else -1
        assert {k: n for k, n in held.items() if n} == {k: n for k, n in wanted.items() if n}
        row = await owner.row()
        delivered = sum(len(step) for step in steps if isinstance(step, list))
        assert row["applied"] == len(signals)
        assert row["duplicate"] == delivered - len(signals)
        assert row["seen"] == len(conversations)
        for status in ("charged", "not_chargeable", "pending", "excluded"):
            assert row[status] == sum(each["status"] == status for each in conversations.values())


# ── the transaction's own promises ─────────────────────────────────────────────────────────────────────────────────


async def test_a_stale_owner_writes_nothing(owner: Owner) -> None:
    await owner.batch(told(owner, "outcome_reached", 0, outcome_type="qualification"))
    await owner.store.claim(owner.partition, "topic", owned_at=None, wait_s=1)

    with pytest.raises(StaleEpoch):
        await owner.batch(told(owner, "outcome_reached", 0, conversation="d", outcome_type="qualification"))
    with pytest.raises(StaleEpoch):
        await owner.time_is(BEGIN + timedelta(days=3))
    with pytest.raises(StaleEpoch):
        await owner.contract(TIMELINE, applied=7)
    with pytest.raises(StaleEpoch):
        await owner.store.store_published({owner.partition: (owner.rows[owner.partition].epoch, 1)})

    row = await owner.row()
    assert (row["next_offset"], row["next_seq"], row["published_seq"], row["contracts_applied"]) == (1, 2, 0, 0)
    assert list(await owner.conversations()) == ["c"]


async def test_who_comes_back_to_the_database_finds_out_that_another_has_taken_over(owner: Owner) -> None:
    await owner.store.claim(owner.partition, "topic", owned_at=None, wait_s=1)

    with pytest.raises(StaleEpoch):
        await owner.store.claim(owner.partition, "topic", owned_at=owner.rows[owner.partition].epoch, wait_s=1)

    assert (await owner.row())["epoch"] == 2


@pytest.mark.parametrize("offset", [0, 2])
async def test_a_batch_that_does_not_go_on_where_the_row_stands_is_refused(owner: Owner, offset: int) -> None:
    await owner.batch(told(owner, "ai_answer", 0))

    with pytest.raises(LogGap):
        await owner.batch(told(owner, "ai_answer", 1), offset=offset)

    assert (await owner.row())["next_offset"] == 1


async def test_a_window_ends_at_its_end_and_not_a_microsecond_earlier(owner: Owner) -> None:
    await owner.batch(told(owner, "ai_answer", 0))
    end = BEGIN + timedelta(hours=24)

    await owner.time_is(end - timedelta(microseconds=1))
    before = await owner.ledger()
    await owner.time_is(end)
    after = await owner.ledger()

    assert before == []
    assert [(entry["op"], entry["how"], entry["effective_at"], entry["caused_at"]) for entry in after] == [
        ("charge", "assumed", end, end)
    ]


async def test_a_thousand_timers_run_in_bounded_transactions(owner: Owner) -> None:
    await owner.batch(*(told(owner, "ai_answer", 0, conversation=f"c{n:04d}") for n in range(1000)))

    transactions = await owner.time_is(BEGIN + timedelta(days=2), limit=300)

    assert transactions == 4
    assert len(await owner.ledger()) == 1000
    assert (await owner.row())["charged"] == 1000


async def test_an_answer_that_prolongs_the_window_leaves_the_indexed_due_time_alone(owner: Owner) -> None:
    await owner.batch(told(owner, "ai_answer", 0))
    await owner.batch(told(owner, "ai_answer", 5))

    assert (await owner.conversations())["c"]["due_at"] == to_micros(BEGIN + timedelta(hours=24))
    await owner.time_is(BEGIN + timedelta(hours=24))
    assert (await owner.conversations())["c"]["due_at"] == to_micros(BEGIN + timedelta(hours=29))


async def test_a_conversation_without_contract_waits_and_is_decided_when_there_is_one(owner: Owner) -> None:
    owner.timeline = None
    await owner.batch(told(owner, "outcome_reached", 0, outcome_type="qualification"))
    assert (await owner.row())["pending"] == 1

    await owner.contract(TIMELINE, applied=5)
    await owner.time_is(BEGIN)

    row = await owner.row()
    assert (row["pending"], row["charged"], row["contracts_applied"]) == (0, 1, 5)
    assert [entry["meter"] for entry in await owner.ledger()] == ["qualification"]


async def test_usage_without_contract_waits_and_is_charged_when_there_is_one(owner: Owner) -> None:
    def reported(record: str, hours: int) -> bytes:
        at = BEGIN + timedelta(hours=hours)
        return a_usage_report("3", at, record=record, customer=owner.customer, received_at=at, event_id=record)

    owner.timeline = None
    await owner.batch(reported("r1", 0), reported("r2", 1), reported("r3", 2))
    assert await owner.ledger() == []

    await owner.contract(TIMELINE, applied=5)
    await owner.time_is(BEGIN + timedelta(hours=3))

    entries = await owner.ledger()
    assert sorted((entry["subject"], entry["quantity"], entry["policy_version"]) for entry in entries) == [
        (record, 3, TIMELINE.policies[0].version) for record in ("r1", "r2", "r3")
    ]
    due = await owner.pool.fetch("SELECT status, due FROM records WHERE customer = $1", owner.customer)
    assert {tuple(row) for row in due} == {("charged", False)}


async def test_a_contract_that_no_longer_charges_reverses_what_is_held(owner: Owner) -> None:
    await owner.batch(told(owner, "ai_answer", 0))
    await owner.batch(told(owner, "teammate_reply", 1))
    await owner.time_is(BEGIN + timedelta(days=2))

    await owner.contract(a_timeline(teammate_takeover_voids=True), applied=6)
    await owner.time_is(BEGIN + timedelta(days=2))

    charge, reversal = await owner.ledger()
    assert (reversal["op"], reversal["reason"], reversal["reverses"]) == ("reverse", "redecided", charge["entry_id"])
    assert reversal["effective_at"] == charge["effective_at"]
    assert reversal["policy_version"] == owner.timeline.policies[0].version


# ── a contract touches what it can change ──────────────────────────────────────────────────────────────────────────


def from_hour(hours: float, **policy: Any) -> ContractTimeline:
    """The ordinary policy, and another one from an hour on."""
    later = replace(TIMELINE.policies[0], version="later", **policy)
    return ContractTimeline((0, to_micros(BEGIN + timedelta(hours=hours))), (TIMELINE.policies[0], later))


async def a_week(owner: Owner) -> None:
    """Seven conversations, one a day, each with an answer and a teammate; all are charged."""
    for day in range(7):
        await owner.batch(
            told(owner, "ai_answer", 24 * day, conversation=f"c{day}"),
            told(owner, "teammate_reply", 24 * day + 1, conversation=f"c{day}"),
        )
    await owner.time_is(BEGIN + timedelta(days=9))


async def row_versions(owner: Owner) -> dict[str, str]:
    rows = await owner.pool.fetch(
        "SELECT conversation, xmin::text FROM conversations WHERE partition = $1", owner.partition
    )
    return {row["conversation"]: row["xmin"] for row in rows}


async def test_a_policy_for_the_future_touches_no_row(owner: Owner) -> None:
    await a_week(owner)
    before = await row_versions(owner)

    walks = await owner.announce(from_hour(24 * 30, teammate_takeover_voids=True), applied=1)

    assert walks == []
    assert await row_versions(owner) == before
    assert (await owner.row())["contracts_applied"] == 1


async def test_a_policy_from_an_instant_on_touches_what_had_a_signal_since(owner: Owner) -> None:
    await a_week(owner)
    before = await row_versions(owner)

    walks = await owner.announce(from_hour(24 * 4 + 0.5, teammate_takeover_voids=True), applied=1)
    decided = await owner.walk()

    assert [(walk.kind, walk.customer) for walk in walks] == [("conversations", owner.customer)]
    assert decided == 3  # c4 had a signal since, but its window was opened under the policy before
    after = await row_versions(owner)
    assert {name for name in after if after[name] != before[name]} == {"c5", "c6"}
    reversed_ = [entry["subject"] for entry in await owner.ledger() if entry["op"] == "reverse"]
    assert reversed_ == ["c5", "c6"]


async def test_a_walk_goes_on_behind_the_row_where_the_former_owner_died(owner: Owner) -> None:
    await a_week(owner)
    await owner.announce(from_hour(0, teammate_takeover_voids=True), applied=1)
    first = await owner.walk(most=2)
    owner.rows = {owner.partition: await owner.store.claim(owner.partition, "topic", owned_at=None, wait_s=1)}

    second = await owner.walk()

    assert (first, second) == (4, 3)
    assert [entry["subject"] for entry in await owner.ledger() if entry["op"] == "reverse"] == [
        f"c{day}" for day in range(7)
    ]
    assert await owner.store.redecisions([owner.partition]) == []


async def test_a_former_owner_moves_no_walk(owner: Owner) -> None:
    await a_week(owner)
    walks = await owner.announce(from_hour(0, teammate_takeover_voids=True), applied=1)
    await owner.store.claim(owner.partition, "topic", owned_at=None, wait_s=1)

    with pytest.raises(StaleEpoch):
        await owner.walk()

    assert await owner.store.redecisions([owner.partition]) == walks


async def test_a_later_contract_begins_a_walk_again_that_is_under_way(owner: Owner) -> None:
    await a_week(owner)
    await owner.announce(from_hour(24 * 2, teammate_takeover_voids=True), applied=1)
    await owner.walk(most=2)

    await owner.contract(from_hour(24 * 3, teammate_takeover_voids=True), applied=2)

    standing = {entry["subject"] for entry in await owner.ledger() if entry["op"] == "charge"}
    standing -= {entry["subject"] for entry in await owner.ledger() if entry["op"] == "reverse"}
    charges = [entry["subject"] for entry in await owner.ledger() if entry["op"] == "charge"]
    assert charges.count("c2") == 2
    assert standing == {"c0", "c1"}
    assert (await owner.row())["charged"] == 3


async def test_a_row_from_before_its_day_was_remembered_is_looked_at_and_decided_by_its_signals(owner: Owner) -> None:
    await a_week(owner)
    await owner.pool.execute("UPDATE conversations SET last_day = DEFAULT WHERE partition = $1", owner.partition)

    await owner.announce(from_hour(24 * 5, teammate_takeover_voids=True), applied=1)

    assert await owner.walk() == 2


async def test_no_index_holds_what_every_signal_moves(owner: Owner) -> None:
    """An update that changes no indexed column can stay HOT; the day of the last signal is in none."""
    indexes = await owner.pool.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'conversations'")
    await owner.batch(told(owner, "ai_answer", 0))
    await owner.batch(told(owner, "ai_nudge", 30))

    assert [row["indexdef"] for row in indexes if "last_day" in row["indexdef"] or "state" in row["indexdef"]] == []
    day_after = to_micros(BEGIN) // DAY + 1
    assert (await owner.conversations())["c"]["last_day"] == day_after
    assert (await owner.row())["last_day"] == day_after


async def test_a_late_fact_that_takes_a_charge_away_is_named_by_its_reversal(owner: Owner) -> None:
    await owner.batch(told(owner, "ai_answer", 0))
    await owner.time_is(BEGIN + timedelta(days=2))

    await owner.batch(told(owner, "customer_message", 3, event_id="late", intent="negative"))

    _, reversal = await owner.ledger()
    assert reversal["reason"] == "redecided"
    assert [event for _, event in json.loads(reversal["signals"])] == ["late"]
    assert reversal["policy_version"] == TIMELINE.policies[0].version


async def test_one_identity_with_two_contents_is_conflicting_and_opens_one_case(owner: Owner) -> None:
    first = told(owner, "customer_message", 0, event_id="e", intent="affirm")
    other = told(owner, "customer_message", 0, event_id="e", intent="negative")

    await owner.batch(first, other, other)
    await owner.batch(first)

    row = await owner.row()
    assert (row["applied"], row["conflicting"], row["duplicate"]) == (1, 1, 2)
    cases = await owner.pool.fetch("SELECT * FROM cases WHERE customer = $1", owner.customer)
    assert [(case["kind"], case["about"]) for case in cases] == [("conflict", "urn:test:helpdesk e")]


async def test_a_disagreeing_product_opens_a_case_that_closes_when_it_agrees(owner: Owner) -> None:
    resolved = {"state": "confirmed"}
    await owner.batch(told(owner, "ai_greeting", 0), _resolution(owner, "r1", 1, resolved))
    opened = await owner.pool.fetch("SELECT closed_at FROM cases WHERE customer = $1", owner.customer)
    await owner.batch(_resolution(owner, "r2", 2, {"state": "reversed"}))
    closed = await owner.pool.fetch("SELECT closed_at FROM cases WHERE customer = $1", owner.customer)

    assert [case["closed_at"] for case in opened] == [None]
    assert [case["closed_at"] is not None for case in closed] == [True]


def _resolution(owner: Owner, event_id: str, hours: int, data: dict[str, str]) -> bytes:
    value = told(owner, "x", hours, event_id=event_id).replace(b"conversation.signal", b"resolution")
    return value.replace(b'{"signal": "x", "channel": "chat"}', str(data).replace("'", '"').encode())


async def test_a_corrected_record_is_reversed_and_charged_anew_at_its_own_time(owner: Owner) -> None:
    def report(quantity: str, hours: int, event_id: str, **data: Any) -> bytes:
        at = BEGIN + timedelta(hours=hours)
        return a_usage_report(
            quantity, at, record="sms-1", customer=owner.customer, received_at=at, event_id=event_id, **data
        )

    await owner.batch(report("3", 0, "u1"), report("3", 0, "u1"))
    await owner.batch(report("2.5", 9, "u2", corrects={"source": "urn:test:helpdesk", "id": "u1"}))

    ledger = await owner.ledger()
    assert [(e["op"], str(e["quantity"]), e["effective_at"], e["ordinal"]) for e in ledger] == [
        ("charge", "3", BEGIN, 1),
        ("reverse", "3", BEGIN, 2),
        ("charge", "2.5", BEGIN, 3),
    ]
    assert ledger[1]["reverses"] == ledger[0]["entry_id"]
    row = await owner.row()
    assert (row["applied"], row["duplicate"], row["records"], row["seen"]) == (2, 1, 1, 0)


async def test_what_is_published_again_from_the_ledger_is_what_was_published_first(owner: Owner) -> None:
    handled = await owner.batch(told(owner, "outcome_reached", 0, outcome_type="qualification"))

    again = await owner.store.unpublished(owner.partition, 0, limit=10)

    assert again == handled.entries[owner.partition]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET quantity = 2",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "DELETE FROM conversations",
        "UPDATE instance SET ledger_id = gen_random_uuid()",
    ],
)
async def test_the_app_role_may_not_change_what_is_written(owner: Owner, statement: str) -> None:
    await owner.batch(told(owner, "outcome_reached", 0, outcome_type="qualification"))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.pool.execute(statement)


async def test_an_entry_is_appended_once_whatever_the_code_tries(owner: Owner) -> None:
    handled = await owner.batch(told(owner, "outcome_reached", 0, outcome_type="qualification"))

    draft = Draft.of(owner.rows)
    draft.rows[owner.partition].next_offset += 1
    draft.entries = handled.entries
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.store.write(draft, now=BEGIN)

    assert (await owner.row())["next_offset"] == 1


async def test_what_was_loaded_before_another_owner_came_is_not_written(owner: Owner) -> None:
    """The one statement is the guard: it finds the epoch raised and writes none of its parts."""
    draft = Draft.of(owner.rows)
    draft.rows[owner.partition].next_offset += 1
    change = Change(None, "pending", b"", None, (), Counts(1))
    draft.conversations = [((owner.customer, "c"), owner.partition, change)]
    draft.cases = [CaseFound("conflict", owner.customer, "c", "x", "sentence")]
    await owner.store.claim(owner.partition, "topic", owned_at=None, wait_s=1)

    with pytest.raises(StaleEpoch):
        await owner.store.write(draft, now=BEGIN)

    assert await owner.conversations() == {}
    assert await owner.pool.fetch("SELECT 1 FROM cases WHERE customer = $1", owner.customer) == []
    assert (await owner.row())["next_offset"] == 0


async def test_an_owner_that_remembers_another_place_than_its_row_writes_nothing(owner: Owner) -> None:
    remembered = dict(owner.rows)
    await owner.batch(told(owner, "ai_answer", 0))
    owner.rows = remembered

    with pytest.raises(StaleEpoch):
        await owner.batch(told(owner, "ai_answer", 0, conversation="d"))

    assert list(await owner.conversations()) == ["c"]


async def test_the_hot_statements_never_scan_a_table(owner: Owner) -> None:
    from usage_rating.store import statements

    await owner.batch(told(owner, "ai_answer", 0))
    plans = []
    for statement, arguments in [
        (statements.LOAD_CONVERSATIONS, (["x"], ["y"])),
        (statements.LOAD_RECORDS, (["x"], ["y"], ["z"])),
        (statements.LOAD_DUE, ([1], [1], 10)),
        (statements.LOAD_DUE_RECORDS, ([1], 10)),
        (statements.NEXT_DUE, ([1],)),
        (statements.LOAD_CONVERSATIONS_AGAIN, (["x"], ["y"], [1], [1], 10, 10)),
        (statements.LAST_LOOKED_AT, (["x"], ["y"], 10)),
        (statements.LOAD_RECORDS_AGAIN, (["x"], ["y"], ["z"], 10)),
        (statements.APPLY_CONTRACTS, ([1], [1], [1], [1], [1], ["x"], ["records"], [1], 1)),
    ]:
        rows = await owner.pool.fetch(f"EXPLAIN {statement}", *arguments)
        plans.append("\n".join(row[0] for row in rows))

    assert [plan for plan in plans if "Seq Scan" in plan] == []
