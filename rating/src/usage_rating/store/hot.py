"""The hot path: load what is to be decided, then write all in one statement that checks who owns the partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from chassis.errors import StaleEpoch
from event_schemas.wire import Cause, RatedEntry
from usage_rating.arrivals import ConversationKey, RecordKey
from usage_rating.changes import CaseFound, Change
from usage_rating.entries import SubjectKind
from usage_rating.store import statements
from usage_rating.store.partitions import MOVED, PartitionRow, from_row
from usage_rating.walks import Redecision, Tour

WALKED = ("partition", "customer", "kind", "after_name", "after_subject")

_json = msgspec.json.Encoder().encode


async def steer(connection: Any) -> None:
    """Prepare a connection for the hot statements, for as long as it lives."""
    await connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")


async def keep_steered(_: Any) -> None:
    """The pool's reset: nothing, since all users of these connections are here and leave nothing behind."""


@dataclass(slots=True)
class Draft:
    """
    What one transaction is going to write: `rows` moved from where they stood at `before`, and what is beside them.

    `conversations` and `records` are (key, partition, change), sorted by key, so that two transactions never wait for
    each other in a circle.
    """

    before: list[PartitionRow]
    rows: dict[int, PartitionRow]
    conversations: list[tuple[ConversationKey, int, Change]] = field(default_factory=list)
    records: list[tuple[RecordKey, int, Change]] = field(default_factory=list)
    entries: dict[int, list[RatedEntry]] = field(default_factory=dict)
    cases: list[CaseFound] = field(default_factory=list)
    walked: list[Redecision] = field(default_factory=list)  # walks of `redeciding` that have got so far
    ended: list[Redecision] = field(default_factory=list)  # and those that are at their end

    @classmethod
    def of(cls, rows: Mapping[int, PartitionRow]) -> Draft:
        """Over these partitions, whose rows are left as they are: the draft moves copies."""
        before = [rows[number] for number in sorted(rows)]
        return cls(before, {row.partition: row.copy() for row in before})


