"""What came after the freeze of a period and what it is worth, by customer and period, down to the entries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
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
from invoicing_sync.invoices.store import corrections, periods
from invoicing_sync.invoices.weighing import price_late
from invoicing_sync.store.pool import Pool

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


class Settling(BaseModel):
    """
    A document that settles corrections of a period: `amount_minor` is signed, less than 0 for a credit note.

    `carried_by` is the start of the period whose invoice carries it, null where it is a credit note or none is to come.
    """

    id: str
    document: Literal["credit_note", "prior_period"]
    state: str = Field(
        description="intended, refused, issued, carried, billed; dropped: nothing of it is owed any more"
    )
    amount_minor: int
    stripe_id: str | None = Field(description="of the credit note, or the invoice that has billed it")
    carried_by: datetime | None
    made_at: datetime
    settled_at: datetime | None


class PricedCorrection(BaseModel):
    """
    The corrections of one customer's period. Amounts in minor units of `currency`, before taxes.

    `before` and `after` are the lines of the items that change; the amounts of the entries, told in their order of
    arrival, and `revised_minor` sum to `difference_minor`. These are null while the period is not complete.
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
    revisions: list[int] = Field(description="of the contract, that concern this period and came when it was billed")
    revised_minor: int | None = Field(description="what these change, after the entries")
    difference_minor: int | None
    documents: list[Settling] = Field(description="what settles it, the oldest first")
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
    entries: dict[_Key, list[asyncpg.Record]] = {}
    for row in await corrections.entries(pool, who, period):
        entries.setdefault(_key(row), []).append(row)
    known = {_key(row): row for row in await corrections.periods(pool, who)}
    documents: dict[_Key, list[Settling]] = {}
    for row in await corrections.documents(pool, who, period):
        documents.setdefault(_key(row), []).append(_settling(row))
    accounts = await contracts.accounts_of(pool, who)
    found = []
    for key in sorted(entries.keys() | documents.keys(), key=lambda key: (key[0], key[2], key[1])):
        late = _Late(accounts[key[0]], known.get(key), entries.get(key, []), documents.get(key, []))
        found.append(_answer(late, await _priced(pool, late)))
    return PricedCorrections(corrections=found, next=who[-1] if len(who) == limit else None)


_Key = tuple[str, datetime, datetime]  # customer, and the period's start and end


def _key(row: asyncpg.Record) -> _Key:
    return row["customer"], row["period_start"], row["period_end"]


@dataclass(frozen=True, slots=True)
class _Late:
    """A customer's period with what came late for it, and what settles that."""

    account: Account
    period: asyncpg.Record | None
    entries: Sequence[asyncpg.Record]
    documents: list[Settling]

    @property
    def span(self) -> Period:
        """The period."""
        of = self.entries[0] if self.period is None else self.period
        return Period(of["period_start"], of["period_end"])

    @property
    def revisions(self) -> tuple[int, ...]:
        """Those of the contract that concern the period and came when it was billed."""
        if self.period is None:
            return ()
        return self.account.agreement.revised_since(self.period["revision"], until=self.span.end)


async def _priced(pool: Pool, late: _Late) -> Priced | None:
    """One period: rated where its own numbers stand, or where it has none because nothing of it is billed here."""
    entries = [LateEntry(row["entry_id"], row["meter"], row["value"], row["effective_at"]) for row in late.entries]
    agreement = late.account.agreement
    if late.period is None:
        # in a thread: a period with thousands of corrections is rated thousands of times
        return await asyncio.to_thread(price_agreement, agreement, late.span, (), entries)
    row = periods.from_row(late.period)
    return None if row.ledger is None else await price_late(pool, agreement, row, entries)


def _settling(row: asyncpg.Record) -> Settling:
    is_note = row["document"] == "credit_note"
    return Settling(
        id=row["id"],
        document=row["document"],
        state=row["state"],
        amount_minor=-row["amount_minor"] if is_note else row["amount_minor"],
        stripe_id=row["stripe_id"] if is_note else row["invoice_id"],
        carried_by=row["carrier_start"],
        made_at=row["made_at"],
        settled_at=row["done_at"],
    )


def _answer(late: _Late, priced: Priced | None) -> PricedCorrection:
    account, period, rows = late.account, late.period, late.entries
    steps = [None] * len(rows) if priced is None else [step.minor for step in priced.steps]
    names = ("entry_id", "subject", "subject_kind", "meter", "reason", "effective_at", "recorded_at")
    entries = [
        CorrectedEntry(value=decimal_text(row["value"]), amount_minor=step, **{name: row[name] for name in names})
        for row, step in zip(rows, steps, strict=True)
    ]
    return PricedCorrection(
        customer=account.customer,
        period_start=late.span.start,
        period_end=late.span.end,
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
        revisions=list(late.revisions),
        revised_minor=priced.revised.minor if priced else None,
        difference_minor=priced.difference.minor if priced else None,
        documents=late.documents,
        document=priced.document.value if priced else None,
        unpriced={meter: decimal_text(net) for meter, net in priced.unpriced.items()} if priced else {},
        why=priced.why if priced else WAITS,
    )
