"""A pure model of Stripe, for tests: what it has after an operation was carried out, and what was noted of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from event_schemas.contract_v2 import ContractV2
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, Collection, HasItem, HasSubscription, ToldItem
from invoicing_sync.contracts.domain.plan.operations import (
    CancelAt,
    ChangeItems,
    Collect,
    GoneItem,
    ItemChange,
    KeepDrafts,
    MakeCustomer,
    MakeMeter,
    MakePrice,
    MakeProduct,
    MakeSubscription,
    MarkCustomer,
    NewItem,
    Operation,
)


class Refused(Exception):
    """Stripe would not have it: something that the call needs is not there, or what it asks for cannot be."""


def carried_out(stripe: AtStripe, operation: Operation, contract: ContractV2, at: datetime) -> AtStripe:
    """
    Stripe after an operation, with what it was told.

    Raises:
        Refused: an object that the call names is missing, or no item would be left.
    """
    if missing := [need for need in operation.needs if need not in known(stripe, contract.customer)]:
        raise Refused(f"{operation.key} needs {missing[0]}")
    told, what = stripe.told, operation.what
    match what:
        case MakeCustomer() | MarkCustomer():
            if isinstance(what, MarkCustomer) == (stripe.customer is None):
                raise Refused(f"{operation.key}: the customer is {stripe.customer}")
            return replace(stripe, customer=what.fields, told=replace(told, customer=what.fields))
        case MakeMeter():
            return replace(stripe, meters=stripe.meters | {what.meter})
        case MakeProduct():
            return replace(stripe, products=stripe.products | {what.product})
        case MakePrice():
            return replace(stripe, prices={**stripe.prices, what.price.lookup_key: what.price})
        case MakeSubscription():
            return _made(stripe, what, contract, at)
        case _:
            return _changed(stripe, what, operation)


def known(stripe: AtStripe, customer: str) -> set[str]:
    """The keys of all that is there."""
    found = {f"meter/{name}" for name in stripe.meters} | {f"product/{name}" for name in stripe.products}
    found |= {f"price/{key}" for key in stripe.prices}
    found |= {f"customer/{customer}"} if stripe.customer is not None else set()
    return found | ({f"subscription/{customer}"} if stripe.subscription is not None else set())


def _made(stripe: AtStripe, what: MakeSubscription, contract: ContractV2, at: datetime) -> AtStripe:
    if stripe.subscription is not None:
        raise Refused("a second subscription")
    by = Collection("send_invoice", what.days)
    items = tuple(_item(new) for new in what.items)
    period = contract.period_of(max(at, what.anchor))
    made = HasSubscription(f"sub-{contract.customer}", items, period, by)
    told = replace(stripe.told, subscribed=True, items={new.key: _told(new) for new in what.items}, collection=by)
    return replace(stripe, subscription=made, told=told)


def _changed(stripe: AtStripe, what: object, operation: Operation) -> AtStripe:
    has, told = stripe.subscription, stripe.told
    if has is None or has.ended:
        raise Refused(f"{operation.key}: there is no subscription")
    match what:
        case ChangeItems():
            items, said = {item.item_id: item for item in has.items}, dict(told.items)
            for change in what.changes:
                _change(items, said, change)
            if not items:
                raise Refused("a subscription must have at least one item")
            if len({item.price for item in items.values()}) < len(items):
                raise Refused("a price may stand on a subscription once only")
            has, told = replace(has, items=tuple(items.values())), replace(told, items=said)
        case KeepDrafts():
            has, told = replace(has, keeps_drafts=what.keep), replace(told, keeps_drafts=what.keep)
        case Collect():
            has, told = replace(has, collection=what.by), replace(told, collection=what.by)
        case CancelAt():
            has, told = replace(has, cancel_at=what.at), replace(told, cancel_at=what.at)
        case _:
            raise Refused(f"{operation.key}: no such call")
    return replace(stripe, subscription=has, told=told)


def _change(items: dict[str, HasItem], said: dict[str, ToldItem], change: ItemChange) -> None:
    there = next((item for item in items.values() if item.key == change.key), None)
    if isinstance(change, GoneItem):
        said.pop(change.key, None)
        if there is not None:
            del items[there.item_id]
        return
    if isinstance(change, NewItem) == (there is not None):
        raise Refused(f"the item {change.key} is {there}")
    if isinstance(change, NewItem):
        items[f"si-{change.key}"], said[change.key] = _item(change), _told(change)
        return
    assert there is not None
    items[there.item_id] = replace(there, price=change.price.lookup_key, quantity=change.quantity)
    said[change.key] = ToldItem(change.price.lookup_key, change.quantity, change.since)


def _item(new: NewItem) -> HasItem:
    return HasItem(f"si-{new.key}", new.key, new.price.lookup_key, new.quantity)


def _told(new: NewItem) -> ToldItem:
    return ToldItem(new.price.lookup_key, new.quantity, new.since)


def moved(stripe: AtStripe, contract: ContractV2, at: datetime) -> AtStripe:
    """Stripe when time has come to an instant: its periods move on, and what ends has ended."""
    has = stripe.subscription
    if has is None:
        return stripe
    ended = has.ended or (has.cancel_at is not None and has.cancel_at <= at)
    period = contract.period_of(max(at, contract.billing_anchor))
    return replace(stripe, subscription=replace(has, ended=ended, period=period))
