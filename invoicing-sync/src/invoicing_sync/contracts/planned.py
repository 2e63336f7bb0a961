"""The plan of a customer, for people: what was done at Stripe, what there is to do, and what was changed by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from chassis.errors import TryLater
from chassis.problems import Problem
from event_schemas.contract_v2 import AnyContract, ContractV2, read_contract
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, CustomerFields
from invoicing_sync.contracts.domain.plan.operations import Operation
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.plan.ways import explicit
from invoicing_sync.contracts.domain.usage_lines import UsageLines, contract_at_stripe
from invoicing_sync.contracts.standing import Standing, in_version_2
from invoicing_sync.contracts.store import contracts, operations
from invoicing_sync.contracts.store.contracts import Account
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

    def __init__(self, pool: Pool, door: StripeDoor, *, keep_drafts: bool, issuers: Issuers) -> None:
        self._pool, self._keep, self._issuers, self._standing = pool, keep_drafts, issuers, Standing(pool, door)

    async def plan(self, customer: str, now: datetime) -> PlanAnswer | None:
        """
        What the plan of a customer is now; None where no contract has come in.

        Raises:
            Problem: Stripe cannot be asked (503).
        """
        row = await contracts.describe(self._pool, customer, self._issuers)
        if row is None:
            return None
        account = await contracts.account(self._pool, customer)
        newest = _of(read_contract(row["document"]), row["usage_lines"])
        try:
            told = await self._standing.told(account, newest, now)
            there = await self._standing.there(account, newest, told, now)
        except (TryLater, Refused):
            sentence = "Stripe does not answer, and a plan begins with what is there; ask again"
            raise Problem(503, "stripe_away", sentence) from None
        to_do = plan(there, newest, now, keep_drafts=self._keep)
        left = {one.key for one in to_do.operations}
        done = [one for one in await self._done(account, now) if one.key not in left]
        return PlanAnswer(
            customer=customer,
            revision=newest.revision,
            applied_revision=row["applied_revision"],
            as_of=now,
            operations=[*done, *(_shown(one, "to_do") for one in to_do.operations)],
            findings=[
                FindingAnswer(code=one.code, subject=one.subject, sentence=one.sentence) for one in to_do.findings
            ],
            explicit=[ExplicitAnswer(clause=clause, why=why) for clause, why in explicit(newest, now)],
        )

    async def _done(self, account: Account | None, now: datetime) -> list[PlannedOperation]:
        """What was done; of a contract of version 1 what brought the applied revision to an empty Stripe."""
        if account is None:
            return []
        contract = account.contract
        if isinstance(contract, ContractV2):
            return [
                PlannedOperation(key=row["key"], sentence=row["sentence"], state="done", needs=row["needs"])
                for row in await operations.of_customer(self._pool, account.customer)
            ]
        begun = AtStripe(customer=CustomerFields("", None) if contract.stripe_customer else None)
        same = in_version_2(contract, account.usage_lines)
        return [_shown(one, "done") for one in plan(begun, same, now, keep_drafts=self._keep).operations]


def _shown(operation: Operation, state: Literal["done", "to_do"]) -> PlannedOperation:
    return PlannedOperation(key=operation.key, sentence=operation.sentence, state=state, needs=list(operation.needs))


def _of(contract: AnyContract, way: UsageLines) -> ContractV2:
    """In version 2, as Stripe is told it."""
    if isinstance(contract, ContractV2):
        return contract_at_stripe(contract, way)
    return in_version_2(contract, way)
