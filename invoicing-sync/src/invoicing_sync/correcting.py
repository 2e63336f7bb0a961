"""What came after the freeze of a period and what it is worth, by customer and period, down to the entries."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
from pydantic import BaseModel, Field

from event_schemas.times import Period
from event_schemas.values import decimal_text
from invoicing_sync.answers import ExpectedLine
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain.corrections import LateEntry, Priced, price_agreement
from invoicing_sync.invoices.store import billed, corrections, periods
from invoicing_sync.store.pool import Pool
from pricing.usage import NOTHING_BEFORE, BilledBefore

WAITS = "the period is not complete yet: what its corrections change is known once its own numbers stand"


class CorrectedEntry(BaseModel):
    """An entry that came too late: `value` is signed, `amount_minor` what it changed when it came."""

    entry_id: str
    subject: str
    subject_kind: str
    meter: str
    value: str
    reason: str
    effective_at: datetime
    recorded_at: datetime
    amount_minor: int | None


class CorrectedItem(BaseModel):
    """An item of the invoice, before and after."""

    item: str
    quantity_before: str
    quantity_after: str
    difference_minor: int


class PricedCorrection(BaseModel):
    """
    The corrections of one customer's period. Amounts in minor units of `currency`, before taxes.

    `before` and `after` are the lines of the items that change; the amounts of the entries, told in their order of
    arrival, sum to `difference_minor`. Both are null while the period is not complete.
    """

    customer: str
    period_start: datetime
    period_end: datetime
    period_state: str | None = Field(description="null: the period lies before those that are billed here")
    currency: str
    entries: list[CorrectedEntry]
    before: list[ExpectedLine]
    after: list[ExpectedLine]
    items: list[CorrectedItem]
    difference_minor: int | None
    document: Literal["credit_note", "prior_period", "nothing"] | None
    unpriced: dict[str, str] = Field(description="net units that no item prices: a person must decide about them")
    why: str


class PricedCorrections(BaseModel):
    """A page, whole customers at a time; `next` is the `after` of the next one."""

    corrections: list[PricedCorrection]
    next: str | None


async def priced_corrections(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> PricedCorrections:
    """The corrections of up to `limit` customers, priced."""
    who = await corrections.customers(pool, customer=customer, period=period, after=after, limit=limit)
    rows = await corrections.entries(pool, who, period)
    known = {(row["customer"], row["period_end"]): row for row in await corrections.periods(pool, who)}
    accounts = await contracts.accounts_of(pool, who)
    found = []
    for key, group in itertools.groupby(rows, key=lambda row: (row["customer"], row["period_end"])):
        entries = list(group)
        period_row = known.get(key)
        before = NOTHING_BEFORE if period_row is None else await billed.reopened(pool, key[0], period_row["number"])
        # in a thread: a period with thousands of corrections is rated thousands of times
        found.append(await asyncio.to_thread(_priced, accounts[key[0]], known.get(key), entries, before))
    return PricedCorrections(corrections=found, next=who[-1] if len(who) == limit else None)


def _priced(
    account: Account, period: asyncpg.Record | None, rows: Sequence[asyncpg.Record], before: BilledBefore
) -> PricedCorrection:
    """One period: rated where its own numbers stand, or where it has none because nothing of it is billed here."""
    if period is not None and period["ledger"] is None:
        return _answer(account, period, rows, None)
    span = Period(rows[0]["period_start"], rows[0]["period_end"])
    late = [LateEntry(row["entry_id"], row["meter"], row["value"], row["effective_at"]) for row in rows]
    frozen = () if period is None else periods.from_row(period).usage
    agreement = account.agreement.at_revision(None if period is None else period["revision"])
    return _answer(account, period, rows, price_agreement(agreement, span, frozen, late, before))


def _answer(
    account: Account, period: asyncpg.Record | None, rows: Sequence[asyncpg.Record], priced: Priced | None
) -> PricedCorrection:
    steps = [None] * len(rows) if priced is None else [step.minor for step in priced.steps]
    names = ("entry_id", "subject", "subject_kind", "meter", "reason", "effective_at", "recorded_at")
    entries = [
        CorrectedEntry(value=decimal_text(row["value"]), amount_minor=step, **{name: row[name] for name in names})
        for row, step in zip(rows, steps, strict=True)
    ]
    return PricedCorrection(
        customer=account.customer,
        period_start=rows[0]["period_start"],
        period_end=rows[0]["period_end"],
        period_state=period and period["state"],
        currency=account.contract.currency.value,
        entries=entries,
        before=[ExpectedLine.of(line) for line in priced.before] if priced else [],
        after=[ExpectedLine.of(line) for line in priced.after] if priced else [],
        items=[
            CorrectedItem(
                item=change.item,
                quantity_before=decimal_text(change.quantity_before),
                quantity_after=decimal_text(change.quantity_after),
                difference_minor=change.difference.minor,
            )
            for change in (priced.changes if priced else ())
        ],
        difference_minor=priced.difference.minor if priced else None,
        document=priced.document.value if priced else None,
        unpriced={meter: decimal_text(net) for meter, net in priced.unpriced.items()} if priced else {},
        why=priced.why if priced else WAITS,
    )
