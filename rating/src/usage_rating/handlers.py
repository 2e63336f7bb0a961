"""Load, decide, write: one function for each kind of transaction. The decisions themselves are made in `changes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from event_schemas.times import from_micros
from event_schemas.wire import RatedEntry
from usage_rating.arrivals import Arrivals
from usage_rating.changes import NO_CONVERSATION, NO_RECORD, Change, Circumstances, change_conversation, change_record
from usage_rating.contract_book import Touched
from usage_rating.domain.policy import ContractTimeline
from usage_rating.failpoints import failpoints
from usage_rating.state import decode_conversation, decode_record
from usage_rating.store.hot import Draft, HotStore
from usage_rating.store.partitions import PartitionRow
from usage_rating.walks import begin

Timelines = Callable[[str], ContractTimeline | None]  # by customer
Rows = Mapping[int, PartitionRow]  # by partition, as of the owner's last transaction


class LogGap(Exception):
    """The log does not go on where the partition's row says: records are missing, or were read by another owner."""


@dataclass(slots=True)
class Handled:
    """What a committed transaction has done, for the publisher, the timers and the metrics."""

    rows: dict[int, PartitionRow]
    entries: dict[int, list[RatedEntry]] = field(default_factory=dict)
    next_due: dict[int, int | None] = field(default_factory=dict)  # earliest due time that the transaction stored
    decided: int = 0


class Work:
    """What one transaction gathers while it decides."""

    def __init__(self, draft: Draft, store: HotStore, ledger_id: str, timelines: Timelines, now: int) -> None:
        """The rows of the draft stand where this transaction gets: what all decisions share is fixed from here on."""
        self.draft = draft
        self.store = store
        self.timelines = timelines
        self.now = now
        self.due: dict[int, int | None] = dict.fromkeys(draft.rows)
        self.decided = 0
        draft.entries = {partition: [] for partition in draft.rows}
        self.here = {
            partition: Circumstances(ledger_id, partition, row.read_up_to, row.record_at(now))
            for partition, row in draft.rows.items()
        }

    def note(self, partition: int, change: Change) -> None:
        """Take over what a change means beyond its own row."""
        row = self.draft.rows[partition]
        self.decided += 1
        if change.entries:
            row.next_seq += len(change.entries)
            self.draft.entries[partition] += change.entries
        counts = change.counts
        row.moved["applied"] += counts.applied
        if counts.duplicate or counts.conflicting:
            row.moved["duplicate"] += counts.duplicate
            row.moved["conflicting"] += counts.conflicting
        if change.cases:
            self.draft.cases += change.cases
        if change.last_day > row.last_day:
            row.last_day = change.last_day
        if change.due_at is not None:
            due = self.due[partition]
            self.due[partition] = change.due_at if due is None or change.due_at < due else due

    async def write(self) -> None:
        """Commit all of it."""
        await self.store.write(self.draft, now=from_micros(self.now))

    def handled(self) -> Handled:
        """What has been done, once it is committed."""
        return Handled(self.draft.rows, self.draft.entries, self.due, self.decided)


async def handle_arrivals(
    arrivals: Arrivals, *, rows: Rows, store: HotStore, ledger_id: str, timelines: Timelines, now: int
) -> Handled:
    """
    Take a batch of events in: each conversation and record it touches is decided once.

    Args:
        now: business time in microseconds.

    Raises:
        StaleEpoch: another owner has taken a partition over.
        LogGap: the batch does not begin at a partition's `next_offset`.
    """
    draft = Draft.of({partition: rows[partition] for partition in arrivals.reach})
    for partition, reach in arrivals.reach.items():
        row = draft.rows[partition]
        if row.next_offset != reach.first_offset:
            raise LogGap(f"partition {partition}: offset {reach.first_offset} where {row.next_offset} is next")
        row.next_offset = reach.next_offset
        row.read_to(reach.received_at)
        row.moved["quarantined"] += reach.quarantined
    work = Work(draft, store, ledger_id, timelines, now)
    await _decide_conversations(work, arrivals)
    await _decide_records(work, arrivals)
    failpoints.reach("before-commit")
    await work.write()
    failpoints.reach("after-commit")
    return work.handled()


