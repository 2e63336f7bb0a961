"""Credit notes for people: their lines, and the entries of the ledger behind each, with their causes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
from pydantic import BaseModel, Field

from event_schemas.values import decimal_text
from invoicing_sync.invoices.store import credit_notes
from invoicing_sync.store.pool import Pool


class CreditedEntry(BaseModel):
    """A late entry that a note gathers: `value` is signed, `amount_minor` what it changed when it came."""

    entry_id: str
    customer: str
    subject: str
    subject_kind: str
    meter: str
    op: str
    value: str
    amount_minor: int
    effective_at: datetime
    caused_at: datetime
    recorded_at: datetime
    policy_version: str
    how: str | None
    reason: str | None
    reverses: str | None
    signals: list[tuple[str, str]]


class CreditNoteLine(BaseModel):
    """A line: a part of a line of the invoice, or one of its own where `invoice_line` is null."""

    item: str
    amount_minor: int
    invoice_line: str | None
    entries: list[str] = Field(description="ids of the entries of its meter")


class CreditNoteAnswer(BaseModel):
    """One credit note; amounts in minor units of `currency`. `stripe_id` is null until Stripe has made it."""

    id: str
    stripe_id: str | None
    number: str | None
    customer: str
    invoice_id: str
    period_start: datetime
    period_end: datetime
    state: Literal["intended", "refused", "issued", "dropped"]
    refused: str | None = Field(description="Stripe's sentence")
    currency: str
    amount_minor: int
    lowered_minor: int | None = Field(description="what an open invoice was lowered by")
    balance_minor: int | None = Field(description="what went to the customer's balance")
    refund_minor: int | None = Field(description="what goes back the way it was paid")
    made_at: datetime
    issued_at: datetime | None
    lines: list[CreditNoteLine]
    entries: list[CreditedEntry]


class CreditNotesAnswer(BaseModel):
    """A page; `next` is the `after` of the next one."""

    credit_notes: list[CreditNoteAnswer]
    next: str | None


async def search(
    pool: Pool, *, customer: str | None, period: datetime | None, after: str | None, limit: int
) -> CreditNotesAnswer:
    """Credit notes in order of their ids, each whole."""
    rows = await credit_notes.search(pool, customer=customer, period=period, after=after, limit=limit)
    return CreditNotesAnswer(
        credit_notes=await _answers(pool, rows), next=rows[-1]["id"] if len(rows) == limit else None
    )


async def one(pool: Pool, note_id: str) -> CreditNoteAnswer | None:
    """The credit note with our id or Stripe's."""
    row = await credit_notes.one(pool, note_id)
    return None if row is None else (await _answers(pool, [row]))[0]


async def _answers(pool: Pool, rows: Sequence[asyncpg.Record]) -> list[CreditNoteAnswer]:
    behind: dict[str, list[CreditedEntry]] = {row["id"]: [] for row in rows}
    for entry in await credit_notes.entries_of(pool, list(behind)):
        behind[entry["gathering"]].append(_entry(entry))
    return [_answer(row, behind[row["id"]]) for row in rows]


def _answer(row: asyncpg.Record, entries: list[CreditedEntry]) -> CreditNoteAnswer:
    names = ("id", "stripe_id", "customer", "invoice_id", "period_start", "period_end", "state", "refused", "currency")
    amounts = ("amount_minor", "lowered_minor", "balance_minor", "refund_minor", "made_at")
    return CreditNoteAnswer(
        number=row["stripe_number"],
        issued_at=row["done_at"] if row["state"] == "issued" else None,
        lines=[
            CreditNoteLine(
                item=line["item"],
                amount_minor=line["amount_minor"],
                invoice_line=line["line_id"],
                entries=[entry.entry_id for entry in entries if entry.meter == line["item"]],
            )
            for line in row["lines"]
        ],
        entries=entries,
        **{name: row[name] for name in (*names, *amounts)},
    )


def _entry(row: asyncpg.Record) -> CreditedEntry:
    cause = row["cause"]
    names = ("entry_id", "customer", "subject", "subject_kind", "meter", "op", "amount_minor")
    times = ("effective_at", "caused_at", "recorded_at")
    return CreditedEntry(
        value=decimal_text(row["value"]),
        policy_version=cause["policy_version"],
        how=cause.get("how"),
        reason=cause.get("reason"),
        reverses=cause.get("reverses"),
        signals=cause.get("signals") or [],
        **{name: row[name] for name in (*names, *times)},
    )
