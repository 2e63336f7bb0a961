"""The routes of contracts and quotes: decode, call a handler, encode; no rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from chassis.access import Who
from chassis.problems import Problem, responses
from contracts_service.agreements.domain.changes import changes_of
from contracts_service.agreements.domain.commands import AnyCommand, Quote, When
from contracts_service.agreements.domain.money import Foreseen
from contracts_service.agreements.handlers import carry_out, make_quote
from contracts_service.agreements.store import contract_at_rest, list_contracts, list_revisions, quote_at_rest
from contracts_service.parts import Parts, StoreOrProblem
from event_schemas.contract_v2 import ContractV2, billing_at, items_at, plan_at, quantity_at
from event_schemas.events.contract_change_v1 import ClauseChange
from pricing.lines import Line

Customer = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
QuoteName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
State = Literal["due", "published", "waiting_for_readers", "superseded"]


class ForeseenLine(BaseModel):
    """A line of the invoice; `amount_minor` in minor units of the contract's currency."""

    item: str
    kind: str
    amount_minor: int
    start: datetime
    until: datetime


class MoneyAnswer(BaseModel):
    """The first invoice that the change touches, without tax, and as if nothing were used."""

    billing_day: datetime
    currency: str
    before_minor: int
    after_minor: int
    proration: list[ForeseenLine] = Field(description="what the change itself adds, for the period that is running")
    lines: list[ForeseenLine] = Field(description="the whole invoice with the change")


class CommandAnswer(BaseModel):
    """The contract with its new revision, and what that changed."""

    customer: str
    revision: int
    effective_at: datetime
    repeated: bool = Field(description="the key was known: this is the answer of the first time")
    dry_run: bool
    money: MoneyAnswer | None = Field(description="with dry_run: what it would do to the money")
    changes: list[ClauseChange]
    contract: dict[str, Any] = Field(description="the whole contract, version 2")


class ItemNow(BaseModel):
    """One item that lives at the instant; `quantity` is null for a metered one."""

    key: str
    product: str
    kind: Literal["licensed", "metered"]
    quantity: int | None
    price_version: str


class StateAnswer(BaseModel):
    """A contract, and what it says at an instant."""

    customer: str
    revision: int
    at: datetime
    name: str
    issuer: str
    plan: str | None
    policy: str | None
    items: list[ItemNow]
    contract: dict[str, Any] = Field(description="the whole contract, version 2")


class ContractRow(BaseModel):
    """A contract in the list."""

    customer: str
    name: str
    plan: str | None = Field(description="now; null where nothing is sold any more")
    currency: str
    revision: int
    state: State = Field(description="of the newest revision on the bus")
    why: str | None = Field(description="why it waits for readers of version 2")


class ContractPage(BaseModel):
    """Contracts by customer; `next` continues as `after`, null at the end."""

    contracts: list[ContractRow]
    next: str | None


class RevisionRow(BaseModel):
    """One revision: who agreed what when, and what it changed."""

    revision: int
    command: str
    agreed_at: datetime
    effective_at: datetime
    actor: str
    reason: str
    channel: str
    asked_by: str = Field(description="name of the key")
    state: State
    why: str | None
    changes: list[ClauseChange]


class History(BaseModel):
    """Every revision, oldest first."""

    customer: str
    revisions: list[RevisionRow]


class QuoteAnswer(BaseModel):
    """A quote as it was made."""

    quote: dict[str, Any]
    catalog: int = Field(description="number of the catalogue whose prices hold for it")