async def handle_timers(
    *, rows: Rows, store: HotStore, ledger_id: str, timelines: Timelines, now: int, limit: int
) -> tuple[Handled, bool]:
    """
    Decide again what is due by its partition's `read_up_to`; and whether some may be left.

    A conversation is due when its window ends. Records are due where an earlier release has marked them so.
    """
    work = Work(Draft.of(rows), store, ledger_id, timelines, now)
    due = await store.load_due(rows, limit)
    for customer, conversation, partition, state, status, due_at in sorted(due, key=lambda row: (row[0], row[1])):
        key = (customer, conversation)
        row = work.draft.rows[partition]
        change = change_conversation(
            key, decode_conversation(state), status, due_at, (), timelines(customer), work.here[partition], row.next_seq
        )
        count_conversation(row, change)
        work.note(partition, change)
        if change.state is not None:
            work.draft.conversations.append((key, partition, change))
    due_records = await store.load_due_records(list(rows), limit)
    for customer, meter, subject, partition, state, status in sorted(due_records, key=lambda row: tuple(row[:3])):
        row = work.draft.rows[partition]
        change = change_record(
            (customer, meter, subject),
            decode_record(state),
            status,
            (),
            timelines(customer),
            work.here[partition],
            row.next_seq,
        )
        work.note(partition, change)
        work.draft.records.append(((customer, meter, subject), partition, change))
    failpoints.reach("timers-before-commit")
    await work.write()
    failpoints.reach("timers-after-commit")
    handled = work.handled()
    handled.next_due = {**dict.fromkeys(rows), **await store.next_due(list(rows))}
    return handled, len(due) == limit or len(due_records) == limit


async def handle_tick(read_up_to: Mapping[int, int], *, rows: Rows, store: HotStore, now: int) -> Handled:
    """Write down that partitions (number to `read_up_to`) were read to their end: nothing is decided here."""
    draft = Draft.of({partition: rows[partition] for partition in read_up_to})
    for partition, instant in read_up_to.items():
        draft.rows[partition].read_to(instant)
        draft.rows[partition].record_at(now)
    failpoints.reach("tick-before-commit")
    await store.write(draft, now=from_micros(now))
    failpoints.reach("tick-after-commit")
    return Handled(draft.rows)


async def handle_contracts(
    touched: Mapping[int, Mapping[str, Touched]], *, applied: int, rows: Rows, store: HotStore
) -> Handled:
    """
    Write down what new contracts can change, by partition and customer; it is decided again by `redeciding`, in turns.

    Args:
        applied: the offset of topic `contracts` up to which this has been done then.
    """
    begun = [walk for number in sorted(touched) for walk in begin(number, touched[number], until=rows[number].last_day)]
    failpoints.reach("contracts-before-commit")
    await store.apply_contracts(rows, begun, applied=applied)
    failpoints.reach("contracts-after-commit")
    moved = {partition: row.copy() for partition, row in rows.items()}
    for row in moved.values():
        row.contracts_applied = applied
    return Handled(moved)


async def _decide_conversations(work: Work, arrivals: Arrivals) -> None:
    if not arrivals.signals:
        return
    keys = sorted(arrivals.signals)
    found = {row[0]: row for row in await work.store.load_conversations(keys)}
    rows, timelines, partition_of = work.draft.rows, work.timelines, arrivals.partition_of
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
        count_conversation(row, change)
        work.note(partition, change)
        if change.state is not None:
            work.draft.conversations.append((key, partition, change))


async def _decide_records(work: Work, arrivals: Arrivals) -> None:
    if not arrivals.reports:
        return
    keys = sorted(arrivals.reports)
    found = {row[0]: row for row in await work.store.load_records(keys)}
    for place, key in enumerate(keys):
        partition = arrivals.partition_of[key]
        row = work.draft.rows[partition]
        present = found.get(place)
        state = decode_record(present[1]) if present else NO_RECORD
        change = change_record(
            key,
            state,
            present[2] if present else None,
            arrivals.reports[key],
            work.timelines(key[0]),
            work.here[partition],
            row.next_seq,
        )
        row.moved["records"] += present is None
        work.note(partition, change)
        if change.state is not None:
            work.draft.records.append((key, partition, change))


def count_conversation(row: PartitionRow, change: Change) -> None:
    """Move the counters by status as a change moves a conversation."""
    before, after = change.status_before, change.status
    if before == after:
        return
    if before is None:
        row.moved["seen"] += 1
    else:
        row.moved[before] -= 1
    row.moved[after] += 1