class HotStore:
    """Loads and writes for owned partitions, on a pool whose connections were steered."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def ledger_id(self) -> str:
        """The id of this ledger, made once with its tables."""
        return str(await self._pool.fetchval("SELECT ledger_id FROM instance"))

    async def claim(self, partition: int, topic_id: str, *, owned_at: int | None, wait_s: float) -> PartitionRow:
        """
        Become the owner of a partition: raise its epoch. The row is made at first sight.

        Waits for a transaction of the former owner at most `wait_s`.

        Args:
            owned_at: the epoch at which this process has owned it until now, where it only comes back to the database.

        Raises:
            StaleEpoch: another owner has taken the partition over since `owned_at`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{int(wait_s * 1000)}ms'")
            row = from_row(await connection.fetchrow(statements.CLAIM, partition, topic_id))
            if owned_at is not None and row.epoch != owned_at + 1:
                raise StaleEpoch(f"partition {partition} was taken over since epoch {owned_at}")
            return row

    async def load_conversations(self, keys: Sequence[ConversationKey]) -> list[Any]:
        """(place in `keys`, state, status, due_at) of those that exist."""
        return await self._pool.fetch(statements.LOAD_CONVERSATIONS, [k[0] for k in keys], [k[1] for k in keys])

    async def load_records(self, keys: Sequence[RecordKey]) -> list[Any]:
        """(place in `keys`, state, status) of those that exist."""
        return await self._pool.fetch(
            statements.LOAD_RECORDS, [k[0] for k in keys], [k[1] for k in keys], [k[2] for k in keys]
        )

    async def load_due(self, rows: Mapping[int, PartitionRow], limit: int) -> list[Any]:
        """Conversations due by their partition's `read_up_to`, at most `limit`."""
        return await self._pool.fetch(statements.LOAD_DUE, list(rows), [row.read_up_to for row in rows.values()], limit)

    async def load_due_records(self, partitions: Sequence[int], limit: int) -> list[Any]:
        """(customer, meter, subject, partition, state, status) of records whose customer has a new contract."""
        return await self._pool.fetch(statements.LOAD_DUE_RECORDS, partitions, limit)

    async def next_due(self, partitions: Sequence[int]) -> dict[int, int]:
        """The earliest due time of each partition that has one; 0 where records are due."""
        found = await self._pool.fetch(statements.NEXT_DUE, partitions)
        return {row["partition"]: row["due_at"] for row in found if row["due_at"] is not None}

    async def write(self, draft: Draft, *, now: datetime) -> None:
        """
        Write all of a draft, committed on return, or nothing.

        Raises:
            StaleEpoch: a partition has another owner, or does not stand where this owner left it.
        """
        walks = _walk_arrays(draft)
        allowed = await self._pool.fetchval(
            statements.WRITE_DECIDED_AGAIN if walks else statements.WRITE,
            *_standing(draft.before),
            *_conversation_arrays(draft.conversations),
            *_record_arrays(draft.records),
            *_entry_arrays([entry for entries in draft.entries.values() for entry in entries]),
            *_case_arrays(draft.cases),
            now,
            *_move_arrays(list(draft.rows.values())),
            [change.last_day for _, _, change in draft.conversations],
            [row.last_day for row in draft.rows.values()],
            *walks,
        )
        if not allowed:
            raise StaleEpoch(f"one of the partitions {sorted(draft.rows)} has another owner; nothing was written")

    async def apply_contracts(
        self, rows: Mapping[int, PartitionRow], begun: Sequence[Redecision], *, applied: int
    ) -> None:
        """
        Write down what is to be decided again in these partitions, in one transaction that touches none of it.

        Args:
            applied: the offset of topic `contracts` up to which this has been done then.

        Raises:
            StaleEpoch: as `write`.
        """
        before = [rows[number] for number in sorted(rows)]
        allowed = await self._pool.fetchval(
            statements.APPLY_CONTRACTS,
            *_standing(before),
            [walk.partition for walk in begun],
            [walk.customer for walk in begun],
            [walk.kind for walk in begun],
            [walk.since for walk in begun],
            applied,
        )
        if not allowed:
            raise StaleEpoch(f"one of the partitions {sorted(rows)} has another owner; nothing was written")

    async def redecisions(self, partitions: Sequence[int]) -> list[Redecision]:
        """What is still to be decided again in these partitions, and how far that has got."""
        return [Redecision(**row) for row in await self._pool.fetch(statements.REDECISIONS, partitions)]

    async def load_conversations_again(
        self, tours: Sequence[Tour], partitions: Sequence[int], *, look_at: int, most: int
    ) -> list[Any]:
        """
        (place in `tours`, partition, conversation, state, status, due_at) of the next rows that can come out otherwise.

        Of each customer the next `look_at` rows are looked at, and at most `most` of them returned, in order.
        """
        return await self._pool.fetch(
            statements.LOAD_CONVERSATIONS_AGAIN,
            [tour.customer for tour in tours],
            [tour.after_name for tour in tours],
            [tour.first_day for tour in tours],
            partitions,
            look_at,
            most,
        )

    async def last_looked_at(self, tours: Sequence[Tour], *, look_at: int) -> list[str | None]:
        """Of each customer the conversation at which the next `look_at` rows end; None where fewer are left."""
        rows = await self._pool.fetch(
            statements.LAST_LOOKED_AT, [tour.customer for tour in tours], [tour.after_name for tour in tours], look_at
        )
        return [row["conversation"] for row in sorted(rows, key=lambda row: row["place"])]

    async def load_records_again(self, tours: Sequence[Tour], most: int) -> list[Any]:
        """(place in `tours`, partition, meter, subject, state, status): the next rows of each, at most `most`."""
        return await self._pool.fetch(
            statements.LOAD_RECORDS_AGAIN,
            [tour.customer for tour in tours],
            [tour.after_name for tour in tours],
            [tour.after_subject for tour in tours],
            most,
        )

    async def store_published(self, published: Mapping[int, tuple[int, int]]) -> None:
        """
        Remember partition -> (epoch, seq): all entries up to `seq` are confirmed on the bus. Safe to repeat.

        Raises:
            StaleEpoch: another owner has taken one of them over.
        """
        partitions = sorted(published)
        done: str = await self._pool.execute(
            statements.STORE_PUBLISHED,
            partitions,
            [published[partition][0] for partition in partitions],
            [published[partition][1] for partition in partitions],
        )
        if int(done.rpartition(" ")[2]) != len(partitions):
            raise StaleEpoch("a partition was taken over while its entries were published")

    async def unpublished(self, partition: int, after: int, *, limit: int) -> list[RatedEntry]:
        """Entries of a partition behind a sequence number, in order."""
        return [from_row_entry(row) for row in await self._pool.fetch(statements.UNPUBLISHED, partition, after, limit)]