class AgreementsApi:
    """The routes, over these parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.router = APIRouter(prefix="/v1", dependencies=[Depends(parts.require_ready)], tags=["contracts"])
        add = self.router.add_api_route
        commands = "/contracts/{customer}/commands"
        add(commands, self.command, methods=["POST"], responses=responses(400, 404, 409, 422, 503))
        add("/contracts", self.contracts, methods=["GET"], responses=responses(422, 503))
        add("/contracts/{customer}", self.contract, methods=["GET"], responses=responses(404, 422, 503))
        add("/contracts/{customer}/history", self.history, methods=["GET"], responses=responses(404, 422, 503))
        add("/quotes", self.quote, methods=["POST"], responses=responses(400, 409, 422, 503), status_code=201)
        add("/quotes/{quote}", self.quoted, methods=["GET"], responses=responses(404, 422, 503))

    async def command(self, customer: Customer, command: AnyCommand, who: Who, dry_run: bool = False) -> CommandAnswer:
        """Change a contract, once for each key. `dry_run`: what it would become, with its money; nothing is written."""
        async with StoreOrProblem():
            carried = await carry_out(customer, command, by=who.name, dry_run=dry_run, parts=self._parts)
        contract = carried.contract
        return CommandAnswer(
            customer=customer,
            revision=contract.revision,
            effective_at=contract.history[-1].effective_at,
            repeated=carried.repeated,
            dry_run=dry_run,
            money=_money(carried.money) if carried.money is not None else None,
            changes=list(changes_of(contract)),
            contract=_whole(contract),
        )

    async def contracts(
        self,
        after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> ContractPage:
        """All contracts, by customer."""
        now = self._parts.clock.now()
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            rows = await list_contracts(connection, after=after or "", limit=limit + 1)
        page = [_contract_row(row, now) for row in rows[:limit]]
        return ContractPage(contracts=page, next=page[-1].customer if len(rows) > limit else None)

    async def contract(self, customer: Customer, at: When | None = None) -> StateAnswer:
        """A contract, and what it says at an instant (now, where none is named)."""
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            contract = await contract_at_rest(connection, customer)
        if contract is None:
            raise _unknown(customer)
        return _state(contract, at or self._parts.clock.now())

    async def history(self, customer: Customer) -> History:
        """Every revision of a contract, and what each changed."""
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            rows = await list_revisions(connection, customer)
        if not rows:
            raise _unknown(customer)
        return History(customer=customer, revisions=[_revision_row(row) for row in rows])

    async def quote(self, quote: Quote, who: Who) -> QuoteAnswer:
        """Keep terms for a customer to sign, at the prices of the catalogue of today. The same one again is fine."""
        async with StoreOrProblem():
            await make_quote(quote, by=who.name, parts=self._parts)
        return await self.quoted(quote.quote)

    async def quoted(self, quote: QuoteName) -> QuoteAnswer:
        """A quote."""
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            row = await quote_at_rest(connection, quote)
        if row is None:
            raise Problem(404, "unknown_quote", "there is no quote of this name", field="quote")
        return QuoteAnswer(quote=row["document"], catalog=row["catalog"])


def _money(foreseen: Foreseen) -> MoneyAnswer:
    return MoneyAnswer(
        billing_day=foreseen.billing_day,
        currency=foreseen.after.currency,
        before_minor=foreseen.before.minor,
        after_minor=foreseen.after.minor,
        proration=[_line(line) for line in foreseen.proration],
        lines=[_line(line) for line in foreseen.lines],
    )


def _line(line: Line) -> ForeseenLine:
    return ForeseenLine(
        item=line.item, kind=line.kind, amount_minor=line.amount.minor, start=line.period.start, until=line.period.end
    )


def _unknown(customer: str) -> Problem:
    return Problem(404, "unknown_customer", f"{customer} has no contract here", field="customer")


def _whole(contract: ContractV2) -> dict[str, Any]:
    return contract.model_dump(mode="json", exclude_none=True)


def _state(contract: ContractV2, at: datetime) -> StateAnswer:
    billing, policy = billing_at(contract, at), contract.policy_at(at)
    items = [
        ItemNow(
            key=item.key,
            product=item.product,
            kind=item.kind,
            quantity=quantity_at(contract, item.key, at) if item.kind == "licensed" else None,
            price_version=item.price_version,
        )
        for item in items_at(contract, at)
    ]
    return StateAnswer(
        customer=contract.customer,
        revision=contract.revision,
        at=at,
        name=billing.name,
        issuer=billing.issuer,
        plan=plan_at(contract, at),
        policy=policy.version if policy is not None else None,
        items=items,
        contract=_whole(contract),
    )


def _contract_row(row: RowMapping, now: datetime) -> ContractRow:
    contract = ContractV2.model_validate(row["document"])
    return ContractRow(
        customer=contract.customer,
        name=billing_at(contract, now).name,
        plan=plan_at(contract, now),
        currency=contract.currency,
        revision=contract.revision,
        state=row["state"],
        why=row["why"],
    )


def _revision_row(row: RowMapping) -> RevisionRow:
    contract = ContractV2.model_validate(row["document"])
    change = contract.history[-1]
    return RevisionRow(
        revision=change.revision,
        command=row["command"]["do"],
        agreed_at=change.agreed_at,
        effective_at=change.effective_at,
        actor=change.actor,
        reason=change.reason,
        channel=change.channel,
        asked_by=row["asked_by"],
        state=row["state"],
        why=row["why"],
        changes=list(changes_of(contract)),
    )
