"""What Stripe has been told once an operation is done, and how that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from event_schemas.contract_v2 import ContractV2
from event_schemas.times import iso, parse_instant
from invoicing_sync.contracts.domain.plan.at_stripe import Collection, CustomerFields, Told, ToldItem
from invoicing_sync.contracts.domain.plan.operations import (
    CancelAt,
    ChangeItems,
    Collect,
    GoneItem,
    KeepDrafts,
    MakeCustomer,
    MakeSubscription,
    MarkCustomer,
    NewItem,
    What,
)
from invoicing_sync.contracts.domain.plan.wanted import wanted_items


def told_after(told: Told, what: What, contract: ContractV2) -> Told:
    """What was told, with an operation that Stripe has carried out. One of an object that all share changes nothing."""
    match what:
        case MakeCustomer() | MarkCustomer():
            return replace(told, customer=what.fields)
        case MakeSubscription():
            return replace(
                told,
                subscribed=True,
                items={new.key: _new(new) for new in what.items},
                collection=Collection("send_invoice", what.days),
                billed_from=what.anchor if what.begins is None else contract.period_of(what.begins).end,
            )
        case ChangeItems():
            return replace(told, items=_changed(told.items, what))
        case KeepDrafts():
            return replace(told, keeps_drafts=what.keep)
        case Collect():
            return replace(told, collection=what.by)
        case CancelAt():
            return replace(told, cancel_at=what.at)
        case _:
            return told


def _changed(items: Mapping[str, ToldItem], what: ChangeItems) -> dict[str, ToldItem]:
    after = dict(items)
    for change in what.changes:
        if isinstance(change, GoneItem):
            after.pop(change.key, None)
        elif isinstance(change, NewItem):
            after[change.key] = _new(change)
        else:
            after[change.key] = ToldItem(change.price.lookup_key, change.quantity, change.since)
    return after


def _new(new: NewItem) -> ToldItem:
    return ToldItem(new.price.lookup_key, new.quantity, new.since)


def adopted(told: Told, contract: ContractV2) -> Told:
    """
    What an earlier contract told, in the keys of this one: an item that is sold at the same price goes on.

    Version 1 has no keys of its own for items, so its successor names them as it likes.
    """
    wanted = {item.key: item for item in wanted_items(contract)}
    left = {item.price.lookup_key: item.key for item in wanted.values() if item.key not in told.items}
    items = {key if key in wanted else left.pop(said.price, key): said for key, said in told.items.items()}
    return replace(told, items=items)


def to_row(told: Told) -> dict[str, Any]:
    """As it is stored."""
    return {
        "customer": None if told.customer is None else {"name": told.customer.name, "email": told.customer.email},
        "subscribed": told.subscribed,
        "items": {
            key: {"price": said.price, "quantity": said.quantity, "since": iso(said.since)}
            for key, said in told.items.items()
        },
        "collection": None
        if told.collection is None
        else {"method": told.collection.method, "days": told.collection.days},
        "keeps_drafts": told.keeps_drafts,
        "cancel_at": _text(told.cancel_at),
        "billed_from": _text(told.billed_from),
    }


def from_row(row: Mapping[str, Any]) -> Told:
    """As it was stored."""
    fields, by = row["customer"], row["collection"]
    return Told(
        customer=None if fields is None else CustomerFields(fields["name"], fields["email"]),
        subscribed=row["subscribed"],
        items={
            key: ToldItem(said["price"], said["quantity"], parse_instant(said["since"]))
            for key, said in row["items"].items()
        },
        collection=None if by is None else Collection(by["method"], by["days"]),
        keeps_drafts=row["keeps_drafts"],
        cancel_at=_instant(row["cancel_at"]),
        billed_from=_instant(row["billed_from"]),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
