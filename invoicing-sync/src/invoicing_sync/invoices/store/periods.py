"""Periods of customers, from open to finalised."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg

from event_schemas.times import Period, iso, parse_instant
from event_schemas.values import decimal_text
from invoicing_sync.contracts.store.contracts import ISSUER
from invoicing_sync.invoices.domain.expected_invoice import net_usage
from invoicing_sync.invoices.domain.freeze import Freeze
from invoicing_sync.invoices.domain.gate import PeriodState
from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.usage.store.deliveries import UNSETTLED_STATES
from pricing.usage import Used


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """
    One customer's period. `ledger` and `used` are there from `complete` on, `used` in those completed since it is kept.
    """

    customer: str
    number: int
    period: Period
    freeze_at: datetime
    state: PeriodState
    ledger: Mapping[str, Decimal] | None
    used: tuple[Used, ...] | None
    invoice_id: str | None
    attempt: int
    differs_since: datetime | None
    revision: int | None  # of the contract by which its invoice is expected; None: of version 1, or not complete
    finalised_at: datetime | None  # business time at which we knew that Stripe had finalised the invoice

    @property
    def is_first_invoice(self) -> bool:
        """Whether it stands for the invoice that carries no usage."""
        return self.period.start == self.period.end

    @property
    def usage(self) -> tuple[Used, ...]:
        """What its invoice is expected from: none before it is complete, nor on a first invoice."""
        if self.is_first_invoice:
            return ()
        return net_usage(self.ledger or {}, self.period) if self.used is None else self.used


def from_row(row: asyncpg.Record) -> PeriodRow:
    """A period as it is stored."""
    ledger = row["ledger"]
    return PeriodRow(
        customer=row["customer"],
        number=row["number"],
        period=Period(row["period_start"], row["period_end"]),
        freeze_at=row["freeze_at"],
        state=PeriodState(row["state"]),
        ledger=None if ledger is None else {meter: Decimal(value) for meter, value in ledger.items()},
        used=None if row["used"] is None else tuple(_from_row_used(used) for used in row["used"]),
        invoice_id=row["invoice_id"],
        attempt=row["attempt"],
        differs_since=row["differs_since"],
        revision=row["revision"],
        finalised_at=row["finalised_at"],
    )


async def due(pool: Pool, state: PeriodState, freeze_by: datetime) -> list[PeriodRow]:
    """Periods in a state whose freeze is not later than `freeze_by`, oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM periods WHERE state = $1 AND freeze_at <= $2 ORDER BY freeze_at, customer",
        state.value,
        freeze_by,
    )
    return [from_row(row) for row in rows]


async def refreeze(pool: Pool, freeze: Freeze) -> None:
    """Have the open periods freeze as settings and contracts say now; what is frozen stays so."""
    await pool.execute(
        f"""
        UPDATE periods p SET freeze_at = p.period_end + coalesce(t.after, $3)
        FROM contracts c LEFT JOIN unnest($1::text[], $2::interval[]) AS t(issuer, after)
          ON t.issuer = {ISSUER}
        WHERE c.customer = p.customer AND p.state = 'open' AND p.period_start < p.period_end
          AND p.freeze_at <> p.period_end + coalesce(t.after, $3)
        """,
        list(freeze.by_issuer),
        list(freeze.by_issuer.values()),
        freeze.default,
    )


async def freeze(tx: Connection, customer: str, number: int, *, now: datetime) -> bool:
    """Freeze an open period; false when it is frozen already."""
    return bool(
        await tx.fetchval(
            "UPDATE periods SET state = 'frozen', frozen_at = $3 "
            "WHERE customer = $1 AND number = $2 AND state = 'open' RETURNING true",
            customer,
            number,
            now,
        )
    )


async def without_open_deliveries(pool: Pool, rows: list[PeriodRow]) -> list[PeriodRow]:
    """Those of the periods all of whose deliveries are settled."""
    busy = await pool.fetch(
        f"""
        SELECT DISTINCT t.c, t.p FROM unnest($1::text[], $2::timestamptz[]) AS t(c, p)
        JOIN deliveries d ON d.customer = t.c AND d.period_end = t.p AND d.state IN {UNSETTLED_STATES}
        """,
        [row.customer for row in rows],
        [row.period.end for row in rows],
    )
    unsettled = {(row["c"], row["p"]) for row in busy}
    return [row for row in rows if (row.customer, row.period.end) not in unsettled]


async def frozen_ledger(pool: Pool, customer: str, period: Period, within: Period) -> list[tuple[str, Decimal]]:
    """Net quantity by meter of a period's frozen set, for what took effect `within`; corrections are not in it."""
    rows = await pool.fetch(
        """
        SELECT meter, sum(value) AS value FROM deliveries
        WHERE customer = $1 AND period_end = $2 AND state <> 'correction' AND effective_at >= $3 AND effective_at < $4
        GROUP BY meter
        """,
        customer,
        period.end,
        within.start,
        within.end,
    )
    return [(row["meter"], row["value"]) for row in rows]


