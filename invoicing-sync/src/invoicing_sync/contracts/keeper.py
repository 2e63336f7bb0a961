"""
Brings subscriptions to how they are to collect: drafts that wait, then the contract's method.

    1. keep-drafts-answered   Stripe keeps the subscription's invoices as drafts
    2. drafts held            those that were there before it are held back one by one
    3. collection-switched    only now may it charge by itself: there is no draft left that would

Every subscription is made as one that sends its invoices, because the first invoice of one that charges is finalised
and charged inside the call (decision 0012). Dying after any of them repeats the ones before, which changes nothing.
"""

from __future__ import annotations

import logging

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync.contracts.domain.terms import NO_ADDRESS
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import to_wire_collection, to_wire_keep_drafts
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import NotThere, Refused

log = logging.getLogger(__name__)
DAYS_UNTIL_DUE = 30  # net terms of every contract until the catalogue carries its own


class Keeper:
    """`keep`: whether subscriptions keep their drafts at all (KEEP_DRAFTS)."""

    def __init__(self, pool: Pool, door: StripeDoor, holder: Holder, clock: Clock, *, keep: bool) -> None:
        self._pool, self._door, self._holder, self._clock, self._keep = pool, door, holder, clock, keep
        self._refused: set[tuple[str, int]] = set()  # (customer, revision): not asked again before a restart

    async def bring(self, account: Account, *, just_made: bool = False) -> None:
        """Bring one subscription there; repeating it changes nothing. Raises TryLater."""
        try:
            await self._bring(account, just_made=just_made)
        except (Refused, NotThere) as refused:
            self._refused.add((account.customer, account.contract.revision))
            await self._say_refused(account, refused)

    async def _bring(self, account: Account, *, just_made: bool) -> None:
        customer, subscription = account.customer, account.stripe_subscription
        known = await contracts.collection_of(self._pool, customer)
        change, method = self._door.catalogue.change_subscription, account.agreement.paying(self._clock.now()).method
        if known.kept_as_draft is not self._keep:
            await change(subscription, to_wire_keep_drafts(self._keep))
            failpoints.reach("keep-drafts-answered")
        if just_made or known.kept_as_draft is not self._keep or known.method != method:
            await self._holder.hold_all_of(customer, subscription)
            await contracts.note_kept(self._pool, customer, self._keep)
        if known.method != method:
            await change(subscription, to_wire_collection(method, DAYS_UNTIL_DUE))
            failpoints.reach("collection-switched")
            await contracts.note_collected_by(self._pool, customer, method)

    async def bring_all(self) -> None:
        """Bring those that are behind: after a death, after the setting changed, or made by an earlier version."""
        for account in await self._behind():
            try:
                await self.bring(account)
            except TryLater as later:
                log.warning("a subscription waits", extra={"customer": account.customer, "why": str(later)})

    async def waiting(self) -> int:
        """Subscriptions that are behind."""
        return len(await contracts.revisions_behind(self._pool, keep=self._keep) - self._refused)

    async def _behind(self) -> list[Account]:
        found = await contracts.behind(self._pool, keep=self._keep)
        return [one for one in found if (one.customer, one.contract.revision) not in self._refused]

    async def name_those_without_address(self) -> None:
        """Contracts of earlier versions had no address: each has its case from the start on."""
        known = await cases.open_keys(self._pool, "contract_without_billing_email")
        for account in await contracts.without_address(self._pool):
            if account.customer not in known:
                await say_no_address(self._pool, account.customer, account.contract.revision, self._clock)

    async def _say_refused(self, account: Account, refused: Refused | NotThere) -> None:
        await cases.open_case(
            self._pool,
            "contract_refused",
            account.customer,
            now=self._clock.now(),
            customer=account.customer,
            code=refused.answer.code if isinstance(refused, Refused) else "not_there",
            sentence=refused.answer.detail if isinstance(refused, Refused) else "Stripe has no such subscription.",
        )


async def say_no_address(pool: Pool, customer: str, revision: int, clock: Clock) -> None:
    """Stripe sends no invoice to a customer without an address, and makes no subscription that sends them."""
    await cases.open_case(
        pool,
        "contract_without_billing_email",
        customer,
        now=clock.now(),
        customer=customer,
        sentence=NO_ADDRESS,
        revision=revision,
    )
