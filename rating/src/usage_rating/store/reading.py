"""The ordinary reads: usage, entries, conversations, partitions, cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

USAGE = """
SELECT meter, p.number AS period, sum(quantity) FILTER (WHERE op = 'charge') AS charged,
    sum(quantity) FILTER (WHERE op = 'reverse') AS reversed, count(*) AS entries
FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS p (starts_at, ends_at, number)
JOIN ledger ON customer = $1 AND effective_at >= p.starts_at AND effective_at < p.ends_at
WHERE $4::text IS NULL OR meter = $4
GROUP BY meter, p.number ORDER BY meter, p.number
"""

ENTRIES = """
SELECT * FROM ledger
WHERE customer = $1 AND effective_at >= $2 AND effective_at < $3 AND ($4::text IS NULL OR meter = $4)
AND (effective_at, entry_id) > ($5, $6)
ORDER BY effective_at, entry_id LIMIT $7
"""

# the earliest of each partition, so that the index is read at one place, whatever the planner knows of the table
DUE_TIMERS = """
SELECT p.partition FROM partitions p
CROSS JOIN LATERAL (
    SELECT due_at FROM conversations WHERE partition = p.partition AND due_at IS NOT NULL ORDER BY due_at LIMIT 1
) c
WHERE c.due_at <= p.read_up_to ORDER BY 1
"""

# A customer may have millions of conversations and no index names the pending ones, which would cost every batch a
# write: a page looks at a bounded stretch of the primary key.
LOOKED_AT = 20_000
PENDING = """
WITH looked_at AS MATERIALIZED (
    SELECT conversation, partition, state, status FROM conversations
    WHERE customer = $1 AND conversation > $2 ORDER BY conversation LIMIT $3
)
SELECT l.*, p.read_up_to FROM looked_at l JOIN partitions p USING (partition)
WHERE l.status = 'pending' ORDER BY l.conversation LIMIT $4
"""
LAST_LOOKED_AT = """
SELECT conversation FROM conversations WHERE customer = $1 AND conversation > $2
ORDER BY conversation OFFSET $3 - 1 LIMIT 1
"""

# For deciding again without writing: the state only of those that can count.
STRETCH = """
WITH looked_at AS MATERIALIZED (
    SELECT conversation, partition, CASE WHEN last_day >= $3 THEN state END AS state FROM conversations
    WHERE customer = $1 AND conversation > $2 ORDER BY conversation LIMIT $4
)
SELECT l.conversation, l.state, p.read_up_to FROM looked_at l JOIN partitions p USING (partition)
ORDER BY l.conversation
"""

CASES = """
SELECT * FROM cases
WHERE ($1::text IS NULL OR customer = $1) AND ($2::text IS NULL OR kind = $2) AND ($3 OR closed_at IS NULL)
AND case_id > $4 ORDER BY case_id LIMIT $5
"""


class Reading:
    """Reads for people, for `/quiet` and for the equations; writes nothing."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def usage(self, customer: str, periods: Sequence[tuple[datetime, datetime]], meter: str | None) -> list[Any]:
        """(meter, period counted from 1, charged, reversed, entries) of half-open periods; empty ones are left out."""
        starts, ends = [start for start, _ in periods], [end for _, end in periods]
        return await self._pool.fetch(USAGE, customer, starts, ends, meter)

    async def entries(
        self,
        customer: str,
        start: datetime,
        end: datetime,
        *,
        meter: str | None,
        after: tuple[datetime, str],
        limit: int,
    ) -> list[Any]:
        """Ledger rows of [start, end) behind `after`, by (effective_at, entry_id)."""
        return await self._pool.fetch(ENTRIES, customer, start, end, meter, *after, limit)

    async def entries_by_id(self, entry_ids: Sequence[str]) -> list[Any]:
        """Ledger rows by their ids, in order of ordinals."""
        return await self._pool.fetch(
            "SELECT * FROM ledger WHERE entry_id = ANY($1::text[]) ORDER BY ordinal", entry_ids
        )

    async def conversation(self, customer: str, conversation: str) -> Any | None:
        """The row of a conversation with its partition's `read_up_to`; None where there is none."""
        return await self._pool.fetchrow(
            "SELECT c.*, p.read_up_to FROM conversations c JOIN partitions p USING (partition) "
            "WHERE c.customer = $1 AND c.conversation = $2",
            customer,
            conversation,
        )

    async def pending(self, customer: str, *, after: str, limit: int) -> tuple[list[Any], str | None]:
        """
        Pending conversations behind `after`, with their partition's `read_up_to`; and where the next page begins.

        At most LOOKED_AT conversations are looked at: a page may be short, or empty, and not the last.
        """
        rows = await self._pool.fetch(PENDING, customer, after, LOOKED_AT, limit + 1)
        if len(rows) > limit:
            return rows[:limit], str(rows[limit - 1]["conversation"])
        return rows, await self._pool.fetchval(LAST_LOOKED_AT, customer, after, LOOKED_AT)

    async def stretch(self, customer: str, *, after: str, first_day: int, limit: int) -> list[Any]:
        """
        (conversation, state, read_up_to) of the next conversations behind `after`; fewer than `limit` at the end.

        `state` is None where the last signal lies before `first_day`.
        """
        return await self._pool.fetch(STRETCH, customer, after, first_day, limit)

    async def ledger_id(self) -> str:
        """The id of this ledger."""
        return str(await self._pool.fetchval("SELECT ledger_id FROM instance"))

    async def partitions(self) -> list[Any]:
        """All partitions' rows at one instant, by number."""
        return await self._pool.fetch("SELECT * FROM partitions ORDER BY partition")

    async def with_due_timers(self) -> list[int]:
        """Partitions that hold conversations which are due by their `read_up_to`."""
        return [row["partition"] for row in await self._pool.fetch(DUE_TIMERS)]

    async def with_redecisions(self) -> list[int]:
        """Partitions in which something that a contract can change has not been decided again yet."""
        rows = await self._pool.fetch("SELECT DISTINCT partition FROM redecisions ORDER BY 1")
        return [row["partition"] for row in rows]

    async def cases(
        self, *, customer: str | None, kind: str | None, closed_too: bool, after: int, limit: int
    ) -> list[Any]:
        """Cases by their id, behind `after`."""
        return await self._pool.fetch(CASES, customer, kind, closed_too, after, limit)

    async def answers(self) -> None:
        """Return where the database answers; raise what it raises where not."""
        await self._pool.fetchval("SELECT 1")