def _walk_arrays(draft: Draft) -> list[list[Any]]:
    """Five arrays of walks that have moved on, three of those at their end; nothing where there are none."""
    if not draft.walked and not draft.ended:
        return []
    return [
        *([getattr(walk, name) for walk in draft.walked] for name in WALKED),
        *([getattr(walk, name) for walk in draft.ended] for name in WALKED[:3]),
    ]


def _standing(before: Sequence[PartitionRow]) -> list[list[int]]:
    return [
        [row.partition for row in before],
        [row.epoch for row in before],
        [row.next_offset for row in before],
        [row.next_seq for row in before],
    ]


def _conversation_arrays(changed: Sequence[tuple[ConversationKey, int, Change]]) -> list[list[Any]]:
    return [
        [key[0] for key, _, _ in changed],
        [key[1] for key, _, _ in changed],
        [partition for _, partition, _ in changed],
        [change.state for _, _, change in changed],
        [change.status for _, _, change in changed],
        [change.due_at for _, _, change in changed],
    ]


def _record_arrays(changed: Sequence[tuple[RecordKey, int, Change]]) -> list[list[Any]]:
    return [
        [key[0] for key, _, _ in changed],
        [key[1] for key, _, _ in changed],
        [key[2] for key, _, _ in changed],
        [partition for _, partition, _ in changed],
        [change.state for _, _, change in changed],
        [change.status for _, _, change in changed],
    ]


_ENTRY_FIELDS = (
    "partition",
    "seq",
    "entry_id",
    "customer",
    "subject",
    "subject_kind",
    "meter",
    "op",
    "ordinal",
    "quantity",
    "effective_at",
    "caused_at",
    "recorded_at",
)


def _entry_arrays(entries: Sequence[RatedEntry]) -> list[list[Any]]:
    causes = [entry.cause for entry in entries]
    return [
        *([getattr(entry, name) for entry in entries] for name in _ENTRY_FIELDS),
        [cause.policy_version for cause in causes],
        [cause.how for cause in causes],
        [cause.reason for cause in causes],
        [_json(cause.signals).decode() for cause in causes],
        [cause.reverses for cause in causes],
    ]


def _case_arrays(cases: Sequence[CaseFound]) -> list[list[str]]:
    """Five arrays of cases to open, four of cases to close; one row each, the last word on it counting."""
    latest = {(case.kind, case.customer, case.subject, case.about): case.sentence for case in cases}
    opened = sorted((*key, sentence) for key, sentence in latest.items() if sentence is not None)
    closed = sorted(key for key, sentence in latest.items() if sentence is None)
    return [
        *([case[place] for case in opened] for place in range(5)),
        *([case[place] for case in closed] for place in range(4)),
    ]


def _move_arrays(rows: Sequence[PartitionRow]) -> list[list[int]]:
    return [
        [row.next_offset for row in rows],
        [row.next_seq for row in rows],
        [row.read_up_to for row in rows],
        [row.recorded_at for row in rows],
        *([row.moved[name] for row in rows] for name in MOVED),
    ]


def from_row_entry(row: Any) -> RatedEntry:
    """A row of the ledger as it goes on the bus: the same as when it was written."""
    signals = tuple((source, event) for source, event in msgspec.json.decode(row["signals"]))
    cause = Cause(row["policy_version"], row["how"], row["reason"], signals, row["reverses"])
    kind: SubjectKind = row["subject_kind"]
    return RatedEntry(
        subject_kind=kind,
        quantity=format(row["quantity"], "f"),
        cause=cause,
        **{name: row[name] for name in _ENTRY_FIELDS if name not in ("subject_kind", "quantity")},
    )
