"""
Counting the ledger for those who want to be told, in transactions of their own: no batch waits for one.

Whoever holds the row of `alert_turn` counts; another process finds it locked and looks again a moment later. A
partition's entries are committed in the order of `seq`, so a cursor per partition misses none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from event_schemas.times import Period
from usage_rating.watching import Count

ENTRIES_AT_ONCE = 5_000  # of a partition, in one round: bounds what is read into memory

LOOK = """
SELECT round, EXISTS (
    SELECT FROM partitions p LEFT JOIN alert_cursors c USING (partition) WHERE coalesce(c.seq, 0) < p.next_seq - 1
) AS behind, EXISTS (SELECT FROM alerts WHERE NOT published) AS unpublished
FROM alert_turn
"""

TAKE_TURN = "SELECT round FROM alert_turn FOR UPDATE SKIP LOCKED"

UNCOUNTED = """
SELECT p.partition, coalesce(c.seq, 0) AS counted, p.next_seq - 1 AS last
FROM partitions p LEFT JOIN alert_cursors c USING (partition)
WHERE coalesce(c.seq, 0) < p.next_seq - 1 ORDER BY p.partition
"""

ENTRIES = """
SELECT l.* FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS i (partition, counted, upto)
CROSS JOIN LATERAL (
    SELECT customer, meter, op, quantity, effective_at, recorded_at FROM ledger
    WHERE partition = i.partition AND seq > i.counted AND seq <= i.upto AND customer = ANY($4::text[])
) l
"""

MOVE_CURSORS = """
INSERT INTO alert_cursors AS c (partition, seq) SELECT * FROM unnest($1::int[], $2::bigint[])
ON CONFLICT (partition) DO UPDATE SET seq = excluded.seq
"""

# what a customer has used up to the cursors
HISTORY = """
SELECT l.meter, p.starts_at, p.ends_at,
    sum(CASE l.op WHEN 'charge' THEN l.quantity ELSE -l.quantity END) AS used, max(l.recorded_at) AS counted_to
FROM unnest($2::timestamptz[], $3::timestamptz[]) AS p (starts_at, ends_at)
JOIN ledger l ON l.customer = $1 AND l.effective_at >= p.starts_at AND l.effective_at < p.ends_at
JOIN alert_cursors c ON c.partition = l.partition AND l.seq <= c.seq
GROUP BY l.meter, p.starts_at, p.ends_at
"""

WATCH = """
INSERT INTO alert_customers AS w (customer, since, round) VALUES ($1, $2, $3)
ON CONFLICT (customer) DO UPDATE SET since = excluded.since, round = excluded.round
"""

_COUNT = """
INSERT INTO alert_counts AS a (customer, meter, period_start, period_end, used, counted_to, round)
SELECT customer, meter, period_start, period_end, used, counted_to, $7::bigint
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::numeric[], $6::timestamptz[])
    AS i (customer, meter, period_start, period_end, used, counted_to)
ON CONFLICT (customer, meter, period_start) DO UPDATE
SET used = {used}, counted_to = greatest(a.counted_to, excluded.counted_to), round = excluded.round
RETURNING *
"""
ADD = _COUNT.format(used="a.used + excluded.used")
SET = _COUNT.format(used="excluded.used")

COUNTS = """
SELECT a.* FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS i (customer, meter, period_start)
JOIN alert_counts a USING (customer, meter, period_start)
"""

TOLD = """
SELECT customer, meter, period_start, kind, units, max(ordinal) AS ordinal
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS i (customer, meter, period_start)
JOIN alerts a USING (customer, meter, period_start)
GROUP BY customer, meter, period_start, kind, units
"""

TELL = """
INSERT INTO alerts (
    customer, meter, kind, units, ordinal, used, period_start, period_end, counted_to, contract_revision, told_at
)
SELECT *, $11::timestamptz FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::numeric[], $7::timestamptz[], $8::timestamptz[],
    $9::timestamptz[], $10::bigint[]
)
"""

PUBLISHING_LOCK = 7_210_034  # of the database, and of this service alone
TAKE_PUBLISHING = "SELECT pg_try_advisory_xact_lock($1)"
UNPUBLISHED = "SELECT * FROM alerts WHERE NOT published ORDER BY number LIMIT $1"
PUBLISHED = "UPDATE alerts SET published = true WHERE number = ANY($1::bigint[])"

PAGE = """
SELECT * FROM alerts WHERE ($1::text IS NULL OR customer = $1) AND number > $2 ORDER BY number LIMIT $3
"""

# a contract's wish that nobody has begun to count, entries that are not counted, crossings that are not on the bus
WAITING = """
SELECT EXISTS (SELECT FROM alerts WHERE NOT published)
OR EXISTS (
    SELECT FROM unnest($1::text[]) AS i (customer) LEFT JOIN alert_customers w USING (customer) WHERE w.customer IS NULL
)
OR EXISTS (SELECT FROM alert_customers) AND EXISTS (
    SELECT FROM partitions p LEFT JOIN alert_cursors c USING (partition) WHERE coalesce(c.seq, 0) < p.next_seq - 1
)
"""

Key = tuple[str, str, datetime]  # customer, meter, start of the period


@dataclass(frozen=True, slots=True)
class Look:
    """How far counting is, whoever counts."""

    round: int
    behind: bool
    unpublished: bool


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Crossings that are not on the bus, for the one process that has them."""

    connection: Any

    async def oldest(self, limit: int) -> list[Any]:
        """The oldest first."""
        rows: list[Any] = await self.connection.fetch(UNPUBLISHED, limit)
        return rows

    async def published(self, numbers: Sequence[int]) -> None:
        """These are on the bus."""
        await self.connection.execute(PUBLISHED, numbers)


