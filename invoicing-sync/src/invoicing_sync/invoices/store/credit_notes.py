"""Gatherings: which corrections of a period become one credit note, what it says, and what became of it at Stripe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.issuing import MadeNote, Note, NoteLine, Shares
from invoicing_sync.invoices.store.periods import PeriodRow, from_row
from invoicing_sync.store.pool import Connection, Pool

Paid = Literal["balance", "refund"]

# What waits of a period: corrections that no document has gathered, and a contract that was changed since it was
# billed. One credit note of a period at a time.
_WAITING = """
SELECT p.*, coalesce(w.waiting, 0) AS waiting FROM periods p
JOIN contracts c ON c.customer = p.customer
LEFT JOIN (
    SELECT c.customer, c.period_end, count(*) AS waiting, min(c.recorded_at) AS since FROM corrections c
    WHERE NOT EXISTS (SELECT FROM gathered g WHERE g.entry_id = c.entry_id) GROUP BY c.customer, c.period_end
) w ON w.customer = p.customer AND w.period_end = p.period_end AND p.period_start < p.period_end
LEFT JOIN invoices i ON i.invoice_id = p.invoice_id
CROSS JOIN LATERAL (
    SELECT $1::timestamptz - coalesce(
            make_interval(hours => (c.applied #>> '{billing,-1,corrections,settle_hours}')::int), $2::interval
        ) AS settled_by, (c.applied #>> '{history,-1,agreed_at}')::timestamptz AS agreed_at
) said
WHERE p.state = 'finalised' AND (p.invoice_id IS NULL OR i.status IN ('open', 'paid', 'uncollectible'))
  AND CASE  -- in this order: no contract is read of whom nothing waits
    WHEN w.waiting IS NOT NULL AND w.waiting IS DISTINCT FROM p.corrections_weighed
        AND w.since <= said.settled_by THEN true
    WHEN c.applied_revision > coalesce(p.revision_weighed, p.revision)
        THEN coalesce(said.agreed_at, '-infinity') <= said.settled_by
    ELSE false END
  AND NOT EXISTS (SELECT FROM gatherings g WHERE g.customer = p.customer AND g.number = p.number
                  AND g.state IN ('intended', 'refused'))
ORDER BY w.since, p.customer, p.number
"""


@dataclass(frozen=True, slots=True)
class GatheringRow:
    """An intended credit note; `invoice_id` is the invoice that it credits, `paid` where what was paid goes."""

    id: str
    customer: str
    number: int
    state: str
    amount: Money
    lines: tuple[NoteLine, ...]
    shares: Shares
    invoice_id: str
    attempt: int
    paid: Paid


def _from_row(row: asyncpg.Record) -> GatheringRow:
    return GatheringRow(
        id=row["id"],
        customer=row["customer"],
        number=row["number"],
        state=row["state"],
        amount=Money(row["amount_minor"], Currency(row["currency"])),
        lines=tuple(NoteLine(line["item"], line["amount_minor"], line["line_id"]) for line in row["lines"]),
        shares=row["shares"],
        invoice_id=row["invoice_id"],
        attempt=row["attempt"],
        paid=row["paid"],
    )


def _to_row_lines(lines: Iterable[NoteLine]) -> list[dict[str, Any]]:
    return [{"item": line.item, "amount_minor": line.amount_minor, "line_id": line.line_id} for line in lines]


async def due(pool: Pool, now: datetime, settle: timedelta) -> list[tuple[PeriodRow, int]]:
    """
    Periods whose oldest waiting correction has settled, with how many wait; those weighed are left out.

    Args:
        settle: how long that takes where a contract does not say.
    """
    return [(from_row(row), row["waiting"]) for row in await pool.fetch(_WAITING, now, settle)]


async def corrections_of(pool: Pool, row: PeriodRow) -> list[asyncpg.Record]:
    """A period's corrections: those of earlier documents first, then what waits, each in order of arrival."""
    return await pool.fetch(
        """
        SELECT c.*, e.effective_at, g.gathering AS of FROM corrections c JOIN entries e ON e.entry_id = c.entry_id
        LEFT JOIN gathered x ON x.entry_id = c.entry_id LEFT JOIN gatherings g ON g.id = x.gathering
        WHERE c.customer = $1 AND c.period_start = $2 AND c.period_end = $3
        ORDER BY g.gathering NULLS LAST, c.recorded_at, c.entry_id
        """,
        row.customer,
        row.period.start,
        row.period.end,
    )


async def settled(tx: Connection, row: PeriodRow) -> list[Shares]:
    """What documents have settled of a period, item by item; what is carried and may still change is not among it."""
    rows = await tx.fetch(
        "SELECT shares FROM gatherings WHERE customer = $1 AND number = $2 AND state NOT IN ('dropped', 'carried')",
        row.customer,
        row.number,
    )
    return [found["shares"] for found in rows]


async def intend(
    tx: Connection,
    row: PeriodRow,
    note: Note,
    entries: Mapping[str, int],
    *,
    currency: Currency,
    revision: int | None,
    paid: Paid,
    now: datetime,
) -> GatheringRow:
    """
    Store the intent before the call: the note, and the entries that it gathers with what each of them changed.

    Args:
        revision: of the contract by which the period was rated again; None: the one by which it was billed.
    """
    number = await next_place(tx, row)
    made = await tx.fetchrow(
        """
        INSERT INTO gatherings (id, customer, number, gathering, document, state, currency, amount_minor, shares,
                                lines, invoice_id, revision, paid, made_at)
        VALUES ($1, $2, $3, $4, 'credit_note', 'intended', $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *
        """,
        f"credit:{row.customer}:{row.number}:{number}",
        row.customer,
        row.number,
        number,
        currency.value,
        note.amount_minor,
        dict(note.shares),
        _to_row_lines(note.lines),
        row.invoice_id,
        revision,
        paid,
        now,
    )
    assert made is not None
    await gather(tx, made["id"], entries)
    return _from_row(made)


async def next_place(tx: Connection, row: PeriodRow) -> int:
    """The count of the next document of a period's corrections, from 1."""
    found: int = await tx.fetchval(
        "SELECT coalesce(max(gathering), 0) + 1 FROM gatherings WHERE customer = $1 AND number = $2",
        row.customer,
        row.number,
    )
    return found


async def gather(tx: Connection, document: str, entries: Mapping[str, int]) -> None:
    """These corrections are a document's, with what each of them changed."""
    await tx.executemany(
        "INSERT INTO gathered (entry_id, gathering, amount_minor) VALUES ($1, $2, $3)",
        [(entry, document, minor) for entry, minor in entries.items()],
    )


async def weighed(at: Pool | Connection, row: PeriodRow, *, waiting: int | None, revision: int) -> None:
    """
    So many corrections wait and come to no document, by this revision of the contract: the period is left alone until
    others come, or another revision.
    """
    await at.execute(
        "UPDATE periods SET corrections_weighed = $3, revision_weighed = $4 WHERE customer = $1 AND number = $2",
        row.customer,
        row.number,
        waiting,
        revision,
    )


async def weigh_anew(pool: Pool) -> None:
    """The settings of this start hold: what was left alone under others is weighed once more."""
    await pool.execute("UPDATE periods SET corrections_weighed = NULL WHERE corrections_weighed IS NOT NULL")


async def undone(pool: Pool) -> list[GatheringRow]:
    """Credit notes that are intended and not known to be made, the oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM gatherings WHERE document = 'credit_note' AND state IN ('intended', 'refused') "
        "ORDER BY made_at, id"
    )
    return [_from_row(row) for row in rows]


async def redraw(pool: Pool, row: GatheringRow, note: Note) -> GatheringRow:
    """A refused note, which was not made, is drawn up anew from what its invoice has left."""
    found = await pool.fetchrow(
        "UPDATE gatherings SET amount_minor = $2, shares = $3, lines = $4, state = 'intended' WHERE id = $1 "
        "RETURNING *",
        row.id,
        note.amount_minor,
        dict(note.shares),
        _to_row_lines(note.lines),
    )
    assert found is not None
    return _from_row(found)


async def next_attempt(pool: Pool, row: GatheringRow, *, refused: str | None) -> None:
    """Another key next time, since Stripe replays its answer for the one used; `refused` is its sentence."""
    await pool.execute(
        "UPDATE gatherings SET attempt = attempt + 1, refused = $2, "
        "state = CASE WHEN $2::text IS NULL THEN state ELSE 'refused' END WHERE id = $1",
        row.id,
        refused,
    )


async def issued(tx: Connection, row: GatheringRow, made: MadeNote, *, now: datetime) -> None:
    """Stripe has it."""
    await tx.execute(
        """
        UPDATE gatherings SET state = 'issued', stripe_id = $2, stripe_number = $3, lowered_minor = $4,
            balance_minor = $5, refund_minor = $6, refused = NULL, done_at = $7
        WHERE id = $1 AND state IN ('intended', 'refused')
        """,
        row.id,
        made.note_id,
        made.number,
        made.lowered_minor,
        made.after_minor - made.refunded_minor,
        made.refunded_minor,
        now,
    )


async def drop(pool: Pool, row: GatheringRow, *, now: datetime) -> None:
    """Its invoice is void: nothing of it is to be paid, and nothing to be credited."""
    await pool.execute("UPDATE gatherings SET state = 'dropped', done_at = $2 WHERE id = $1", row.id, now)


async def waiting(pool: Pool, now: datetime, settle: timedelta) -> list[str]:
    """What should be credited by now and is not, nor has a case; a few, as sentences."""
    periods = [
        f"corrections of period {row['number']} of {row['customer']}"
        for row in await pool.fetch(f"{_WAITING} LIMIT 5", now, settle)
    ]
    rows = await pool.fetch(
        """
        SELECT g.id FROM gatherings g WHERE g.state IN ('intended', 'refused') AND NOT EXISTS (
            SELECT FROM cases c WHERE c.closed_at IS NULL AND c.kind = 'correction_not_credited'
              AND c.natural_key = g.id)
        LIMIT 5
        """
    )
    return [*periods, *(f"credit note {row['id']}" for row in rows)]


async def search(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Credit notes for people, in order of their ids."""
    return await pool.fetch(
        """
        SELECT g.*, p.period_start, p.period_end FROM gatherings g
        JOIN periods p ON p.customer = g.customer AND p.number = g.number
        WHERE g.document = 'credit_note' AND ($1::text IS NULL OR g.customer = $1)
          AND ($2::timestamptz IS NULL OR (p.period_start <= $2 AND $2 < p.period_end))
          AND ($3::text IS NULL OR g.id > $3)
        ORDER BY g.id LIMIT $4
        """,
        customer,
        period,
        after,
        limit,
    )


async def one(pool: Pool, note_id: str) -> asyncpg.Record | None:
    """A credit note by our id or by Stripe's."""
    return await pool.fetchrow(
        """
        SELECT g.*, p.period_start, p.period_end FROM gatherings g
        JOIN periods p ON p.customer = g.customer AND p.number = g.number
        WHERE g.document = 'credit_note' AND (g.id = $1 OR g.stripe_id = $1)
        """,
        note_id,
    )


async def entries_of(pool: Pool, ids: Sequence[str]) -> list[asyncpg.Record]:
    """The entries behind credit notes, in order of arrival."""
    return await pool.fetch(
        """
        SELECT e.*, x.gathering, x.amount_minor, c.value FROM gathered x JOIN entries e ON e.entry_id = x.entry_id
        JOIN corrections c ON c.entry_id = x.entry_id
        WHERE x.gathering = ANY($1::text[]) ORDER BY e.recorded_at, e.entry_id
        """,
        list(ids),
    )
