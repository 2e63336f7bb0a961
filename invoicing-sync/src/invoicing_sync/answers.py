"""What the HTTP API answers: amounts in minor units, quantities as decimal strings."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from event_schemas.values import decimal_text
from invoicing_sync.invoices.domain.expected_invoice import Line, Reason


class WhyAnswer(BaseModel):
    """
    The reason of a line: `quantity` and `rounding` in words, `exact` what the formula comes to before rounding.

    `clause` is the place in the contract, such as `metered.resolution`.
    """

    clause: str
    quantity: str
    price_version: str
    formula: str
    exact: str = Field(description="in major units, a decimal string")
    rounding: str

    @classmethod
    def of(cls, why: Reason) -> Self:
        """The answer that tells a reason."""
        return cls(
            clause=why.clause,
            quantity=why.quantity,
            price_version=why.price_version,
            formula=why.formula,
            exact=decimal_text(why.exact),
            rounding=why.rounding,
        )


class ExpectedLine(BaseModel):
    """A line as the contract and the ledger ask for it; `advance` lines pay for the period that follows."""

    kind: str
    item: str
    quantity: str
    amount_minor: int
    why: WhyAnswer

    @classmethod
    def of(cls, line: Line) -> Self:
        """
        The answer that tells an expected line.

        Raises:
            ValueError: the line was found somewhere and not expected, so that it has no reason.
        """
        if line.why is None:
            raise ValueError(f"a line of {line.item} without a reason")
        return cls(
            kind=line.kind,
            item=line.item,
            quantity=decimal_text(line.quantity),
            amount_minor=line.amount.minor,
            why=WhyAnswer.of(line.why),
        )


class LineAnswer(BaseModel):
    """
    One invoice line; `charges`, `reversals` and `net` count the ledger entries behind a usage line's meter.

    `why` is null where the line is not the expected one: nobody's contract asks for it, or its period still runs.
    """

    id: str
    kind: str
    item: str
    quantity: str
    amount_minor: int
    description: str
    period_start: datetime
    period_end: datetime
    charges: int | None = None
    reversals: int | None = None
    net: str | None = None
    why: WhyAnswer | None = None


class InvoiceAnswer(BaseModel):
    """An invoice as Stripe last showed it, with the state of its period here."""

    id: str
    customer: str
    billing_reason: str
    status: str
    number: str | None
    currency: str
    subtotal_minor: int
    total_minor: int
    period_start: datetime
    period_end: datetime
    period_state: str | None
    held_reason: str | None
    released_at: datetime | None = Field(description="when it was sent or charged, compared; null: not issued yet")
    read_at: datetime
    lines: list[LineAnswer]


class InvoicesAnswer(BaseModel):
    """A page; `next` is the `after` of the next one."""

    invoices: list[InvoiceAnswer]
    next: str | None


class EntryAnswer(BaseModel):
    """One entry of the ledger, with what became of it at Stripe."""

    entry_id: str
    customer: str
    subject: str
    subject_kind: str
    meter: str
    op: str
    quantity: str
    effective_at: datetime
    caused_at: datetime
    recorded_at: datetime
    policy_version: str
    how: str | None
    reason: str | None
    reverses: str | None
    signals: list[tuple[str, str]]
    delivery: str | None = Field(description="null: settled so long ago that it is no longer kept")


class EntriesAnswer(BaseModel):
    """A page of entries in order of time; `next` is the `after` of the next one."""

    entries: list[EntryAnswer]
    next: str | None


class PeriodAnswer(BaseModel):
    """One customer's period; `number` -1 is the first invoice, which carries no usage."""

    customer: str
    number: int
    period_start: datetime
    period_end: datetime
    freeze_at: datetime
    state: str
    ledger: dict[str, str] | None
    invoice_id: str | None
    held_reason: str | None
    payment_failed: str | None
    frozen_at: datetime | None
    finalised_at: datetime | None


class CorrectionAnswer(BaseModel):
    """An entry that is no meter event: `value` is signed."""

    entry_id: str
    customer: str
    meter: str
    value: str
    period_start: datetime
    period_end: datetime
    reason: str
    recorded_at: datetime


class DeliveryAnswer(BaseModel):
    """One intended effect at Stripe."""

    identifier: str
    customer: str
    meter: str
    value: str
    effective_at: datetime
    state: str
    way: str
    by_adjustment: bool
    attempt: int
    calls: int
    not_before: datetime
    sent_at: datetime | None
    received_at: datetime | None
    result: str | None


class ContractAnswer(BaseModel):
    """A contract's state here and its objects at Stripe."""

    customer: str
    revision: int
    applied_revision: int | None
    handled_revision: int
    stripe_customer: str | None
    stripe_subscription: str | None
    billed_from: datetime | None
    document: dict[str, Any] = Field(description="the latest revision that has come in, as it was agreed")


class ContractRow(BaseModel):
    """One contract in a list; `applied_revision` is null while nothing of it stands at Stripe."""

    customer: str
    name: str
    currency: str
    revision: int
    applied_revision: int | None
    billing_anchor: datetime


class ContractsAnswer(BaseModel):
    """Contracts in order of their customers; `next` is the `after` of the next page."""

    contracts: list[ContractRow]
    next: str | None


class CaseAnswer(BaseModel):
    """
    What a person must look at; `closed_by` is null while it is open and where it closed by itself.

    `sentence` says what opens cases of this kind, `do` what is to be done, `closes` what closes one by itself.
    """

    id: int
    kind: str
    key: str
    customer: str | None
    count: int
    detail: dict[str, Any]
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None
    sentence: str | None = None
    do: str | None = None
    closes: str | None = None


class DriftAnswer(BaseModel):
    """One customer, meter and UTC day whose numbers differ."""

    customer: str
    meter: str
    day: datetime
    ledger: str
    stripe: str
    difference: str
    cause: str
    evidence: dict[str, Any]


class ReconciliationAnswer(BaseModel):
    """One run; `compared` counts (customer, meter, day) with numbers on either side."""

    id: int
    customer: str | None
    from_: datetime = Field(serialization_alias="from")
    to: datetime
    state: str
    compared: int
    drift: list[DriftAnswer]
    started_at: datetime
    finished_at: datetime | None
    detail: str | None


class BacklogAnswer(BaseModel):
    """Deliveries that are due and not settled."""

    open: int
    oldest_recorded_at: datetime | None
    oldest_age_s: float
