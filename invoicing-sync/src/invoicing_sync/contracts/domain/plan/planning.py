"""
The plan: from what Stripe has of a customer and what the contract says at an instant, the operations in their order.

    1. the customer           made, or its name and address written
    2. what items are made of meters, products, prices, under names that follow from their content
    3. the subscription       made with what holds now, or its items changed, each at its instant
    4. drafts, collection     drafts are kept before anything may be charged by itself (decision 0012)
    5. the end                where the contract has one

Applied, it leaves nothing to do. Where a person changed something at Stripe that the contract did not change since, no
operation touches it: it is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from event_schemas.contract_v2 import ContractV2, billing_at
from event_schemas.times import iso, period_containing
from invoicing_sync.contracts.domain.plan.at_stripe import MADE_TO_SEND, AtStripe, Collection, HasSubscription, Told
from invoicing_sync.contracts.domain.plan.findings import (
    collection_changed,
    customer_differs,
    discount_given,
    item_findings,
)
from invoicing_sync.contracts.domain.plan.items import Moment, changes_due
from invoicing_sync.contracts.domain.plan.operations import (
    CancelAt,
    ChangeItems,
    Collect,
    Finding,
    KeepDrafts,
    MakeCustomer,
    MakeMeter,
    MakePrice,
    MakeProduct,
    MakeSubscription,
    MarkCustomer,
    NewItem,
    Operation,
    Plan,
)
from invoicing_sync.contracts.domain.plan.prices import StripePrice, digest
from invoicing_sync.contracts.domain.plan.wanted import WantedItem, collection, customer_fields, wanted_items
from invoicing_sync.contracts.domain.plan.ways import ends_at, over_at


def plan(stripe: AtStripe, contract: ContractV2, at: datetime, *, keep_drafts: bool = True) -> Plan:
    """
    What to do at Stripe so that it has what the contract says at an instant, and what stands against it.

    Args:
        keep_drafts: whether subscriptions keep their invoices as drafts (KEEP_DRAFTS).
    """
    planning = _Planning(stripe, contract, at, keep_drafts=keep_drafts)
    return Plan(tuple(planning.operations()), tuple(dict.fromkeys(planning.findings)))


class _Planning:
    """One plan; `findings` grows while the operations are read."""

    def __init__(self, stripe: AtStripe, contract: ContractV2, at: datetime, *, keep_drafts: bool) -> None:
        self._stripe, self._contract, self._at, self._keep = stripe, contract, at, keep_drafts
        self._customer = contract.customer
        self._moment = Moment.of(contract, at)
        self._wanted = wanted_items(contract)
        self._blocked = frozenset(
            item.price.lookup_key for item in self._wanted if _is_taken(stripe.prices.get(item.price.lookup_key), item)
        )
        self.findings: list[Finding] = []

    def operations(self) -> list[Operation]:
        """All operations, in their order."""
        subscription = list(self._subscription())
        return [*self._of_customer(), *self._objects(subscription), *subscription]

    def _find(self, code: str, subject: str, sentence: str) -> None:
        self.findings.append(Finding(code, subject, sentence))

    def _of_customer(self) -> Iterator[Operation]:
        has, told, wanted = self._stripe.customer, self._stripe.told.customer, customer_fields(self._contract, self._at)
        key, shown = (
            f"customer/{self._customer}",
            wanted.name if wanted.email is None else f"{wanted.name}, {wanted.email}",
        )
        given = billing_at(self._contract, self._at).stripe_customer
        if has is None and (told is not None or given is not None):
            which = f"the customer {given}" if given is not None else "the customer that was made"
            self._find("customer_missing", self._customer, f"Stripe does not have {which}")
        elif has is None:
            yield Operation(key, f"make the customer {shown}", MakeCustomer(wanted))
        elif told != wanted:
            key = f"{key}/{digest([wanted.name, wanted.email, self._contract.revision])}"
            yield Operation(key, f"write onto the customer: {shown}", MarkCustomer(wanted))
        else:
            self.findings += customer_differs(self._customer, has, wanted)

    def _objects(self, after: Iterable[Operation]) -> Iterator[Operation]:
        """What the operations after it need and Stripe does not have, each once."""
        needs = dict.fromkeys(need for operation in after for need in operation.needs)
        prices = [item.price for item in self._wanted if f"price/{item.price.lookup_key}" in needs]
        missing = [price for price in dict.fromkeys(prices) if price.lookup_key not in self._stripe.prices]
        for meter in dict.fromkeys(price.name for price in missing if price.kind == "usage"):
            if meter not in self._stripe.meters:
                yield Operation(f"meter/{meter}", f"make the meter {meter}", MakeMeter(meter))
        for price in {price.product: price for price in missing}.values():
            if price.product not in self._stripe.products:
                what = "usage of" if price.kind == "usage" else "in advance"
                sentence = f"make the product {price.product}: {what} {price.name}"
                yield Operation(f"product/{price.product}", sentence, MakeProduct(price.product, price.name))
        for price in missing:
            yield Operation(
                f"price/{price.lookup_key}",
                f"make the price of {price.name}: {price}",
                MakePrice(price),
                needs=(f"product/{price.product}", *([f"meter/{price.name}"] if price.kind == "usage" else [])),
            )

    def _subscription(self) -> Iterator[Operation]:
        for key in sorted(self._blocked):
            self._find(
                "price_taken", key, f"the lookup key {key} stands on a price of other content: what needs it waits"
            )
        has, told, over = self._stripe.subscription, self._stripe.told, over_at(self._contract)
        is_over = over is not None and over <= self._at
        ended = ends_at(self._contract)
        if has is None or has.ended:
            if told.subscribed and (ended is None or self._at < ended):
                sentence = "the subscription is gone or ended at Stripe, and the contract goes on"
                self._find("subscription_ended", self._customer, sentence)
            elif not told.subscribed and not is_over:
                yield from self._make()
            return
        if not is_over:
            yield from self._change()
        yield from self._collect(told, has)
        ends = ends_at(self._contract)
        if told.cancel_at != ends:
            yield self._cancel(ends)
        elif has.cancel_at != ends:
            said = f"ends at {iso(has.cancel_at)}" if has.cancel_at is not None else "does not end"
            self._find("end_changed", self._customer, f"the subscription {said} at Stripe, which nobody agreed")

    def _make(self) -> Iterator[Operation]:
        contract, moment = self._contract, self._moment
        steps = [(item, item.at(moment.at)) for item in self._wanted]
        items = tuple(
            NewItem(item.key, item.price, item.said(step.quantity), step.at)
            for item, step in steps
            if step is not None and step.quantity
        )
        if any(item.price.lookup_key in self._blocked for item in items) or not items:
            return
        if customer_fields(contract, self._at).email is None:
            sentence = "billing_email is missing, and Stripe makes no subscription that sends without it"
            self._find("no_address", self._customer, sentence)
            return
        anchor = contract.billing_anchor
        begins = period_containing(anchor, self._at).start if anchor < self._at else None
        trial = contract.trial.until if contract.trial is not None and self._at < contract.trial.until else None
        days = collection(contract, self._at).days or MADE_TO_SEND
        needs = [f"customer/{self._customer}", *(f"price/{item.price.lookup_key}" for item in items)]
        names = ", ".join(item.key if item.quantity is None else f"{item.quantity:,} × {item.key}" for item in items)
        free = f", free until {iso(trial)}" if trial is not None else ""
        yield Operation(
            f"subscription/{self._customer}",
            f"make the subscription, monthly from {iso(anchor)}{free}: {names}",
            MakeSubscription(items, anchor, begins, trial, days),
            needs=tuple(dict.fromkeys(needs)),
        )
        yield from self._collect(Told(collection=Collection("send_invoice", days)), None)
        ends = ends_at(contract)
        if ends is not None:
            yield self._cancel(ends)

    def _change(self) -> Iterator[Operation]:
        has, told = self._stripe.subscription, self._stripe.told
        assert has is not None  # asked by the caller
        ours = {item.key: item for item in has.items if item.key is not None}
        calls, would_empty = changes_due(
            self._contract, self._wanted, self._moment, told=told, has=ours, blocked=self._blocked
        )
        yield from calls
        if would_empty:
            sentence = "nothing of the contract would be left on the subscription, and Stripe keeps one item at least"
            self._find("nothing_left", self._customer, sentence)
        changes = [change for call in calls if isinstance(call.what, ChangeItems) for change in call.what.changes]
        self.findings += item_findings(told.items, has.items, touched={change.key for change in changes})
        self.findings += discount_given(self._customer, "the subscription", has.discounts)

    def _collect(self, told: Told, has: HasSubscription | None) -> Iterator[Operation]:
        wanted, keep = collection(self._contract, self._at), self._keep
        needs = (f"subscription/{self._customer}",)
        if told.keeps_drafts is not keep:
            words = "keep its invoices as drafts" if keep else "let its invoices finalise themselves after an hour"
            key = f"drafts/{self._customer}/{'kept' if keep else 'free'}"
            yield Operation(key, words, KeepDrafts(keep), needs)
        elif has is not None and has.keeps_drafts is not keep:
            sentence = "whether the subscription keeps its drafts was changed at Stripe"
            self._find("drafts_changed", self._customer, sentence)
        if told.collection != wanted:
            days = f", due after {wanted.days} days" if wanted.days is not None else ""
            words = "send its invoices" if wanted.method == "send_invoice" else "charge its invoices"
            key = f"collection/{self._customer}/{wanted.method}-{wanted.days}/{self._contract.revision}"
            yield Operation(key, f"{words}{days}", Collect(wanted), needs)
        elif has is not None and has.collection != wanted:
            self.findings += collection_changed(self._customer, has.collection)

    def _cancel(self, over: datetime | None) -> Operation:
        said = iso(over) if over is not None else "never"
        words = f"end it at {said}" if over is not None else "let it go on without an end"
        key = f"end/{self._customer}/{said}/{self._contract.revision}"
        return Operation(key, words, CancelAt(over), (f"subscription/{self._customer}",))


def _is_taken(content: StripePrice | None, item: WantedItem) -> bool:
    return content is not None and replace(content, twin=item.price.twin) != item.price
