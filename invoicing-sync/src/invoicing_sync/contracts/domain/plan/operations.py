"""
What there is to do at Stripe, one call each, and what a person has to look at.

An operation's key is stable: planned again, it is the same one, and its Idempotency-Key is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from invoicing_sync.contracts.domain.plan.at_stripe import Collection, CustomerFields
from invoicing_sync.contracts.domain.plan.prices import StripePrice

Proration = Literal["create_prorations", "none"]


@dataclass(frozen=True, slots=True)
class MakeCustomer:
    """A new customer; our id goes into its metadata."""

    fields: CustomerFields


@dataclass(frozen=True, slots=True)
class MarkCustomer:
    """Write our id, the name and the address onto a customer."""

    fields: CustomerFields


@dataclass(frozen=True, slots=True)
class MakeMeter:
    """A meter that sums, by its event name."""

    meter: str


@dataclass(frozen=True, slots=True)
class MakeProduct:
    """A product under our own id, for what a name stands for."""

    product: str
    name: str


@dataclass(frozen=True, slots=True)
class MakePrice:
    """A price under the lookup key of its content."""

    price: StripePrice


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that comes; `since`: the instant from which the contract has it so."""

    key: str
    price: StripePrice
    quantity: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class MakeSubscription:
    """
    A subscription in flexible mode that sends its invoices, monthly from the anchor.

    Attributes:
        begins: the start of the running period, where the anchor lies behind; Stripe backdates to it.
        trial_end: the end of the trial, which is the anchor; None without one.
        days: until a sent invoice is due.
    """

    items: tuple[NewItem, ...]
    anchor: datetime
    begins: datetime | None
    trial_end: datetime | None
    days: int


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """An item that gets another quantity or price."""

    key: str
    price: StripePrice
    quantity: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class GoneItem:
    """An item that goes; usage of a metered one is billed."""

    key: str


ItemChange = NewItem | ChangedItem | GoneItem


@dataclass(frozen=True, slots=True)
class ChangeItems:
    """All that changes among the items at one instant, in one call; `at` is its `proration_date`."""

    changes: tuple[ItemChange, ...]
    at: datetime
    proration: Proration


@dataclass(frozen=True, slots=True)
class KeepDrafts:
    """Whether the subscription's invoices wait as drafts."""

    keep: bool


@dataclass(frozen=True, slots=True)
class Collect:
    """How invoices are collected from now on."""

    by: Collection


@dataclass(frozen=True, slots=True)
class CancelAt:
    """The instant at which the subscription ends; None: it does not."""

    at: datetime | None


What = (
    MakeCustomer
    | MarkCustomer
    | MakeMeter
    | MakeProduct
    | MakePrice
    | MakeSubscription
    | ChangeItems
    | KeepDrafts
    | Collect
    | CancelAt
)


@dataclass(frozen=True, slots=True)
class Operation:
    """`needs` are the keys of what must be there before: its ids go into the call."""

    key: str
    sentence: str
    what: What
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Stripe has something else than it was told, and the contract did not change there; `code` is stable."""

    code: str
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order, and what a person has to settle first."""

    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...] = ()
