"""Load, decide, save: one function for each kind of transaction. The decisions themselves are made in `changes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from event_schemas.times import from_micros
from event_schemas.wire import RatedEntry
from usage_rating.arrivals import Arrivals, ConversationKey, RecordKey
from usage_rating.changes import (
    NO_CONVERSATION,
    NO_RECORD,
    CaseFound,
    Change,
    Circumstances,
    change_conversation,
    change_record,
)
from usage_rating.domain.policy import ContractTimeline
from usage_rating.failpoints import failpoints
from usage_rating.state import decode_conversation, decode_record
from usage_rating.store.hot import HotStore, Transaction
from usage_rating.store.partitions import PartitionRow

Timelines = Callable[[str], ContractTimeline | None]  # by customer
Epochs = Mapping[int, int]  # partition to the epoch at which it is owned


class LogGap(Exception):
    """The log does not go on where the partition's row says: records are missing, or were read by another owner."""


@dataclass(slots=True)
class Handled:
    """What a committed transaction has done, for the publisher, the timers and the metrics."""

    rows: dict[int, PartitionRow] = field(default_factory=dict)
    entries: dict[int, list[RatedEntry]] = field(default_factory=dict)
    next_due: dict[int, int | None] = field(default_factory=dict)  # earliest due time that the transaction stored
    decided: int = 0


@dataclass(slots=True)
class _Work:
    """What one transaction gathers while it decides."""

    tx: Transaction
    ledger_id: str
    timelines: Timelines
    now: int
    here: dict[int, Circumstances] = field(default_factory=dict)
    entries: dict[int, list[RatedEntry]] = field(default_factory=dict)
    cases: list[CaseFound] = field(default_factory=list)
    due: dict[int, int | None] = field(default_factory=dict)
    decided: int = 0

    def circumstances(self) -> None:
        """Fix what the decisions share, once the rows have moved to where this transaction gets."""
        for partition, row in self.tx.rows.items():
            self.here[partition] = Circumstances(self.ledger_id, partition, row.read_up_to, row.record_at(self.now))
            self.entries[partition] = []
            self.due[partition] = None

    def note(self, partition: int, change: Change) -> None:
        """Take over what a change means beyond its own row."""
        row = self.tx.rows[partition]
        self.decided += 1
        if change.entries:
            row.next_seq += len(change.entries)
            self.entries[partition] += change.entries
        counts = change.counts
        row.moved["applied"] += counts.applied
        if counts.duplicate or counts.conflicting:
            row.moved["duplicate"] += counts.duplicate
            row.moved["conflicting"] += counts.conflicting
        if change.cases:
            self.cases += change.cases
        if change.due_at is not None:
            due = self.due[partition]
            self.due[partition] = change.due_at if due is None or change.due_at < due else due

    async def finish(self) -> None:
        """Append, file, move: the writes that every kind of transaction ends with."""
        await self.tx.append_entries([entry for entries in self.entries.values() for entry in entries])
        if self.cases:
            await self.tx.file_cases(self.cases, from_micros(self.now))
        await self.tx.move()

    def handled(self) -> Handled:
        """What has been done, once it is committed."""
        return Handled(self.tx.rows, self.entries, self.due, self.decided)


async def handle_arrivals(
    arrivals: Arrivals, *, epochs: Epochs, store: HotStore, ledger_id: str, timelines: Timelines, now: int
) -> Handled:
    """
    Take a batch of events in: each conversation and record it touches is decided once.

    Args:
        now: business time in microseconds.

    Raises:
        StaleEpoch: another owner has taken a partition over.
        LogGap: the batch does not begin at a partition's `next_offset`.
    """
    async with store.partitions({partition: epochs[partition] for partition in arrivals.reach}) as tx:
        for partition, reach in arrivals.reach.items():
            row = tx.rows[partition]
            if row.next_offset != reach.first_offset:
                raise LogGap(f"partition {partition}: offset {reach.first_offset} where {row.next_offset} is next")
            row.next_offset = reach.next_offset
            row.read_to(reach.received_at)
            row.moved["quarantined"] += reach.quarantined
        work = _Work(tx, ledger_id, timelines, now)
        work.circumstances()
        await _decide_conversations(work, arrivals)
        await _decide_records(work, arrivals)
        await work.finish()
        failpoints.reach("before-commit")
    failpoints.reach("after-commit")
    return work.handled()


