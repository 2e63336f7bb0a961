"""What Stripe has of a customer and what it was told, read for a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from event_schemas.contract_v2 import ContractV2, billing_at, from_version_1
from event_schemas.contracts import Contract
from invoicing_sync.contracts.domain.plan.at_stripe import MADE_TO_SEND, AtStripe, Collection, Told
from invoicing_sync.contracts.domain.plan.telling import adopted
from invoicing_sync.contracts.domain.plan.wanted import told_by
from invoicing_sync.contracts.domain.usage_lines import UsageLines, contract_at_stripe
from invoicing_sync.contracts.store import contracts, operations
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.store import periods
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor

BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """Reads only, but for what a contract of version 1 told, which is kept once its successor is planned."""

    pool: Pool
    door: StripeDoor

    async def told(self, account: Account | None, contract: ContractV2, now: datetime) -> Told:
        """What Stripe was told last, in the keys of a contract."""
        kept = await operations.told_last(self.pool, contract.customer)
        if kept is not None:
            return kept
        if account is None or not isinstance(account.contract, Contract):
            return Told()
        return adopted(await self._told_by_version_1(account, account.contract, now), contract)

    async def keep_told_by_version_1(self, account: Account, contract: ContractV2, now: datetime) -> None:
        """From now on what was told is kept; repeating it changes nothing."""
        if await operations.told_last(self.pool, contract.customer) is None:
            told = await self.told(account, contract, now)
            await operations.tell(self.pool, contract.customer, told, called_at=BEFORE_ALL, prorations=[])

    async def _told_by_version_1(self, account: Account, contract: Contract, now: datetime) -> Told:
        """It has no discounts and no end, and its terms are 30 days."""
        same = in_version_2(contract, account.usage_lines)
        since = max(now, contract.billing_anchor)
        known = await contracts.collection_of(self.pool, account.customer)
        by = (
            Collection("send_invoice", MADE_TO_SEND)
            if known.method == "send_invoice"
            else Collection("charge_automatically")
        )
        first = await periods.has_first_invoice(self.pool, account.customer)
        billed = contract.billing_anchor if first else contract.period_of(account.billed_from).end
        told = told_by(same, since)
        return replace(told, keeps_drafts=known.kept_as_draft, collection=by, billed_from=billed)

    async def there(self, account: Account | None, contract: ContractV2, told: Told, now: datetime) -> AtStripe:
        """Shared objects by our links, the customer's own as Stripe shows them now. Raises TryLater, Refused."""
        kinds = ("meter", "product", "price")
        shared: dict[str, Any] = {kind: await links.ids(self.pool, kind) for kind in kinds}
        there = AtStripe(
            meters=frozenset(shared["meter"]),
            products=frozenset(shared["product"]),
            prices=dict.fromkeys(shared["price"]),
            told=told,
        )
        stripe_customer = await self.customer_id(account, contract, now)
        if stripe_customer is not None:
            there = replace(there, customer=await self.door.state.customer(stripe_customer))
        if account is not None:
            subscription = await self.door.state.subscription(account.stripe_subscription, told)
            there = replace(there, subscription=subscription)
        return there

    async def customer_id(self, account: Account | None, contract: ContractV2, now: datetime) -> str | None:
        """Stripe's id of the customer: one that is there, or that the contract names."""
        if account is not None:
            return account.stripe_customer
        made = await links.id_of(self.pool, "customer", contract.customer)
        return made or billing_at(contract, now).stripe_customer


def in_version_2(contract: Contract, way: UsageLines) -> ContractV2:
    """A contract of version 1 in version 2, as Stripe is told it. When it was agreed decides nothing here."""
    return contract_at_stripe(from_version_1(contract, agreed_at=contract.billing_anchor), way)
