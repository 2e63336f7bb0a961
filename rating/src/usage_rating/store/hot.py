"""The transaction of rating: locks the rows of its partitions, checks their epochs, loads, saves, appends, moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
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

_json = msgspec.json.Encoder().encode


async def steer(connection: Any) -> None:
    """
    Prepare a connection for the hot statements, for as long as it lives.

    An owner that stops in the middle of a transaction (SIGSTOP) would hold its rows for ever: the server ends it.
    """
    await connection.execute(
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
        "SET idle_in_transaction_session_timeout = '10s'"
    )


async def keep_steered(_: Any) -> None:
    """The pool's reset: nothing, since all users of these connections are here and leave nothing behind."""


class Transaction:
    """One open transaction that owns `rows`; nothing is written for any other partition."""

    def __init__(self, connection: Any, rows: dict[int, PartitionRow]) -> None:
        self._connection = connection
        self.rows = rows

    async def load_conversations(self, keys: Sequence[ConversationKey]) -> list[Any]:
        """(place in `keys`, state, status, due_at) of those that exist."""
        return await self._fetch(statements.LOAD_CONVERSATIONS, [k[0] for k in keys], [k[1] for k in keys])

    async def load_records(self, keys: Sequence[RecordKey]) -> list[Any]:
        """(place in `keys`, state, status) of those that exist."""
        return await self._fetch(
            statements.LOAD_RECORDS, [k[0] for k in keys], [k[1] for k in keys], [k[2] for k in keys]
        )

    async def load_due(self, limit: int) -> list[Any]:
        """Conversations due by their partition's `read_up_to`, at most `limit`."""
        rows = self.rows.values()
        return await self._fetch(
            statements.LOAD_DUE, [row.partition for row in rows], [row.read_up_to for row in rows], limit
        )

    async def next_due(self) -> dict[int, int]:
        """The earliest due time of each partition that has one."""
        return dict(await self._fetch(statements.NEXT_DUE, list(self.rows)))

    async def save_conversations(self, changed: Sequence[tuple[ConversationKey, int, Change]]) -> None:
        """Write the rows of (key, partition, change); sorted by key by the caller."""
        if changed:
            await self._connection.execute(
                statements.SAVE_CONVERSATIONS,
                [key[0] for key, _, _ in changed],
                [key[1] for key, _, _ in changed],
                [partition for _, partition, _ in changed],
                [change.state for _, _, change in changed],
                [change.status for _, _, change in changed],
                [change.due_at for _, _, change in changed],
            )

    async def save_records(self, changed: Sequence[tuple[RecordKey, int, Change]]) -> None:
        """Write the rows of (key, partition, change); sorted by key by the caller."""
        if changed:
            await self._connection.execute(
                statements.SAVE_RECORDS,
                [key[0] for key, _, _ in changed],
                [key[1] for key, _, _ in changed],
                [key[2] for key, _, _ in changed],
                [partition for _, partition, _ in changed],
                [change.state for _, _, change in changed],
                [change.status for _, _, change in changed],
            )

    async def append_entries(self, entries: Sequence[RatedEntry]) -> None:
        """Append to the ledger. A second append of one entry id is refused by its unique constraint."""
        if not entries:
            return
        causes = [entry.cause for entry in entries]
        await self._connection.execute(
            statements.APPEND_ENTRIES,
            *([getattr(entry, name) for entry in entries] for name in _ENTRY_FIELDS),
            [cause.policy_version for cause in causes],
            [cause.how for cause in causes],
            [cause.reason for cause in causes],
            [_json(cause.signals).decode() for cause in causes],
            [cause.reverses for cause in causes],
        )

    async def file_cases(self, cases: Iterable[CaseFound], now: datetime) -> None:
        """Open, open again or close cases; one row each."""
        latest = {(case.kind, case.customer, case.subject, case.about): case.sentence for case in cases}
        opened = sorted((*key, sentence) for key, sentence in latest.items() if sentence is not None)
        closed = sorted(key for key, sentence in latest.items() if sentence is None)
        if opened:
            await self._connection.execute(statements.OPEN_CASES, *map(list, zip(*opened, strict=True)), now)
        if closed:
            await self._connection.execute(statements.CLOSE_CASES, *map(list, zip(*closed, strict=True)), now)

    async def make_due(self, customers: Sequence[str]) -> int:
        """Make all conversations of these customers in the transaction's partitions due; how many."""
        done: str = await self._connection.execute(statements.MAKE_DUE, customers, list(self.rows))
        return int(done.rpartition(" ")[2])

    async def move(self) -> None:
        """Write the partitions' rows as they stand now."""
        rows = list(self.rows.values())
        await self._connection.execute(
            statements.MOVE,
            [row.partition for row in rows],
            [row.next_offset for row in rows],
            [row.next_seq for row in rows],
            [row.read_up_to for row in rows],
            [row.recorded_at for row in rows],
            [row.contracts_applied for row in rows],
            *([row.moved[name] for row in rows] for name in MOVED),
        )

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        found: list[Any] = await self._connection.fetch(statement, *arguments)
        return found


_ENTRY_FIELDS = (
    "partition", "seq", "entry_id", "customer", "subject", "subject_kind", "meter", "op", "ordinal", "quantity",
    "effective_at", "caused_at", "recorded_at",
)  # fmt: skip


class HotStore:
    """Transactions over partitions, on a pool whose connections were steered."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def ledger_id(self) -> str:
        """The id of this ledger, made once with its tables."""
        return str(await self._pool.fetchval("SELECT ledger_id FROM instance"))

    async def claim(self, partition: int, topic_id: str, *, owned_at: int | None, wait_s: float) -> PartitionRow:
        """
        Become the owner of a partition: raise its epoch. The row is made at first sight.

        Waits for a transaction of the former owner at most `wait_s`, in which the server ends one that stands still.

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

    @asynccontextmanager
    async def partitions(self, epochs: Mapping[int, int]) -> AsyncIterator[Transaction]:
        """
        One transaction over these partitions (number to epoch), committed on leaving, rolled back on any error.

        Raises:
            StaleEpoch: another owner has taken one of them over; nothing was written.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetch(statements.LOCK, sorted(epochs))
            rows = {row["partition"]: from_row(row) for row in found}
            for partition, epoch in epochs.items():
                if partition not in rows or rows[partition].epoch != epoch:
                    raise StaleEpoch(f"partition {partition} has another owner than epoch {epoch}")
            yield Transaction(connection, rows)

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
