"""
Carries out one operation of a plan.

    1. operation-intended   the intent to call is stored
    2. operation-answered   Stripe has done it
    3. operation-done       it is noted as done, with what Stripe has been told, in one transaction

Dying after any of them, the operation is planned again under the same key: objects are looked up, items are read first,
and what only sets a field is set again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from event_schemas.contract_v2 import ContractV2, billing_at
from event_schemas.times import Period
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import Told
from invoicing_sync.contracts.domain.plan.carried import is_there
from invoicing_sync.contracts.domain.plan.operations import (
    CancelAt,
    ChangeItems,
    Collect,
    GoneItem,
    KeepDrafts,
    MakeCustomer,
    MakeMeter,
    MakePrice,
    MakeProduct,
    MakeSubscription,
    MarkCustomer,
    Operation,
)
from invoicing_sync.contracts.domain.plan.prices import StripePrice
from invoicing_sync.contracts.domain.plan.telling import told_after
from invoicing_sync.contracts.domain.usage_lines import UsageLines
from invoicing_sync.contracts.handlers import handle_activation
from invoicing_sync.contracts.objects import ATTEMPTS, Objects
from invoicing_sync.contracts.store import contracts, operations
from invoicing_sync.contracts.store.contracts import Billing
from invoicing_sync.contracts.store.operations import Intent
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.domain.sides import prorations_of
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.settings import Settings
from invoicing_sync.store import links
from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.stripe_door.convert import (
    key_of,
    seconds,
    to_wire_collection,
    to_wire_customer,
    to_wire_keep_drafts,
)
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Answered, Kind, NotThere, Refused, Unsure
from invoicing_sync.stripe_door.planned_objects import (
    to_wire_end,
    to_wire_item_changes,
    to_wire_new_subscription,
    to_wire_price,
)
from invoicing_sync.usage.store.deliveries import Lane

Noting = Callable[[Connection], Awaitable[None]]
GONE = Refused(Answered(Kind.REFUSED, "resource_missing", "Stripe does not have what is to be changed any more."))


@dataclass(frozen=True, slots=True)
class Task:
    """What an operation is carried out for: `agreed` is the contract as it is billed, `way` how its usage is."""

    agreed: ContractV2
    way: UsageLines
    told: Told


class Making:
    """Works on one customer at a time, in the process that leads."""

    def __init__(
        self,
        pool: Pool,
        door: StripeDoor,
        objects: Objects,
        holder: Holder,
        clock: Clock,
        settings: Settings,
        wake_lanes: Callable[[Iterable[Lane]], None],
    ) -> None:
        self._pool, self._door, self._objects, self._holder = pool, door, objects, holder
        self._clock, self._settings, self._wake_lanes = clock, settings, wake_lanes

    async def make(self, operation: Operation, task: Task) -> Told:
        """
        Carry it out; what Stripe has been told then.

        Raises:
            Refused: Stripe will not have it. TryLater: it is busy, away, or answers 5xx.
        """
        contract, now = task.agreed, self._clock.now()
        intent = await operations.intend(self._pool, contract.customer, contract.revision, operation, now=now)
        failpoints.reach("operation-intended")
        try:
            note = await self._call(operation, intent, task, now)
        except (Refused, NotThere) as error:
            refused = error if isinstance(error, Refused) else GONE
            await operations.refused(self._pool, intent.position, refused.answer.detail, now=now)
            raise refused from error
        failpoints.reach("operation-answered")
        told = told_after(task.told, operation.what, contract)
        lines = prorations_of(contract, operation.what) if isinstance(operation.what, ChangeItems) else []

        async def store(tx: Connection) -> None:
            await operations.done(tx, intent.position, now=self._clock.now())
            if told != task.told or lines:
                await operations.tell(tx, contract.customer, told, called_at=now, prorations=lines)
            if note is not None:
                await note(tx)

        if isinstance(operation.what, MakeSubscription):
            await self._activate(operation.what, task, now, store)
        else:
            async with transaction(self._pool) as tx:
                await store(tx)
        failpoints.reach("operation-done")
        return told

    async def _call(self, operation: Operation, intent: Intent, task: Task, now: datetime) -> Noting | None:
        what, customer = operation.what, task.agreed.customer
        match what:
            case MakeMeter():
                await self._objects.meter(what.meter)
            case MakeProduct():
                kind = "usage" if what.product.startswith("settled-usage-") else "advance"
                await self._objects.product(kind, what.name)
            case MakePrice():
                await self._price(what.price)
            case MakeCustomer() | MarkCustomer():
                await self._customer(what, task, now)
            case MakeSubscription():
                await self._make_subscription(what, task, now)
            case ChangeItems():
                await self._change_items(what, operation, intent, task)
            case _:
                return await self._set(what, customer, task)
        return None

    async def _price(self, price: StripePrice) -> str:
        product = await self._objects.product(price.kind, price.name)
        meter = await self._objects.meter(price.name) if price.kind == "usage" else None
        return await self._objects.price(to_wire_price(price, product=product, meter_id=meter))

    async def _customer(self, what: MakeCustomer | MarkCustomer, task: Task, now: datetime) -> None:
        catalogue, customer = self._door.catalogue, task.agreed.customer
        params = to_wire_customer(customer, what.fields.name, what.fields.email)
        given = billing_at(task.agreed, now).stripe_customer

        async def find(made_since: datetime) -> str | None:
            return given or await catalogue.find_customer(customer, made_since=made_since)

        async def make(key: str) -> str:
            return await catalogue.make_customer(params, key=key)

        made = await self._objects.ensure("customer", customer, params, find=find, make=make, shared=given is not None)
        if isinstance(what, MarkCustomer):
            await catalogue.mark_customer(made, params)

    async def _make_subscription(self, what: MakeSubscription, task: Task, now: datetime) -> None:
        customer = task.agreed.customer
        stripe_customer = await self._id("customer", customer)
        prices = {item.price.lookup_key: await self._price(item.price) for item in what.items}
        params = to_wire_new_subscription(
            what,
            customer=customer,
            stripe_customer=stripe_customer,
            currency=task.agreed.currency,
            prices=prices,
            now=now,
        )

        shared = billing_at(task.agreed, now).stripe_customer is not None
        await self._objects.subscription(customer, stripe_customer, params, shared=shared)

    async def _activate(self, what: MakeSubscription, task: Task, now: datetime, store: Noting) -> None:
        agreement = Agreement(task.agreed)
        customer, anchor, trial = agreement.customer, what.anchor, task.agreed.trial
        begun = anchor if what.begins is None else what.begins
        billed_from = trial.start if trial is not None and what.trial_end is not None else begun
        ahead = seconds(anchor) - seconds(now)
        first = Period(anchor, anchor) if ahead > 0 or (ahead == 0 and agreement.is_licensed_at(anchor)) else None
        if trial is not None and what.trial_end is not None:
            first = Period(trial.start, trial.until)

        async def also(tx: Connection) -> None:
            await store(tx)
            await contracts.plan_at_once(tx, customer, now)

        lanes = await handle_activation(
            agreement,
            Billing(anchor, billed_from, agreement.paying(now).issuer),
            stripe_customer=await self._id("customer", customer),
            stripe_subscription=await self._id("subscription", customer),
            usage_lines=task.way,
            first=first,
            late_at=now if what.begins is not None and agreement.is_licensed_at(begun) else None,
            pool=self._pool,
            freeze=self._settings.freeze,
            also=also,
        )
        self._wake_lanes(lanes)

    async def _change_items(self, what: ChangeItems, operation: Operation, intent: Intent, task: Task) -> None:
        """An intent that is not fresh may have been carried out: the subscription is read before it is called again."""
        subscription = await self._id("subscription", task.agreed.customer)
        coming = [change.price for change in what.changes if not isinstance(change, GoneItem)]
        prices = {price.lookup_key: await self._price(price) for price in coming}
        attempt, look = intent.attempt, not intent.fresh
        for _ in range(ATTEMPTS):
            has = await self._door.state.subscription(subscription, task.told)
            if has is None:
                raise TryLater(f"the subscription of {task.agreed.customer} is gone", after_s=5.0)
            if look and is_there(what, task.told, has):
                return
            items = {item.key: item.item_id for item in has.items if item.key is not None}
            params = to_wire_item_changes(what, prices=prices, items=items)
            natural = f"{task.agreed.customer}/{operation.key}/{intent.position}"
            try:
                await self._door.catalogue.change_items(
                    subscription, params, key=key_of("operation", natural, params, attempt)
                )
                return
            except Unsure:
                attempt, look = await operations.next_attempt(self._pool, intent.position), True
                await asyncio.sleep(self._door.client.backoff_s(1))
        raise TryLater(f"Stripe answers 5xx to {operation.key}", after_s=5.0)

    async def _set(self, what: Any, customer: str, task: Task) -> Noting | None:
        """What sets fields of the subscription; repeating it changes nothing."""
        subscription = await self._id("subscription", customer)
        change = self._door.catalogue.change_subscription
        match what:
            case KeepDrafts():
                await change(subscription, to_wire_keep_drafts(what.keep))
                await self._holder.hold_all_of(customer, subscription)

                async def kept(tx: Connection) -> None:
                    await contracts.note_kept(tx, customer, what.keep)

                return kept
            case Collect():
                await change(subscription, to_wire_collection(what.by.method, what.by.days or 0))

                async def collected(tx: Connection) -> None:
                    await contracts.note_collected_by(tx, customer, what.by.method)

                return collected
            case CancelAt():
                if what.at is not None and what.at <= self._clock.now():
                    await self._door.catalogue.end_subscription(subscription)
                else:
                    await change(subscription, to_wire_end(what.at))
            case _:
                raise TypeError(f"no call for {type(what).__name__}")
        return None

    async def _id(self, kind: str, key: str) -> str:
        found = await links.id_of(self._pool, kind, key)
        assert found is not None, f"the {kind} of {key} is one of the operations before"
        return found