@dataclass(frozen=True, slots=True)
class Telling:
    """A crossing to be written down."""

    key: Key
    period_end: datetime
    kind: str
    units: int
    ordinal: int
    used: Any
    counted_to: datetime | None
    revision: int


class Turn:
    """One round of counting: all in one transaction, which holds the turn."""

    def __init__(self, connection: Any, round_: int) -> None:
        self._connection = connection
        self.before = round_
        self.round = round_ + 1

    async def changed_since(self, round_: int) -> tuple[dict[str, datetime], list[Count]]:
        """As `AlertStore.changed_since`."""
        return await _changed_since(self._connection, round_)

    async def uncounted(self) -> list[Any]:
        """(partition, counted, last) of partitions whose ledger goes on behind the cursor."""
        found: list[Any] = await self._connection.fetch(UNCOUNTED)
        return found

    async def entries(self, reach: Sequence[tuple[int, int, int]], customers: Sequence[str]) -> list[Any]:
        """Entries of these customers in (partition, counted, up to)."""
        if not customers:
            return []
        found: list[Any] = await self._connection.fetch(ENTRIES, *_columns(reach, 3), customers)
        return found

    async def move_cursors(self, reach: Sequence[tuple[int, int, int]]) -> None:
        """Everything up to the third of each is counted."""
        await self._connection.execute(MOVE_CURSORS, [part for part, _, _ in reach], [upto for _, _, upto in reach])

    async def history(self, customer: str, periods: Sequence[Period]) -> list[Count]:
        """What a customer has used by period, up to the cursors."""
        starts, ends = [each.start for each in periods], [each.end for each in periods]
        rows = await self._connection.fetch(HISTORY, customer, starts, ends)
        return [
            Count(customer, row["meter"], row["starts_at"], row["ends_at"], row["used"], row["counted_to"])
            for row in rows
        ]

    async def watch(self, customer: str, since: datetime) -> None:
        """The customer is counted from now on."""
        await self._connection.execute(WATCH, customer, since, self.round)

    async def count(self, counts: Sequence[Count], *, anew: bool = False) -> list[Count]:
        """Add to the counts, or put these in their place; returns them as they are then."""
        columns = _columns([(c.customer, c.meter, c.start, c.end, c.used, c.counted_to) for c in counts], 6)
        return [_count(row) for row in await self._connection.fetch(SET if anew else ADD, *columns, self.round)]

    async def counts(self, keys: Sequence[Key]) -> list[Count]:
        """The counts that there are of these."""
        return [_count(row) for row in await self._connection.fetch(COUNTS, *_columns(keys, 3))]

    async def told(self, keys: Sequence[Key]) -> dict[Key, dict[Any, int]]:
        """The last ordinal of each mark that was ever told of these."""
        found: dict[Key, dict[Any, int]] = {}
        for row in await self._connection.fetch(TOLD, *_columns(keys, 3)):
            key = (row["customer"], row["meter"], row["period_start"])
            found.setdefault(key, {})[row["kind"], row["units"]] = row["ordinal"]
        return found

    async def tell(self, tellings: Sequence[Telling], *, now: datetime) -> None:
        """Write crossings down, each once, to be published."""
        rows = [
            (t.key[0], t.key[1], t.kind, t.units, t.ordinal, t.used, t.key[2], t.period_end, t.counted_to, t.revision)
            for t in tellings
        ]
        await self._connection.execute(TELL, *_columns(rows, 10), now)

    async def end(self) -> None:
        """What was written makes a round."""
        await self._connection.execute("UPDATE alert_turn SET round = $1", self.round)


class AlertStore:
    """Over a pool of ordinary connections."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def look(self) -> Look:
        """How far counting is, read at one instant and without a lock."""
        row = await self._pool.fetchrow(LOOK)
        assert row is not None  # made with its table, and nobody may take it away
        return Look(row["round"], row["behind"], row["unpublished"])

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn | None]:
        """The turn to count, until the block is left; None where another process has it."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL enable_seqscan = off")  # planned while the tables are still empty
            round_ = await connection.fetchval(TAKE_TURN)
            yield None if round_ is None else Turn(connection, round_)

    async def changed_since(self, round_: int) -> tuple[dict[str, datetime], list[Count]]:
        """Customers that are counted, each since when, and counts, both as of rounds behind this one."""
        return await _changed_since(self._pool, round_)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[Unpublished | None]:
        """Crossings that are on their way to the bus, until the block is left; None where another process has them."""
        async with self._pool.acquire() as connection, connection.transaction():
            is_ours = await connection.fetchval(TAKE_PUBLISHING, PUBLISHING_LOCK)
            yield Unpublished(connection) if is_ours else None

    async def page(self, *, customer: str | None, after: int, limit: int) -> list[Any]:
        """Crossings by their number, behind `after`."""
        return await self._pool.fetch(PAGE, customer, after, limit)

    async def waiting(self, wanted: Sequence[str]) -> bool:
        """Whether something is left to count or to tell, given whose contracts want it."""
        return bool(await self._pool.fetchval(WAITING, wanted))


async def _changed_since(connection: Any, round_: int) -> tuple[dict[str, datetime], list[Count]]:
    customers = await connection.fetch("SELECT customer, since FROM alert_customers WHERE round > $1", round_)
    counts = await connection.fetch("SELECT * FROM alert_counts WHERE round > $1 ORDER BY period_start", round_)
    return {row["customer"]: row["since"] for row in customers}, [_count(row) for row in counts]


def _count(row: Mapping[str, Any]) -> Count:
    return Count(row["customer"], row["meter"], row["period_start"], row["period_end"], row["used"], row["counted_to"])


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]
