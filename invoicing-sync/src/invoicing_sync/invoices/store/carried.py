"""Corrections that come to more than was billed: which later invoice carries them, until it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from event_schemas.times import Period
from event_schemas.values import Currency, decimal_text
from invoicing_sync.invoices.domain.carried import Carried, CarriedLine, by_item
from invoicing_sync.invoices.domain.issuing import Weighed
from invoicing_sync.invoices.store import billed, credit_notes
from invoicing_sync.invoices.store.credit_notes import gather, next_place
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Connection, Pool


async def note_weighed(tx: Connection, row: PeriodRow, weighed: Weighed, *, waiting: int | None) -> None:
    """
    A period's corrections are weighed: what it draws of prepaid credits holds for invoices that are not made up yet.

    Args:
        waiting: how many of them come to no document; None where all have one.
    """
    await credit_notes.weighed(tx, row, waiting=waiting, revision=weighed.revision)
    following = await lock_carrier(tx, row.customer, after=row.number)
    if following is not None:
        await billed.keep_restored(tx, row, weighed.drawn, holds_from=following)


@dataclass(frozen=True, slots=True)
class Loose:
    """What is carried of a period and may still change: its invoice is not made up yet, or none is to come."""

    id: str


async def lock_carrier(tx: Connection, customer: str, *, after: int) -> int | None:
    """The next period whose invoice is not made up yet, locked so that it stays so; None where none is to come."""
    found: int | None = await tx.fetchval(
        """
        SELECT number FROM periods
        WHERE customer = $1 AND number > $2 AND period_start < period_end AND state IN ('open', 'frozen')
        ORDER BY number LIMIT 1 FOR UPDATE
        """,
        customer,
        after,
    )
    return found


async def settled(tx: Connection, row: PeriodRow) -> list[Mapping[str, int]]:
    """What later invoices carry of a period and what cannot change any more, item by item."""
    rows = await tx.fetch(
        f"SELECT shares FROM gatherings WHERE customer = $1 AND number = $2 AND state = 'carried' AND NOT {_LOOSE}",
        row.customer,
        row.number,
    )
    return [found["shares"] for found in rows]


_LOOSE = """(carried_by IS NULL OR EXISTS (SELECT FROM periods p WHERE p.customer = gatherings.customer
    AND p.number = gatherings.carried_by AND p.state IN ('open', 'frozen')))"""


async def loose(tx: Connection, row: PeriodRow) -> list[Loose]:
    """What is carried of a period and may still change, the oldest first; lock the carrier before."""
    found = await tx.fetch(
        f"SELECT id FROM gatherings WHERE customer = $1 AND number = $2 AND state = 'carried' AND {_LOOSE} "
        "ORDER BY gathering",
        row.customer,
        row.number,
    )
    return [Loose(each["id"]) for each in found]


async def carry(
    tx: Connection,
    row: PeriodRow,
    lines: Sequence[CarriedLine],
    entries: Mapping[str, int],
    *,
    instead: Sequence[Loose],
    carrier: int | None,
    currency: Currency,
    revision: int | None,
    now: datetime,
) -> None:
    """Have a later invoice carry these lines, with the entries that are new; `instead` of what it carried before."""
    amount, shares, said = sum(line.amount_minor for line in lines), dict(by_item(lines)), _to_row(lines)
    if not instead:
        place = await next_place(tx, row)
        name = f"prior:{row.customer}:{row.number}:{place}"
        await tx.execute(
            """
            INSERT INTO gatherings (id, customer, number, gathering, document, state, currency, amount_minor, shares,
                                    lines, carried_by, revision, made_at)
            VALUES ($1, $2, $3, $4, 'prior_period', 'carried', $5, $6, $7, $8, $9, $10, $11)
            """,
            name,
            row.customer,
            row.number,
            place,
            currency.value,
            amount,
            shares,
            said,
            carrier,
            revision,
            now,
        )
    else:
        name = instead[0].id
        await tx.execute(
            "UPDATE gatherings SET amount_minor = $2, shares = $3, lines = $4, carried_by = $5, revision = $6 "
            "WHERE id = $1",
            name,
            amount,
            shares,
            said,
            carrier,
            revision,
        )
        await drop(tx, instead[1:], now=now)
    await gather(tx, name, entries)


async def drop(tx: Connection, what: Iterable[Loose], *, now: datetime) -> None:
    """Nothing of it is owed any more."""
    await tx.execute(
        "UPDATE gatherings SET state = 'dropped', done_at = $2 WHERE id = ANY($1::text[])",
        [each.id for each in what],
        now,
    )


async def by_carrier(pool: Pool, customer: str, number: int) -> tuple[Carried, ...]:
    """What the invoice of a period carries of earlier ones, the oldest first."""
    rows = await pool.fetch(
        """
        SELECT g.*, p.period_start, p.period_end FROM gatherings g
        JOIN periods p ON p.customer = g.customer AND p.number = g.number
        WHERE g.customer = $1 AND g.carried_by = $2 AND g.document = 'prior_period' AND g.state IN ('carried', 'billed')
        ORDER BY g.number, g.gathering
        """,
        customer,
        number,
    )
    return tuple(_from_row(row) for row in rows)


async def are_billed(tx: Connection, row: PeriodRow, invoice_id: str, *, now: datetime) -> None:
    """The invoice that carries them is issued."""
    await tx.execute(
        """
        UPDATE gatherings SET state = 'billed', invoice_id = $3, done_at = $4
        WHERE customer = $1 AND carried_by = $2 AND state = 'carried'
        """,
        row.customer,
        row.number,
        invoice_id,
        now,
    )


async def move_on(tx: Connection, row: PeriodRow) -> list[Carried]:
    """The period's invoice will not carry them: the next one does; those for which none is to come."""
    following = await lock_carrier(tx, row.customer, after=row.number)
    found = await tx.fetch(
        """
        UPDATE gatherings g SET carried_by = $3 FROM periods p
        WHERE g.customer = $1 AND g.carried_by = $2 AND g.state = 'carried'
          AND p.customer = g.customer AND p.number = g.number
        RETURNING g.*, p.period_start, p.period_end
        """,
        row.customer,
        row.number,
        following,
    )
    return [_from_row(each) for each in found] if following is None else []