async def handle_timers(
    *, epochs: Epochs, store: HotStore, ledger_id: str, timelines: Timelines, now: int, limit: int
) -> tuple[Handled, bool]:
    """Decide conversations again that are due by their partition's `read_up_to`; and whether some may be left."""
    async with store.partitions(epochs) as tx:
        work = _Work(tx, ledger_id, timelines, now)
        work.circumstances()
        due = await tx.load_due(limit)
        changed: list[tuple[ConversationKey, int, Change]] = []
        for customer, conversation, partition, state, status, due_at in sorted(due, key=lambda row: (row[0], row[1])):
            key = (customer, conversation)
            change = change_conversation(
                key,
                decode_conversation(state),
                status,
                due_at,
                (),
                timelines(customer),
                work.here[partition],
                tx.rows[partition].next_seq,
            )
            _count_conversation(tx.rows[partition], change)
            work.note(partition, change)
            changed.append((key, partition, change))
        await tx.save_conversations([item for item in changed if item[2].state is not None])
        await work.finish()
        more = len(due) == limit
        handled = work.handled()
        handled.next_due = {**dict.fromkeys(tx.rows), **await tx.next_due()}
        failpoints.reach("timers-before-commit")
    failpoints.reach("timers-after-commit")
    return handled, more


async def handle_tick(read_up_to: Mapping[int, int], *, epochs: Epochs, store: HotStore, now: int) -> Handled:
    """Write down that partitions (number to `read_up_to`) were read to their end: nothing is decided here."""
    async with store.partitions({partition: epochs[partition] for partition in read_up_to}) as tx:
        for partition, instant in read_up_to.items():
            tx.rows[partition].read_to(instant)
            tx.rows[partition].record_at(now)
        await tx.move()
        failpoints.reach("tick-before-commit")
    failpoints.reach("tick-after-commit")
    return Handled(tx.rows)


async def handle_contracts(
    customers: Sequence[str], *, applied: int, epochs: Epochs, store: HotStore
) -> tuple[Handled, int]:
    """
    Make all conversations of customers with a new contract due; and how many these are.

    Args:
        applied: the offset of topic `contracts` up to which this has been done then.
    """
    async with store.partitions(epochs) as tx:
        touched = await tx.make_due(customers) if customers else 0
        for row in tx.rows.values():
            row.contracts_applied = applied
        await tx.move()
        failpoints.reach("contracts-before-commit")
    failpoints.reach("contracts-after-commit")
    return Handled(tx.rows, next_due=dict.fromkeys(tx.rows, 0) if touched else {}), touched


async def _decide_conversations(work: _Work, arrivals: Arrivals) -> None:
    if not arrivals.signals:
        return
    keys = sorted(arrivals.signals)
    found = {row[0]: row for row in await work.tx.load_conversations(keys)}
    rows, timelines, partition_of = work.tx.rows, work.timelines, arrivals.partition_of
    changed: list[tuple[ConversationKey, int, Change]] = []
    for place, key in enumerate(keys):
        partition = partition_of[key]
        row = rows[partition]
        present = found.get(place)
        if present is None:
            state, status, due_at = NO_CONVERSATION, None, None
        else:
            state, status, due_at = decode_conversation(present[1]), present[2], present[3]
        change = change_conversation(
            key, state, status, due_at, arrivals.signals[key], timelines(key[0]), work.here[partition], row.next_seq
        )
        _count_conversation(row, change)
        work.note(partition, change)
        if change.state is not None:
            changed.append((key, partition, change))
    await work.tx.save_conversations(changed)


async def _decide_records(work: _Work, arrivals: Arrivals) -> None:
    if not arrivals.reports:
        return
    keys: list[RecordKey] = sorted(arrivals.reports)
    found = {row[0]: row for row in await work.tx.load_records(keys)}
    changed: list[tuple[RecordKey, int, Change]] = []
    for place, key in enumerate(keys):
        partition = arrivals.partition_of[key]
        row = work.tx.rows[partition]
        present = found.get(place)
        state = decode_record(present[1]) if present else NO_RECORD
        change = change_record(
            key, state, present[2] if present else None, arrivals.reports[key], work.here[partition], row.next_seq
        )
        row.moved["records"] += present is None
        work.note(partition, change)
        if change.state is not None:
            changed.append((key, partition, change))
    await work.tx.save_records(changed)


def _count_conversation(row: PartitionRow, change: Change) -> None:
    before, after = change.status_before, change.status
    if before == after:
        return
    if before is None:
        row.moved["seen"] += 1
    else:
        row.moved[before] -= 1
    row.moved[after] += 1
