"""What the contract wants Stripe to have, item by item, and how each came to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from event_schemas.contract_v2 import ContractV2, billing_at
from event_schemas.contract_v2.items import Item, LicensedItem, MeteredItem
from event_schemas.contract_v2.prices import Included
from event_schemas.times import Period
from invoicing_sync.contracts.domain.plan.at_stripe import MADE_TO_SEND, Collection, CustomerFields, Told, ToldItem
from invoicing_sync.contracts.domain.plan.prices import ZERO, StripePrice, StripeTier, shape_of
from invoicing_sync.contracts.domain.plan.ways import first_tier, item_reason, quantities
from pricing.agreed import terms_of
from pricing.periods import number_of, term_of
from pricing.terms import Licensed

AT_ZERO = Included(scheme="included")
AT_ZERO_TIERS = (StripeTier(None, ZERO),)


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on the item has this quantity (a metered one 1), or is gone (None); agreed in a revision."""

    at: datetime
    quantity: int | None
    revision: int


@dataclass(frozen=True, slots=True)
class WantedItem:
    """An item of the contract with its price at Stripe and every change of it, in order of time."""

    key: str
    price: StripePrice
    steps: tuple[Step, ...]

    def at(self, instant: datetime) -> Step | None:
        """The step that holds at an instant; None where the item does not live then."""
        held = next((step for step in reversed(self.steps) if step.at <= instant), None)
        return None if held is None or held.quantity is None else held

    def said(self, quantity: int) -> int | None:
        """The quantity as Stripe has it: none for usage."""
        return None if self.is_metered else quantity

    @property
    def is_metered(self) -> bool:
        """Whether its usage is billed, and not its quantity."""
        return self.price.kind == "usage"


def wanted_items(contract: ContractV2) -> tuple[WantedItem, ...]:
    """All items that were not taken back, in the order in which they were agreed."""
    found: list[WantedItem] = []
    twins: Counter[StripePrice] = Counter()
    places: Counter[str] = Counter()  # of a meter's items: those at price 0 are told apart by it
    for item in sorted(contract.items, key=lambda item: (item.agreed_in, item.key)):
        price = stripe_price(contract, item)
        twin = twins[price] if price.kind == "advance" else 0
        twins[price] += 1  # also by what was taken back: those behind it keep their prices
        if isinstance(item, MeteredItem):
            twin = places[item.meter] if price.tiers == AT_ZERO_TIERS else 0
            places[item.meter] += 1
        if item.withdrawn_in is None:
            found.append(WantedItem(item.key, replace(price, twin=twin), _steps(item)))
    return tuple(found)


def stripe_price(contract: ContractV2, item: Item) -> StripePrice:
    """An item's price at Stripe: its own, with its allowance as a first tier, or 0 where amounts are explicit."""
    mode, tiers, pack = shape_of(item.price) if item_reason(contract, item) is None else shape_of(AT_ZERO)
    if free := first_tier(contract, item):
        mode, tiers = "graduated", (StripeTier(free, ZERO), *tiers)
    if isinstance(item, LicensedItem):
        return StripePrice("advance", item.product, item.currency, mode, tiers, item.rhythm, pack)
    return StripePrice("usage", item.meter, item.currency, mode, tiers, pack=pack)


def _steps(item: Item) -> tuple[Step, ...]:
    if isinstance(item, LicensedItem):
        steps = tuple(Step(at, quantity, revision) for at, quantity, revision in quantities(item))
    else:
        steps = (Step(item.start, 1, item.agreed_in),)
    if item.until is None:
        return steps
    return *steps, Step(item.until, None, item.until_agreed_in or item.agreed_in)


def customer_fields(contract: ContractV2, at: datetime) -> CustomerFields:
    """What the customer shows."""
    billing = billing_at(contract, at)
    return CustomerFields(billing.name, billing.billing_email)


def collection(contract: ContractV2, at: datetime) -> Collection:
    """How invoices are collected."""
    billing = billing_at(contract, at)
    if billing.collection_method == "charge_automatically":
        return Collection("charge_automatically")
    days = billing.payment_terms_days
    return Collection("send_invoice", MADE_TO_SEND if days is None else days)


def is_new_year(contract: ContractV2, told: Told, day: datetime) -> bool:
    """Whether a year begins at Stripe on a billing day; a backdated start has its years from the month after on."""
    begun = contract.billing_anchor if told.billed_from is None else told.billed_from
    return (number_of(contract.billing_anchor, day) - number_of(contract.billing_anchor, begun)) % 12 == 0


class TermsOfItems:
    """The terms that licensed items are paid for, as the engine counts them."""

    def __init__(self, contract: ContractV2) -> None:
        self._terms = terms_of(contract)
        self._licensed: dict[str, Licensed] = {item.key: item for item in self._terms.licensed}

    def of(self, key: str, instant: datetime) -> Period:
        """The term of a licensed item that holds an instant."""
        return term_of(self._terms, self._licensed[key], instant)


def told_by(contract: ContractV2, at: datetime) -> Told:
    """What Stripe was told by whoever carried out the whole contract at an instant."""
    items = {}
    for item in wanted_items(contract):
        step = item.at(at)
        if step is not None and step.quantity:
            items[item.key] = ToldItem(item.price.lookup_key, item.said(step.quantity), step.at)
    return Told(
        customer=customer_fields(contract, at),
        subscribed=True,
        items=items,
        collection=collection(contract, at),
        keeps_drafts=True,
    )
