"""The routes: decode, ask, encode; no rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chassis import problems
from chassis.access import Who
from chassis.clock import Clock
from chassis.problems import Problem
from event_schemas.contract_v2 import read_contract
from event_schemas.sentences import WORDS
from event_schemas.times import Instant
from event_schemas.values import decimal_text
from invoicing_sync import credited
from invoicing_sync.answers import (
    BacklogAnswer,
    CaseAnswer,
    ContractAnswer,
    ContractRow,
    ContractsAnswer,
    CorrectionAnswer,
    DeliveryAnswer,
    DriftAnswer,
    EntriesAnswer,
    EntryAnswer,
    InvoiceAnswer,
    InvoicesAnswer,
    LineAnswer,
    PeriodAnswer,
    ReconciliationAnswer,
    WhyAnswer,
)
from invoicing_sync.charges import ChargesAnswer, charges
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.planned import PlanAnswer, Planner
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.correcting import PricedCorrections, priced_corrections
from invoicing_sync.credited import CreditNoteAnswer, CreditNotesAnswer
from invoicing_sync.invoices.comparison import Comparison
from invoicing_sync.invoices.domain.carried import KIND as PRIOR_PERIOD
from invoicing_sync.invoices.domain.carried import place_of
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.gate import PeriodState
from invoicing_sync.invoices.store import carried, invoices, periods
from invoicing_sync.reconciliation.reconcile import Reconciler
from invoicing_sync.reconciliation.store import reconciliations
from invoicing_sync.running import RunningAnswer, running
from invoicing_sync.store import cases, reading
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.domain.states import State
from invoicing_sync.usage.store import deliveries

Text = Annotated[str | None, Query(max_length=255, pattern=r"^[\x21-\x7e]+$")]
Customer = Annotated[str | None, Query(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
CustomerPath = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
CaseId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[Instant, Field(ge=EARLIEST, le=LATEST)]  # room to count days from, either way
At = Annotated[Moment | None, Query(description="an instant in the period, 2000 to 2200")]
PathText = Annotated[str, Path(max_length=255, pattern=r"^[\x21-\x7e]+$")]
DAY = timedelta(days=1)
LONGEST_DAYS = 400


class ReconciliationOrder(BaseModel):
    """What to compare: whole UTC days in [from, to), of one customer or all."""

    customer: str | None = Field(None, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
    from_: Moment = Field(alias="from")
    to: Moment


class Closing(BaseModel):
    """Why a person closes a case: what was done, for whoever reads it later."""

    reason: str = Field(min_length=3, max_length=500, pattern=WORDS)


class Api:
    """The routes under /v1."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        comparison: Comparison,
        reconciler: Reconciler,
        planner: Planner,
        *,
        issuers: Issuers,
    ) -> None:
        self._pool, self._clock, self._comparison, self._reconciler = pool, clock, comparison, reconciler
        self._planner, self._issuers = planner, issuers
        self.router = APIRouter(prefix="/v1", tags=["door"])
        refusals = problems.responses(422)
        missing = problems.responses(404, 422)
        add = self.router.add_api_route
        add("/invoices", self.invoices, methods=["GET"], responses=refusals)
        add("/invoices/{invoice_id}/lines/{line_id}/entries", self.entries, methods=["GET"], responses=missing)
        add("/periods", self.periods, methods=["GET"], responses=refusals)
        add("/corrections", self.corrections, methods=["GET"], responses=refusals)
        add("/corrections/priced", self.priced, methods=["GET"], responses=refusals)
        add("/credit-notes", self.credit_notes, methods=["GET"], responses=refusals)
        add("/credit-notes/{note_id}", self.credit_note, methods=["GET"], responses=missing)
        add("/charges", self.charges, methods=["GET"], responses=refusals, response_model_by_alias=True)
        add("/deliveries", self.deliveries, methods=["GET"], responses=refusals)
        add("/contracts", self.list_contracts, methods=["GET"], responses=refusals)
        add("/customers/{customer}/running", self.running, methods=["GET"], responses=missing)
        add("/contracts/{customer}", self.contract, methods=["GET"], responses=missing)
        add("/contracts/{customer}/plan", self.plan, methods=["GET"], responses=problems.responses(404, 422, 503))
        add("/cases", self.cases, methods=["GET"], responses=refusals)
        add("/cases/{case_id}/close", self.close_case, methods=["POST"], responses=problems.responses(400, 404, 422))
        add(
            "/reconciliations",
            self.reconcile,
            methods=["POST"],
            status_code=202,
            responses=problems.responses(400, 422),
        )
        add("/reconciliations/latest", self.latest, methods=["GET"], responses=missing)
        add("/reconciliations/{run}", self.reconciliation, methods=["GET"], responses=missing)
        add("/backlog", self.backlog, methods=["GET"])

    async def invoices(
        self, customer: Customer = None, period: At = None, after: Text = None, limit: Limit = 100
    ) -> InvoicesAnswer:
        """Invoices as Stripe last showed them."""
        rows = await invoices.search(self._pool, customer=customer, period=period, after=after, limit=limit)
        of_period = await reading.periods_of_invoices(self._pool, [row["invoice_id"] for row in rows])
        accounts = await contracts.accounts_of(self._pool, sorted({row["customer"] for row in rows}))
        found = [
            await self._invoice(row, of_period.get(row["invoice_id"]), accounts.get(row["customer"])) for row in rows
        ]
        return InvoicesAnswer(invoices=found, next=rows[-1]["invoice_id"] if len(rows) == limit else None)

    async def _invoice(
        self, row: asyncpg.Record, period: asyncpg.Record | None, account: Account | None
    ) -> InvoiceAnswer:
        has_usage = row["billing_reason"] == "subscription_cycle"
        counts = await reading.counts(self._pool, row["customer"], row["period_end"]) if has_usage else {}
        stored = [invoices.from_row_line(line) for line in row["lines"]]
        expected: Sequence[Line | None] = [None] * len(stored)
        if period is not None and account is not None:
            expected = await self._comparison.expected_lines(account, periods.from_row(period), stored)
        lines = []
        for line, wanted in zip(stored, expected, strict=True):
            kind, item = await self._comparison.item_of(line) if wanted is None else (wanted.kind, wanted.item)
            behind = counts.get(item) if kind == "usage" else None
            lines.append(
                LineAnswer(
                    id=line.line_id,
                    kind=kind,
                    item=item,
                    quantity=decimal_text(line.quantity if wanted is None else wanted.quantity),
                    amount_minor=line.amount_minor,
                    description=line.description,
                    period_start=line.period_start,
                    period_end=line.period_end,
                    charges=behind and behind["charges"],
                    reversals=behind and behind["reversals"],
                    net=_text(behind["net"]) if behind else None,
                    why=WhyAnswer.of(wanted.why) if wanted is not None and wanted.why is not None else None,
                )
            )
        names = (
            "customer",
            "billing_reason",
            "status",
            "number",
            "currency",
            "subtotal_minor",
            "total_minor",
            "period_start",
            "period_end",
            "released_at",
            "read_at",
        )
        return InvoiceAnswer(
            id=row["invoice_id"],
            period_state=period and period["state"],
            held_reason=period and period["held_reason"],
            lines=lines,
            **{name: row[name] for name in names},
        )

    async def entries(
        self, invoice_id: PathText, line_id: PathText, after: Text = None, limit: Limit = 100
    ) -> EntriesAnswer:
        """The ledger entries behind a line of usage, whose tiers share them, or of an earlier period's corrections."""
        row = await invoices.one(self._pool, invoice_id)
        stored = next((line for line in row["lines"] if line["id"] == line_id), None) if row is not None else None
        if row is None or stored is None:
            raise Problem(404, "no_such_line", "No invoice known here has this line.", field="line_id")
        kind, item = await self._comparison.item_of(invoices.from_row_line(stored))
        if kind not in ("usage", PRIOR_PERIOD):
            return EntriesAnswer(entries=[], next=None)
        pool, customer = self._pool, row["customer"]
        if kind == PRIOR_PERIOD:
            of = place_of(stored["natural_key"])
            rows = await carried.entries_behind(pool, customer, *of, item, after=after, limit=limit)
        else:
            rows = await reading.entries_behind(pool, customer, item, row["period_end"], after=after, limit=limit)
        return EntriesAnswer(
            entries=[_entry(row) for row in rows], next=rows[-1]["entry_id"] if len(rows) == limit else None
        )

    async def periods(
        self, customer: Customer = None, state: PeriodState | None = None, limit: Limit = 100
    ) -> list[PeriodAnswer]:
        """Periods, latest end first."""
        rows = await periods.search(self._pool, customer, state and state.value, limit)
        return [PeriodAnswer(**_only(row, PeriodAnswer)) for row in rows]

    async def corrections(
        self, customer: Customer = None, period: At = None, after: Text = None, limit: Limit = 1000
    ) -> list[CorrectionAnswer]:
        """Entries that are no meter events, one by one; `/corrections/priced` says what they are worth."""
        rows = await reading.corrections(self._pool, customer=customer, period=period, after=after, limit=limit)
        return [CorrectionAnswer(**_only(row, CorrectionAnswer)) for row in rows]

    async def priced(
        self, customer: Customer = None, period: At = None, after: Customer = None, limit: Limit = 100
    ) -> PricedCorrections:
        """What came after the freeze of a period, priced by its own terms; `limit` counts customers."""
        return await priced_corrections(self._pool, customer=customer, period=period, after=after, limit=limit)

    async def credit_notes(
        self, customer: Customer = None, period: At = None, after: Text = None, limit: Limit = 100
    ) -> CreditNotesAnswer:
        """What late corrections were credited by, each note with its lines and the entries behind them."""
        return await credited.search(self._pool, customer=customer, period=period, after=after, limit=limit)

    async def credit_note(self, note_id: PathText) -> CreditNoteAnswer:
        """One credit note, by our id or Stripe's."""
        found = await credited.one(self._pool, note_id)
        if found is None:
            raise Problem(
                404,
                "no_such_credit_note",
                "No credit note has this id; GET /v1/credit-notes lists them.",
                field="note_id",
            )
        return found

    async def charges(self, from_: Annotated[Moment, Query(alias="from")], to: Moment) -> ChargesAnswer:
        """Entries of [from, to) as priced, free, unpriced, corrections; at most 400 days, none of them pruned."""
        if not timedelta(0) < to - from_ <= LONGEST_DAYS * DAY:
            raise Problem(422, "bad_range", f"`to` lies after `from`, by at most {LONGEST_DAYS} days.", field="to")
        self._is_kept(from_)
        return await charges(self._pool, from_, to, self._issuers)

    def _is_kept(self, start: datetime) -> None:
        if start < self._reconciler.furthest_back():
            raise Problem(
                422,
                "too_far_back",
                "Deliveries of that time are no longer kept (KEEP_DELIVERIES_DAYS); begin later.",
                field="from",
            )

    async def deliveries(
        self, state: State | None = None, customer: Customer = None, after: Text = None, limit: Limit = 100
    ) -> list[DeliveryAnswer]:
        """Intended effects at Stripe."""
        rows = await reading.deliveries(
            self._pool, state=state and state.value, customer=customer, after=after, limit=limit
        )
        return [DeliveryAnswer(by_adjustment=row["cancels"], **_only(row, DeliveryAnswer)) for row in rows]

    async def contract(self, customer: CustomerPath) -> ContractAnswer:
        """A contract's applied revision and its objects at Stripe."""
        row = await contracts.describe(self._pool, customer, self._issuers)
        if row is None:
            raise _no_contract("has come in")
        return ContractAnswer(**{name: row[name] for name in ContractAnswer.model_fields})

    async def list_contracts(self, after: Customer = None, limit: Limit = 100) -> ContractsAnswer:
        """Contracts that have come in, by customer; a page at a time."""
        rows = await contracts.page(self._pool, self._issuers, after=after or "", limit=limit)
        now = self._clock.now()
        found = [_contract_row(row, now) for row in rows]
        return ContractsAnswer(contracts=found, next=found[-1].customer if len(found) == limit else None)

    async def running(self, customer: CustomerPath) -> RunningAnswer:
        """The period that runs now: counts by meter, and the lines that its invoice would have if it ended now."""
        found = await running(self._pool, customer, self._clock.now())
        if found is None:
            raise _no_contract("is applied")
        return found

    async def plan(self, customer: CustomerPath) -> PlanAnswer:
        """What Stripe has of a contract, what is left to do, and what a person changed there. Nothing is written."""
        found = await self._planner.plan(customer, self._clock.now())
        if found is None:
            raise _no_contract("has come in")
        return found

    async def cases(
        self, customer: Customer = None, closed: bool = False, before: CaseId | None = None, limit: Limit = 100
    ) -> list[CaseAnswer]:
        """What a person must look at, latest first; the next page is `before` the last id of this one."""
        rows = await reading.cases(self._pool, customer=customer, closed=closed, before=before, limit=limit)
        return [_case(row) for row in rows]

    async def close_case(
        self, case_id: Annotated[int, Path(ge=1, le=2**63 - 1)], closing: Closing, who: Who
    ) -> CaseAnswer:
        """Close a case, once what it asks for is done. Repeating it changes nothing; a cause that stays reopens it."""
        row = await cases.close_by_hand(self._pool, case_id, by=who.name, reason=closing.reason, now=self._clock.now())
        if row is None:
            raise Problem(404, "no_such_case", "No case has this id; GET /v1/cases lists them.", field="case_id")
        return _case(row)

    async def reconcile(self, order: ReconciliationOrder) -> dict[str, int]:
        """Begin comparing ledger and Stripe."""
        for field, at in (("from", order.from_), ("to", order.to)):
            if at.timestamp() % DAY.total_seconds():
                raise Problem(422, "not_a_day", "Reconciliation compares whole UTC days.", field=field)
        if not timedelta(0) < order.to - order.from_ <= LONGEST_DAYS * DAY:
            raise Problem(422, "bad_range", f"`to` lies 1 to {LONGEST_DAYS} days after `from`.", field="to")
        self._is_kept(order.from_)
        return {"id": await self._reconciler.start(order.customer, order.from_, order.to)}

    async def latest(self) -> ReconciliationAnswer:
        """The latest run."""
        return await self._run(None)

    async def reconciliation(self, run: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> ReconciliationAnswer:
        """One run."""
        return await self._run(run)

    async def _run(self, run: int | None) -> ReconciliationAnswer:
        found = await reconciliations.read(self._pool, run)
        if found is None:
            raise Problem(404, "no_such_reconciliation", "No such run has been started.", field="run")
        row, drift = found
        names = ("id", "customer", "state", "compared", "started_at", "finished_at", "detail")
        return ReconciliationAnswer(
            from_=row["from_day"],
            to=row["to_day"],
            drift=[_drift(entry) for entry in drift],
            **{name: row[name] for name in names},
        )

    async def backlog(self) -> BacklogAnswer:
        """Deliveries that are due and not settled."""
        now = self._clock.now()
        count, oldest = await deliveries.backlog(self._pool, now)
        age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        return BacklogAnswer(open=count, oldest_recorded_at=oldest, oldest_age_s=age)


def _entry(row: asyncpg.Record) -> EntryAnswer:
    cause = row["cause"]
    names = (
        "entry_id",
        "customer",
        "subject",
        "subject_kind",
        "meter",
        "op",
        "effective_at",
        "caused_at",
        "recorded_at",
        "delivery",
    )
    return EntryAnswer(
        quantity=decimal_text(row["quantity"]),
        policy_version=cause["policy_version"],
        how=cause.get("how"),
        reason=cause.get("reason"),
        reverses=cause.get("reverses"),
        signals=cause.get("signals") or [],
        **{name: row[name] for name in names},
    )


def _no_contract(lacks: str) -> Problem:
    return Problem(404, "no_such_contract", f"No contract of this customer {lacks}.", field="customer")


def _contract_row(row: asyncpg.Record, now: datetime) -> ContractRow:
    agreement = Agreement(read_contract(row["document"]))
    return ContractRow(
        customer=agreement.customer,
        name=agreement.paying(now).name,
        currency=agreement.currency.value,
        revision=agreement.revision,
        applied_revision=row["applied_revision"],
        billing_anchor=agreement.document.billing_anchor,
    )


def _case(row: asyncpg.Record) -> CaseAnswer:
    kind = cases.KINDS.get(row["kind"])  # None: a kind of an earlier version
    life = {"sentence": kind.opens, "do": kind.do, "closes": kind.closes} if kind else {}
    return CaseAnswer(key=row["natural_key"], **_only(row, CaseAnswer), **life)


def _drift(row: asyncpg.Record) -> DriftAnswer:
    return DriftAnswer(
        customer=row["customer"],
        meter=row["meter"],
        day=row["day"],
        ledger=_text(row["ledger"]),
        stripe=_text(row["stripe"]),
        difference=_text(row["stripe"] - row["ledger"]),
        cause=row["cause"],
        evidence=row["evidence"],
    )


def _only(row: asyncpg.Record, model: type[BaseModel]) -> dict[str, Any]:
    """The columns that an answer shows; decimals as plain text."""
    values = {name: row[name] for name in model.model_fields if name in row}
    return {name: _text(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _text(value: Decimal) -> str:
    return decimal_text(value)
