"""The plan of a customer, for people: what was done at Stripe, what there is to do, and what was changed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from chassis.errors import TryLater
from chassis.problems import Problem
from event_schemas.contract_v2 import ContractV2, from_version_1
from event_schemas.contracts import Contract
from invoicing_sync.contracts.domain.plan.at_stripe import MADE_TO_SEND, AtStripe, Collection, CustomerFields, Told
from invoicing_sync.contracts.domain.plan.operations import Operation
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.plan.wanted import told_by
from invoicing_sync.contracts.domain.plan.ways import explicit
from invoicing_sync.contracts.domain.usage_lines import UsageLines, contract_at_stripe
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused


class PlannedOperation(BaseModel):
    """One call at Stripe; `key` is stable, `needs` are the keys of what must be there before."""

    key: str
    sentence: str
    state: Literal["done", "to_do"]
    needs: list[str]


class FindingAnswer(BaseModel):
    """What a person changed at Stripe, or must give first; no operation touches it."""

    code: str
    subject: str
    sentence: str


class ExplicitAnswer(BaseModel):
    """A clause whose amounts go as invoice items from the expected invoice, and why."""

    clause: str
    why: str


class PlanAnswer(BaseModel):
    """
    The operations of a contract, done ones first.

    What is to do of a revision that was not applied is shown, and not carried out: the applied one goes on billing.
    """

    customer: str
    revision: int
    applied_revision: int | None
    as_of: datetime
    operations: list[PlannedOperation]
    findings: list[FindingAnswer]
    explicit: list[ExplicitAnswer]


class Planner:
    """Plans from what Stripe shows now; it reads only."""

    def __init__(self, pool: Pool, door: StripeDoor, *, keep_drafts: bool) -> None:
        self._pool, self._door, self._keep = pool, door, keep_drafts

    async def plan(self, customer: str, now: datetime) -> PlanAnswer | None:
        """
        What the plan of a customer is now; None where no contract has come in.

        Raises:
            Problem: Stripe cannot be asked (503).
        """
        row = await contracts.describe(self._pool, customer)
        if row is None:
            return None
        account = await contracts.account(self._pool, customer)
        newest = _of(Contract.model_validate(row["document"]), row["usage_lines"])
        try:
            there = await self._there(account, now)
        except (TryLater, Refused):
            sentence = "Stripe does not answer, and a plan begins with what is there; ask again"
            raise Problem(503, "stripe_away", sentence) from None
        to_do = plan(there, newest, now, keep_drafts=self._keep)
        left = {one.key for one in to_do.operations}
        done = [one for one in self._of_the_beginning(account, now) if one.key not in left]
        return PlanAnswer(
            customer=customer,
            revision=newest.revision,
            applied_revision=row["applied_revision"],
            as_of=now,
            operations=[*(_shown(one, "done") for one in done), *(_shown(one, "to_do") for one in to_do.operations)],
            findings=[
                FindingAnswer(code=one.code, subject=one.subject, sentence=one.sentence) for one in to_do.findings
            ],
            explicit=[ExplicitAnswer(clause=clause, why=why) for clause, why in explicit(newest, now)],
        )

    def _of_the_beginning(self, account: Account | None, now: datetime) -> tuple[Operation, ...]:
        """What brought the applied revision to an empty Stripe."""
        if account is None:
            return ()
        begun = AtStripe(customer=CustomerFields("", None) if account.contract.stripe_customer else None)
        return plan(begun, _of(account.contract, account.usage_lines), now, keep_drafts=self._keep).operations

    async def _there(self, account: Account | None, now: datetime) -> AtStripe:
        """What Stripe has: shared objects by our links, the customer's own as Stripe shows them now."""
        shared: dict[str, Any] = {kind: await links.ids(self._pool, kind) for kind in ("meter", "product", "price")}
        there = AtStripe(
            meters=frozenset(shared["meter"]),
            products=frozenset(shared["product"]),
            prices=dict.fromkeys(shared["price"]),
        )
        if account is None:
            return there
        told = await _told(self._pool, account, now)
        return replace(
            there,
            customer=await self._door.state.customer(account.stripe_customer),
            subscription=await self._door.state.subscription(account.stripe_subscription, told),
            told=told,
        )


def _shown(operation: Operation, state: Literal["done", "to_do"]) -> PlannedOperation:
    return PlannedOperation(key=operation.key, sentence=operation.sentence, state=state, needs=list(operation.needs))


def _of(contract: Contract, way: UsageLines) -> ContractV2:
    """In version 2, as Stripe is told it. When it was agreed decides nothing here."""
    return contract_at_stripe(from_version_1(contract, agreed_at=contract.billing_anchor), way)


async def _told(pool: Pool, account: Account, now: datetime) -> Told:
    """What the applied revision told Stripe. It has no discounts and no end, and its terms are 30 days."""
    contract = _of(account.contract, account.usage_lines)
    since = max(now, contract.billing_anchor)
    known = await contracts.collection_of(pool, account.customer)
    by = (
        Collection("send_invoice", MADE_TO_SEND)
        if known.method == "send_invoice"
        else Collection("charge_automatically")
    )
    return replace(told_by(contract, since, since), keeps_drafts=known.kept_as_draft, collection=by)