async def used(pool: Pool, customer: str, period: Period, cuts: Sequence[datetime]) -> tuple[Used, ...]:
    """
    Charged and reversed by meter, in the parts of a period that begin at `cuts`; corrections are not in it.

    Args:
        cuts: ascending, the period's start first.
    """
    frozen = """
        SELECT meter, effective_at, value FROM deliveries
        WHERE customer = $1 AND period_end = $2 AND state <> 'correction'
    """
    return await _summed(pool, frozen, customer, period, cuts)


async def used_at_its_freeze(pool: Pool, customer: str, period: Period, cuts: Sequence[datetime]) -> tuple[Used, ...]:
    """The same of a period that is over, from the ledger's copy, which is kept when its deliveries are not."""
    frozen = """
        SELECT e.meter, e.effective_at, CASE e.op WHEN 'charge' THEN e.quantity ELSE -e.quantity END AS value
        FROM entries e WHERE e.customer = $1 AND e.effective_at < $2 AND e.effective_at >= $4
          AND NOT EXISTS (SELECT FROM corrections c WHERE c.entry_id = e.entry_id)
    """
    return await _summed(pool, frozen, customer, period, cuts, period.start)


async def _summed(
    pool: Pool, values: str, customer: str, period: Period, cuts: Sequence[datetime], *more: datetime
) -> tuple[Used, ...]:
    rows = await pool.fetch(
        f"""
        SELECT meter, width_bucket(effective_at, $3::timestamptz[]) AS part,
               coalesce(sum(value) FILTER (WHERE value > 0), 0) AS charged,
               coalesce(-sum(value) FILTER (WHERE value < 0), 0) AS reversed
        FROM ({values}) v GROUP BY meter, part ORDER BY meter, part
        """,
        customer,
        period.end,
        cuts,
        *more,
    )
    parts = [Period(*span) for span in itertools.pairwise([*cuts, period.end])]
    return tuple(Used(row["meter"], parts[row["part"] - 1], row["charged"], row["reversed"]) for row in rows)


def to_row_used(used: Used) -> dict[str, str]:
    """A sum as it is stored."""
    return {
        "meter": used.meter,
        "from": iso(used.span.start),
        "until": iso(used.span.end),
        "charged": decimal_text(used.charged),
        "reversed": decimal_text(used.reversed),
    }


def _from_row_used(row: Mapping[str, str]) -> Used:
    span = Period(parse_instant(row["from"]), parse_instant(row["until"]))
    return Used(row["meter"], span, Decimal(row["charged"]), Decimal(row["reversed"]))


async def complete(
    pool: Pool, row: PeriodRow, ledger: Mapping[str, Decimal], used: Sequence[Used], *, revision: int
) -> None:
    """The frozen set is whole and settled: its numbers stand from now on, by this revision of the contract."""
    await pool.execute(
        """
        UPDATE periods SET state = 'complete', ledger = $3, used = $4, revision = $5
        WHERE customer = $1 AND number = $2 AND state = 'frozen'
        """,
        row.customer,
        row.number,
        {meter: decimal_text(value) for meter, value in ledger.items()},
        [to_row_used(each) for each in used],
        revision,
    )


async def hold(pool: Pool, row: PeriodRow, reason: str) -> datetime:
    """Stripe's numbers and ours differ; since when (process time)."""
    since: datetime = await pool.fetchval(
        """
        UPDATE periods SET state = 'held', held_reason = $3, differs_since = coalesce(differs_since, now())
        WHERE customer = $1 AND number = $2 AND state IN ('complete', 'held', 'finalising', 'checking', 'collecting')
        RETURNING differs_since
        """,
        row.customer,
        row.number,
        reason,
    )
    return since


async def intend_to_finalise(pool: Pool, row: PeriodRow, invoice_id: str) -> None:
    """Store the intent before the call."""
    await pool.execute(
        """
        UPDATE periods SET state = 'finalising', invoice_id = $3, held_reason = NULL, differs_since = NULL
        WHERE customer = $1 AND number = $2 AND state IN ('complete', 'held')
        """,
        row.customer,
        row.number,
        invoice_id,
    )


async def next_attempt(pool: Pool, row: PeriodRow) -> None:
    """Stripe answered 5xx and replays it for the key used: another key next time."""
    await pool.execute(
        "UPDATE periods SET attempt = attempt + 1 WHERE customer = $1 AND number = $2", row.customer, row.number
    )


async def finalised(pool: Pool, row: PeriodRow, invoice_id: str, *, now: datetime) -> None:
    """Stripe has finalised the invoice, by us or by somebody else; nothing is compared or collected yet."""
    await pool.execute(
        """
        UPDATE periods SET state = 'checking', invoice_id = $3, finalised_at = $4, held_reason = NULL,
            differs_since = NULL
        WHERE customer = $1 AND number = $2 AND state IN ('complete', 'held', 'finalising')
        """,
        row.customer,
        row.number,
        invoice_id,
        now,
    )


