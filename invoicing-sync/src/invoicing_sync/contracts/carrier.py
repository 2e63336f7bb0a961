"""
Carries out the plan of a contract of version 2: when a revision comes, and when an instant comes at which Stripe has to
be told more.

A revision is billed by as soon as it is here; what Stripe has not been told of it goes onto invoices as items of ours.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import TryLater
from event_schemas.contract_v2 import ContractV2, billing_at
from event_schemas.times import month_after
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, Told
from invoicing_sync.contracts.domain.plan.coming import next_at
from invoicing_sync.contracts.domain.plan.operations import Finding, Operation
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.usage_lines import UsageLines, contract_at_stripe
from invoicing_sync.contracts.handlers import handle_terms, set_aside
from invoicing_sync.contracts.keeper import say_no_address
from invoicing_sync.contracts.making import Making, Task
from invoicing_sync.contracts.standing import Standing
from invoicing_sync.contracts.store import contracts, operations
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.store import periods
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.errors import Refused

REFUSED_AGAIN = timedelta(hours=1)  # business time until a plan that Stripe refused is tried again as it stands
ROUNDS = 5  # plans in one go, each from what Stripe has after the last one
SETTLED = ("contract_change_not_supported", "contract_conflict")


class Carrier:
    """Brings Stripe to a contract; repeating it changes nothing."""

    def __init__(self, pool: Pool, standing: Standing, making: Making, clock: Clock, settings: Settings) -> None:
        self._pool, self._standing, self._making = pool, standing, making
        self._clock, self._settings = clock, settings

    async def carry_out(self, contract: ContractV2) -> None:
        """Take a contract over if it is a new revision, and carry out its plan as of now. Raises TryLater."""
        account = await contracts.account(self._pool, contract.customer)
        if account is not None and account.contract != contract:
            if _is_another(account, contract):
                revisions = {"applied": account.contract.revision, "asked": contract.revision}
                now = self._clock.now()
                await set_aside(self._pool, contract, "contract_change_not_supported", now=now, **revisions)
                return
            if account.agreement.version_2 is None:
                await self._standing.keep_told_by_version_1(account, contract, self._clock.now())
            await handle_terms(Agreement(contract), pool=self._pool, now=self._clock.now())
            await periods.refreeze(self._pool, self._settings.freeze)  # the issuer may be another one
            failpoints.reach("terms-taken")
        await self._plan(contract)

    def is_time(self, contract: ContractV2) -> bool:
        """Whether Stripe takes it by now: a trial as soon as it runs, else an anchor up to one period ahead."""
        now = self._clock.now()
        if contract.trial is not None:
            return contract.trial.start <= now
        return contract.billing_anchor <= month_after(now, 1)

    async def _plan(self, contract: ContractV2) -> None:
        findings: tuple[Finding, ...] = ()
        operation: Operation | None = None
        try:
            for _ in range(ROUNDS):
                account, way, now = await self._where(contract)
                there, told = await self._there(account, contract, way, now)
                found = plan(there, contract_at_stripe(contract, way), now, keep_drafts=self._settings.keep_drafts)
                findings = found.findings
                if not found.operations:
                    break
                for operation in found.operations:
                    told = await self._making.make(operation, Task(contract, way, told))
            else:
                raise TryLater(f"the plan of {contract.customer} does not come to an end", after_s=5.0)
        except Refused as refused:
            await self._say_refused(contract, operation, refused)
            again = self._clock.now() + REFUSED_AGAIN
            await contracts.note_planned(self._pool, contract, plan_at=again)
            return
        await operations.drop_intents(self._pool, contract.customer)
        await self._say_found(contract, findings)
        way = (await self._where(contract))[1]
        following = next_at(told, contract_at_stripe(contract, way), now, keep_drafts=self._settings.keep_drafts)
        await contracts.note_planned(self._pool, contract, plan_at=following)
        failpoints.reach("plan-noted")

    async def _where(self, contract: ContractV2) -> tuple[Account | None, UsageLines, datetime]:
        now = self._clock.now()
        account = await contracts.account(self._pool, contract.customer)
        if account is not None:
            return account, account.usage_lines, now
        return None, self._settings.ways_of_usage.of(billing_at(contract, now).issuer), now

    async def _there(
        self, account: Account | None, contract: ContractV2, way: UsageLines, now: datetime
    ) -> tuple[AtStripe, Told]:
        told = await self._standing.told(account, contract_at_stripe(contract, way), now)
        return await self._standing.there(account, contract, told, now), told

    async def _say_refused(self, contract: ContractV2, operation: Operation | None, refused: Refused) -> None:
        await cases.open_case(
            self._pool,
            "contract_refused",
            contract.customer,
            now=self._clock.now(),
            customer=contract.customer,
            revision=contract.revision,
            code=refused.answer.code,
            field=refused.answer.field,
            sentence=refused.answer.detail,
            operation=operation.sentence if operation is not None else "",
        )

    async def _say_found(self, contract: ContractV2, findings: tuple[Finding, ...]) -> None:
        now, customer = self._clock.now(), contract.customer
        for kind in (*SETTLED, "contract_refused"):
            await cases.close_case(self._pool, kind, customer, now=now)
        if any(one.code == "no_address" for one in findings) or Agreement(contract).paying(now).lacks_address(
            to_be_made=False
        ):
            await say_no_address(self._pool, customer, contract.revision, self._clock)
        else:
            await cases.close_case(self._pool, "contract_without_billing_email", customer, now=now)
        left = [one for one in findings if one.code != "no_address"]
        if not left:
            await cases.close_case(self._pool, "contract_not_carried_out", customer, now=now)
            return
        await cases.open_case(
            self._pool,
            "contract_not_carried_out",
            customer,
            now=now,
            customer=customer,
            revision=contract.revision,
            found=[{"code": one.code, "subject": one.subject, "sentence": one.sentence} for one in left],
        )


def _is_another(account: Account, contract: ContractV2) -> bool:
    """What never changes: at Stripe that is the end of a subscription and the beginning of another."""
    before = account.contract
    return before.currency is not contract.currency or before.billing_anchor != contract.billing_anchor
