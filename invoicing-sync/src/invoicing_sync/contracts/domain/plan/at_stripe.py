"""
What Stripe has of one customer, and what it was told last, as plain values.

Both are needed: where Stripe differs from what it was told, a person has changed it there, and that is a finding;
where the contract differs from what was told, the contract has changed, and that is an operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from event_schemas.times import Period
from invoicing_sync.contracts.domain.plan.prices import StripePrice

Method = Literal["send_invoice", "charge_automatically"]
MADE_TO_SEND = 30  # days until an invoice is due, where the contract says nothing of it


@dataclass(frozen=True, slots=True)
class CustomerFields:
    """What Stripe's customer shows of a contract; without an address the one at Stripe stays."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Collection:
    """How invoices are collected; `days` until a sent one is due, None where they are charged."""

    method: Method
    days: int | None = None


@dataclass(frozen=True, slots=True)
class HasItem:
    """
    An item of the subscription.

    Attributes:
        key: the contract's item that it stands for; None where nobody of ours added it.
        price: lookup key of its price, or the price's id where it has none.
        quantity: None where usage is metered.
        discounts: ids of coupons, in any order; a contract's discounts are never at Stripe, so a person gave them.
    """

    item_id: str
    key: str | None
    price: str
    quantity: int | None
    discounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HasSubscription:
    """The subscription as it is now; `period` is the running one of a month."""

    subscription_id: str
    items: tuple[HasItem, ...]
    period: Period
    collection: Collection
    discounts: frozenset[str] = frozenset()
    keeps_drafts: bool = False
    cancel_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ToldItem:
    """What was said of an item last, and the newest instant of the contract's timeline that this carried."""

    price: str
    quantity: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """
    What Stripe was told last; None: nothing yet.

    Attributes:
        billed_from: licensed items are paid ahead at Stripe in terms that begin then or later; None: in all.
    """

    customer: CustomerFields | None = None
    subscribed: bool = False
    items: Mapping[str, ToldItem] = field(default_factory=dict)
    collection: Collection | None = None
    keeps_drafts: bool | None = None
    cancel_at: datetime | None = None
    billed_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class AtStripe:
    """
    One customer at Stripe, and the objects that all customers share.

    `prices` maps the lookup keys that are taken to the content found under them, None where it was not read.
    """

    customer: CustomerFields | None = None
    subscription: HasSubscription | None = None
    meters: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    prices: Mapping[str, StripePrice | None] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
