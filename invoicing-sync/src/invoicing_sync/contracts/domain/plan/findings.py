"""What Stripe has otherwise than it was told, where the contract did not change: for a person, never overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from invoicing_sync.contracts.domain.plan.at_stripe import Collection, CustomerFields, HasItem, ToldItem
from invoicing_sync.contracts.domain.plan.operations import Finding

CODES = {
    "customer_missing": "the customer that was told, or named by the contract, is not at Stripe",
    "customer_changed": "name or address of the customer were changed",
    "subscription_ended": "the subscription was ended, and the contract goes on",
    "item_added": "an item was added to the subscription",
    "item_removed": "an item was taken off the subscription",
    "price_changed": "an item got another price",
    "quantity_changed": "an item got another quantity",
    "discount_given": "a discount was given at Stripe, where none of ours ever stands",
    "drafts_changed": "the subscription keeps its drafts, or keeps them no longer",
    "collection_changed": "how invoices are collected was changed",
    "end_changed": "the subscription ends at another time, or not",
    "price_taken": "a lookup key of ours stands on a price of other content",
    "no_address": "a contract without an address for its invoices",
    "nothing_left": "a contract that goes on without an item for a time",
}


def item_findings(told: Mapping[str, ToldItem], has: Iterable[HasItem], *, touched: set[str]) -> Iterator[Finding]:
    """Items that came, went or were changed by hand, without those that the contract changes itself (`touched`)."""
    by_key = {item.key: item for item in has if item.key in told}
    for item in has:
        if item.key is None or (item.key not in told and item.key not in touched):
            many = "" if item.quantity is None else f"{item.quantity:,} × "
            yield Finding("item_added", item.item_id, f"{many}{item.price} was added at Stripe by nobody of ours")
    for key, said in told.items():
        if key in touched:
            continue
        found = by_key.get(key)
        if found is None:
            yield Finding("item_removed", key, f"{key} was taken off the subscription at Stripe")
            continue
        if found.price != said.price:
            sentence = f"{key} has the price {found.price} at Stripe, and was told {said.price}"
            yield Finding("price_changed", key, sentence)
        if found.quantity != said.quantity:
            sentence = f"{key} has the quantity {found.quantity} at Stripe, and was told {said.quantity}"
            yield Finding("quantity_changed", key, sentence)
        yield from discount_given(key, key, found.discounts)


def discount_given(subject: str, name: str, discounts: frozenset[str]) -> Iterator[Finding]:
    """Discounts on an item or on the subscription: ours go as items of the invoice, so these are a person's."""
    if discounts:
        sentence = f"{name} has a discount at Stripe that nobody agreed: {', '.join(sorted(discounts))}"
        yield Finding("discount_given", subject, sentence)


def customer_differs(customer: str, has: CustomerFields, wanted: CustomerFields) -> Iterator[Finding]:
    """Name or address; where the contract has no address, any is right."""
    if has.name != wanted.name or wanted.email not in (None, has.email):
        shown = f"{has.name}, {has.email}"
        sentence = f"the customer is {shown} at Stripe, and was told {wanted.name}, {wanted.email}"
        yield Finding("customer_changed", customer, sentence)


def collection_changed(customer: str, has: Collection) -> Iterator[Finding]:
    """The method, or the days until an invoice is due."""
    said = f"{has.method}, {has.days} days" if has.days is not None else has.method
    yield Finding("collection_changed", customer, f"the subscription has {said} at Stripe, which nobody agreed")
