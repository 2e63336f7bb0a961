"""
Applies contracts of version 1: objects at Stripe, then our own activation. Those of version 2 go to the carrier.

    1. link-intended     the intent to make an object is stored
    2. object-made       Stripe has it
    3. link stored       its id is here
    4. contract-applied  contract, first periods and waiting deliveries, in one transaction; then the keeper's steps

Dying after any of them repeats the ones before as look-ups. Applying twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis.clock import Clock
from chassis.errors import TryLater
from event_schemas.contract_v2 import AnyContract, ContractV2
from event_schemas.contracts import Contract
from event_schemas.times import Period, month_after, period_containing
from invoicing_sync.contracts.carrier import Carrier
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.terms import Terms, changes_billing, lacks_address
from invoicing_sync.contracts.domain.usage_lines import terms_at_stripe
from invoicing_sync.contracts.handlers import handle_activation, handle_revision, set_aside
from invoicing_sync.contracts.keeper import DAYS_UNTIL_DUE, Keeper, say_no_address
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account, Billing
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.store import periods
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import (
    licensed_price_key,
    metered_price_key,
    seconds,
    to_wire_customer,
    to_wire_licensed_price,
    to_wire_metered_price,
    to_wire_subscription,
)
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused
from invoicing_sync.usage.store.deliveries import Lane

log = logging.getLogger(__name__)


class Applier:
    """`wake` says that a contract was stored; `waiting` how many are not dealt with."""

    def __init__(
        self,
        pool: Pool,
        door: StripeDoor,
        objects: Objects,
        keeper: Keeper,
        clock: Clock,
        settings: Settings,
        wake_lanes: Callable[[Iterable[Lane]], None],
        carrier: Carrier,
    ) -> None:
        self._pool, self._door, self._objects, self._keeper = pool, door, objects, keeper
        self._carrier = carrier
        self._clock, self._settings, self._wake_lanes = clock, settings, wake_lanes
        self._woken = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.parallel_customers)

    def wake(self) -> None:
        """A contract was stored."""
        self._woken.set()

    async def run(self) -> None:
        """Apply what is there until cancelled."""
        await self._keeper.name_those_without_address()
        while True:
            self._woken.clear()
            await self._keeper.bring_all()
            waiting = [c for c in await contracts.unhandled(self._pool, self._settings.own_issuers) if self._is_time(c)]
            due = await contracts.plan_due(self._pool, now=self._clock.now(), keep=self._settings.keep_drafts)
            await asyncio.gather(
                *(self._apply_in_turn(contract) for contract in waiting), *(self._plan_in_turn(who) for who in due)
            )
            try:
                async with asyncio.timeout(self._settings.contracts_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def waiting(self) -> int:
        """Contracts that can be applied by now and are not, and subscriptions that do not collect as they should."""
        now = self._clock.now()
        unhandled = await contracts.count_unhandled(
            self._pool, self._settings.own_issuers, anchored_by=self._latest_anchor(), now=now
        )
        due = await contracts.count_plan_due(self._pool, now=now, keep=self._settings.keep_drafts)
        return unhandled + due + await self._keeper.waiting()

    def _is_time(self, contract: AnyContract) -> bool:
        if isinstance(contract, ContractV2):
            return self._carrier.is_time(contract)
        return contract.billing_anchor <= self._latest_anchor()

    def _latest_anchor(self) -> datetime:
        """Stripe takes an anchor up to one period ahead."""
        return month_after(self._clock.now(), 1)

    async def _plan_in_turn(self, customer: str) -> None:
        contract = await contracts.newest(self._pool, customer)
        if isinstance(contract, ContractV2):
            await self._apply_in_turn(contract)

    async def _apply_in_turn(self, contract: AnyContract) -> None:
        async with self._slots:
            try:
                if isinstance(contract, ContractV2):
                    await self._carrier.carry_out(contract)
                else:
                    await self.apply(contract)
            except Refused as refused:
                answer = refused.answer
                await self._set_aside(contract, "contract_refused", code=answer.code, sentence=answer.detail)
            except TryLater as later:
                log.warning("a contract waits", extra={"customer": contract.customer, "why": str(later)})

    async def apply(self, contract: Contract) -> None:
        """Bring Stripe and ourselves to this revision."""
        account = await contracts.account(self._pool, contract.customer)
        if account is None and lacks_address(contract, to_be_made=True):
            await say_no_address(self._pool, contract.customer, contract.revision, self._clock)
            await contracts.mark_handled(self._pool, contract, replace=False)
        elif account is None:
            await self._apply_first(contract)
        elif isinstance(account.contract, ContractV2) or changes_billing(
            terms_of(account.contract), terms_of(contract)
        ):
            await self._set_aside(
                contract, "contract_change_not_supported", applied=account.contract.revision, asked=contract.revision
            )
        else:
            if _shown(account.contract) != _shown(contract):
                await self._door.catalogue.mark_customer(account.stripe_customer, _shown(contract))
            await self._settle_cases(contract)
            if lacks_address(contract, to_be_made=False):
                await say_no_address(self._pool, contract.customer, contract.revision, self._clock)
            await handle_revision(contract, pool=self._pool, now=self._clock.now())
            await periods.refreeze(self._pool, self._settings.freeze)  # the issuer may be another one
            await self._keeper.bring(replace(account, contract=contract))
        failpoints.reach("contract-applied")

    async def _set_aside(self, contract: AnyContract, kind: str, **detail: Any) -> None:
        await set_aside(self._pool, contract, kind, now=self._clock.now(), **detail)

    async def _apply_first(self, contract: Contract) -> None:
        way = self._settings.ways_of_usage.of(contract.issuer)
        terms = terms_at_stripe(terms_of(contract), way)
        prices = await self._prices(terms)
        stripe_customer = await self._customer(contract)
        now = self._clock.now()
        params = to_wire_subscription(
            terms,
            customer=contract.customer,
            stripe_customer=stripe_customer,
            prices=prices,
            now=now,
            days_until_due=DAYS_UNTIL_DUE,
        )
        subscription = await self._objects.subscription(
            contract.customer, stripe_customer, params, shared=contract.stripe_customer is not None
        )
        billing = Billing(contract.billing_anchor, _billed_from(contract, now), contract.issuer)
        await self._settle_cases(contract)
        lanes = await handle_activation(
            Agreement(contract),
            billing,
            stripe_customer=stripe_customer,
            stripe_subscription=subscription,
            usage_lines=way,
            first=Period(contract.billing_anchor, contract.billing_anchor) if _has_first_invoice(terms, now) else None,
            late_at=now if terms.licensed and seconds(contract.billing_anchor) < seconds(now) else None,
            pool=self._pool,
            freeze=self._settings.freeze,
        )
        self._wake_lanes(lanes)
        await self._keeper.bring(
            Account(contract.customer, contract, billing.billed_from, stripe_customer, subscription, way),
            just_made=True,
        )

    async def _settle_cases(self, contract: Contract) -> None:
        """A revision is about to be applied, and repeated if we die: what was said of an earlier one is settled."""
        for kind in (
            "contract_change_not_supported",
            "contract_conflict",
            "contract_refused",
            "contract_without_billing_email",
        ):
            await cases.close_case(self._pool, kind, contract.customer, now=self._clock.now())

    async def _prices(self, terms: Terms) -> dict[str, str]:
        found: dict[str, str] = {}
        for metered in terms.metered:
            meter_id = await self._objects.meter(metered.meter)
            product = await self._objects.product("usage", metered.meter)
            price = to_wire_metered_price(metered, terms.currency, product=product, meter_id=meter_id)
            found[metered_price_key(metered, terms.currency)] = await self._objects.price(price)
        for licensed in terms.licensed:
            product = await self._objects.product("advance", licensed.item)
            price = to_wire_licensed_price(licensed, terms.currency, product=product)
            found[licensed_price_key(licensed, terms.currency)] = await self._objects.price(price)
        return found

    async def _customer(self, contract: Contract) -> str:
        catalogue, customer = self._door.catalogue, contract.customer
        params, given = _shown(contract), contract.stripe_customer

        async def find(made_since: datetime) -> str | None:
            if given is None:
                return await catalogue.find_customer(customer, made_since=made_since)
            if not await catalogue.has_customer(given):
                return None
            await catalogue.mark_customer(given, params)
            return given

        async def make(key: str) -> str:
            return await catalogue.make_customer(params, key=key)

        return await self._objects.ensure("customer", customer, params, find=find, make=make, shared=given is not None)


def _shown(contract: Contract) -> dict[str, Any]:
    """What Stripe's customer shows of a contract."""
    return to_wire_customer(contract.customer, contract.name, contract.billing_email)


def _billed_from(contract: Contract, now: datetime) -> datetime:
    """The start of the first period whose usage Stripe bills: the anchor, or the period that runs already."""
    return max(contract.billing_anchor, period_containing(contract.billing_anchor, now).start)


def _has_first_invoice(terms: Terms, now: datetime) -> bool:
    """Whether an invoice comes at the anchor: with licensed items, or as the end of the time before the anchor."""
    ahead = seconds(terms.billing_anchor) - seconds(now)
    return ahead > 0 or (ahead == 0 and any(term.quantity > 0 for term in terms.licensed))