async def intend_to_collect(pool: Pool, row: PeriodRow) -> None:
    """The finalised invoice is the expected one: store the intent to send or charge it."""
    await pool.execute(
        """
        UPDATE periods SET state = 'collecting', held_reason = NULL, differs_since = NULL
        WHERE customer = $1 AND number = $2 AND state IN ('checking', 'held')
        """,
        row.customer,
        row.number,
    )


async def release(tx: Connection, row: PeriodRow, invoice_id: str, *, now: datetime, payment: str | None) -> None:
    """The invoice was sent or charged; `payment` is Stripe's sentence where charging failed. It is issued from now."""
    await tx.execute(
        "UPDATE periods SET state = 'finalised', payment_failed = $3 WHERE customer = $1 AND number = $2",
        row.customer,
        row.number,
        payment,
    )
    await tx.execute(
        "UPDATE invoices SET released_at = coalesce(released_at, $2) WHERE invoice_id = $1", invoice_id, now
    )


async def voided(tx: Connection, row: PeriodRow) -> None:
    """A person has voided the invoice before it was sent or charged."""
    await tx.execute(
        """
        UPDATE periods SET state = 'voided', differs_since = NULL WHERE customer = $1 AND number = $2
        """,
        row.customer,
        row.number,
    )


async def unsettled(pool: Pool, at: datetime, *, usage_by: datetime) -> list[str]:
    """
    Periods that should be done at `at`, neither finalised nor held with an open case; a few, as sentences.

    Args:
        usage_by: periods with usage are done only when their freeze is not later than this.
    """
    rows = await pool.fetch(
        """
        SELECT p.customer, p.number, p.state FROM periods p
        WHERE p.state NOT IN ('finalised', 'voided')
          AND p.freeze_at <= CASE WHEN p.period_start = p.period_end THEN $1 ELSE $2::timestamptz END
          AND NOT (p.state IN ('held', 'collecting') AND EXISTS (
              SELECT FROM cases c WHERE c.closed_at IS NULL
                AND ((c.kind = 'invoice_held' AND c.natural_key = p.customer || '/' || p.number)
                  OR (c.kind = 'finalised_differs' AND c.natural_key = p.invoice_id))))
        ORDER BY p.freeze_at, p.customer LIMIT 5
        """,
        at,
        usage_by,
    )
    return [f"period {row['number']} of {row['customer']} is {row['state']}" for row in rows]


async def count_held(pool: Pool) -> int:
    """Invoices that are held."""
    return int(await pool.fetchval("SELECT count(*) FROM periods WHERE state = 'held'"))


async def search(pool: Pool, customer: str | None, state: str | None, limit: int) -> list[asyncpg.Record]:
    """Periods for people, latest end first."""
    return await pool.fetch(
        """
        SELECT * FROM periods WHERE ($1::text IS NULL OR customer = $1) AND ($2::text IS NULL OR state = $2)
        ORDER BY period_end DESC, customer LIMIT $3
        """,
        customer,
        state,
        limit,
    )


def inner_minutes(period: Period) -> Period:
    """The whole minutes inside a period: Stripe sums those alone."""
    minute = timedelta(minutes=1)
    start = period.start.replace(second=0, microsecond=0)
    start = start if start == period.start else start + minute
    return Period(start, period.end.replace(second=0, microsecond=0))


async def find(pool: Pool, customer: str, number: int) -> asyncpg.Record | None:
    """One period of a customer, for people; None where it has not begun here."""
    return await pool.fetchrow("SELECT * FROM periods WHERE customer = $1 AND number = $2", customer, number)


async def has_first_invoice(pool: Pool, customer: str) -> bool:
    """Whether a first invoice billed what is paid ahead from the anchor on."""
    return bool(
        await pool.fetchval(
            "SELECT EXISTS (SELECT FROM periods WHERE customer = $1 AND period_start = period_end)", customer
        )
    )


async def unsettled_before(pool: Pool, customer: str, number: int) -> bool:
    """Whether an earlier invoice of the customer is not done yet."""
    return bool(
        await pool.fetchval(
            "SELECT EXISTS (SELECT FROM periods WHERE customer = $1 AND number < $2 "
            "AND state NOT IN ('finalised', 'voided'))",
            customer,
            number,
        )
    )


async def nothing_to_bill(tx: Connection, row: PeriodRow, *, now: datetime) -> None:
    """Its invoice would have no amount, and Stripe made none."""
    await tx.execute(
        "UPDATE periods SET state = 'finalised', finalised_at = $3, held_reason = NULL, differs_since = NULL "
        "WHERE customer = $1 AND number = $2 AND state IN ('complete', 'held')",
        row.customer,
        row.number,
        now,
    )