async def entries_behind(
    pool: Pool, customer: str, number: int, place: int, meter: str, *, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """The late entries of a meter behind a line, in order of their instant, behind `after`."""
    return await pool.fetch(
        """
        SELECT e.*, NULL AS delivery FROM gatherings g JOIN gathered x ON x.gathering = g.id
        JOIN entries e ON e.entry_id = x.entry_id
        WHERE g.customer = $1 AND g.number = $2 AND g.gathering = $3 AND e.meter = $4
          AND ($5::text IS NULL OR (e.effective_at, e.entry_id) >
               (SELECT a.effective_at, a.entry_id FROM entries a WHERE a.entry_id = $5))
        ORDER BY e.effective_at, e.entry_id LIMIT $6
        """,
        customer,
        number,
        place,
        meter,
        after,
        limit,
    )


def _to_row(lines: Sequence[CarriedLine]) -> list[dict[str, Any]]:
    return [
        {
            "item": line.item,
            "amount_minor": line.amount_minor,
            "before": decimal_text(line.before),
            "after": decimal_text(line.after),
            "source": line.source,
        }
        for line in lines
    ]


def _from_row(row: asyncpg.Record) -> Carried:
    return Carried(
        number=row["number"],
        place=row["gathering"],
        period=Period(row["period_start"], row["period_end"]),
        currency=Currency(row["currency"]),
        lines=tuple(
            CarriedLine(
                line["item"], line["amount_minor"], Decimal(line["before"]), Decimal(line["after"]), line["source"]
            )
            for line in row["lines"]
        ),
    )
