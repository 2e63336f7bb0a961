"""A first contract: from the terms of a sign-up or of a quoted deal, the same way for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts_service.agreements.domain.commands import Command, CommitmentTerms, DealTerms, Terms
from contracts_service.agreements.domain.discounts import coupon_discounts
from contracts_service.agreements.domain.draft import Use, checked, no
from contracts_service.catalog.domain.models import Catalog, Plan
from contracts_service.catalog.domain.resolving import (
    Resolved,
    Wanted,
    add_on_on_offer,
    fresh_key,
    plan_on_offer,
    policy_entry,
    resolve_add_on,
    resolve_plan,
    used,
)
from event_schemas.contract_v2 import ContractV2, Flaw
from event_schemas.contract_v2.clauses import Commitment
from event_schemas.contract_v2.items import Item
from event_schemas.contract_v2.parts import UnitsFrom
from event_schemas.contract_v2.prices import Price
from event_schemas.times import month_after
from event_schemas.values import Currency

FIRST = 1  # a contract begins with this revision


@dataclass(frozen=True, slots=True)
class Quoted:
    """What was quoted: the terms, for whom, until when, and the catalogue as it was."""

    quote: str
    customer: str
    deal: str
    valid_until: datetime
    terms: DealTerms
    catalog: Catalog


def first_contract(
    customer: str, command: Command, terms: Terms, catalog: Catalog, *, at: datetime, now: datetime, deal: str | None
) -> tuple[ContractV2, frozenset[Use]]:
    """
    The contract that these terms make, with the catalogue's entries that it takes by value.

    Raises:
        No: the terms contradict each other, or it would begin in a period that has ended.
        NotOffered: the catalogue does not sell something, or not so.
    """
    if month_after(at, 1) <= now:
        raise no("period_closed", "at", "its first period would have ended already; begin within the last month")
    plan = _known(catalog, terms)
    anchor = at + _trial_length(catalog, terms, plan)
    resolved = _resolved(catalog, terms, plan, at)
    items = _at_prices(resolved.items, terms.prices if isinstance(terms, DealTerms) else {}, deal)
    policy = policy_entry(catalog, plan.policy, at=at, revision=FIRST)
    uses = set(resolved.uses) | {("policies", plan.policy, catalog.policies[plan.policy].version)}
    discounts: tuple[Any, ...] = ()
    if terms.coupon is not None:
        discounts, use = coupon_discounts(
            catalog, terms.coupon, items, currency=terms.currency, start=at, revision=FIRST, now=now, taken=set()
        )
        uses.add(use)
    commitments = terms.commitments if isinstance(terms, DealTerms) else ()
    taken: set[str] = set()
    contract = checked(
        {
            "schema_version": 2,
            "customer": customer,
            "channel": "self_serve" if command.channel == "self_serve" else "sales_led",
            "currency": terms.currency,
            "billing_anchor": anchor,
            "revision": FIRST,
            "history": [_history(command, at, now)],
            "billing": [_billing(terms, at)],
            "policies": [policy],
            "items": items,
            "discounts": discounts,
            "allowances": resolved.allowances,
            "commitments": [
                commitment_clause(one, terms.currency, FIRST, f"deals/{deal}", taken) for one in commitments
            ],
            "free_meters": [{"meter": meter, "agreed_in": FIRST} for meter in plan.free_meters],
            "trial": _trial(catalog, terms, plan, at, anchor),
            "proration": terms.proration,
        }
    )
    return contract, frozenset(uses) | used(items)


def _known(catalog: Catalog, terms: Terms) -> Plan:
    if terms.issuer not in catalog.issuers:
        known = ", ".join(sorted(catalog.issuers)) or "none"
        raise no("unknown_issuer", "terms.issuer", f"there is no issuer {terms.issuer}; there are: {known}")
    if terms.currency not in catalog.currencies:
        sold = ", ".join(catalog.currencies) or "no currency"
        raise no("unknown_currency", "terms.currency", f"nothing is sold in {terms.currency}, only in {sold}")
    plan = plan_on_offer(catalog, terms.plan, terms.currency)
    enough_seats(plan, terms.seats, "terms.seats")
    return plan


def enough_seats(plan: Plan, seats: int, field: str) -> None:
    """Raise No where a plan asks for more seats."""
    if seats < plan.least_seats:
        least = f"{plan.least_seats} seat{'s' if plan.least_seats > 1 else ''}"
        raise no("too_few_seats", field, f"the plan takes at least {least}, and {seats} are asked for")


def _trial_length(catalog: Catalog, terms: Terms, plan: Plan) -> timedelta:
    if not terms.trial:
        return timedelta(0)
    if plan.trial is None:
        raise no("no_trial", "terms.trial", f"the plan {terms.plan} has no trial")
    return timedelta(days=catalog.trials[plan.trial].days)


def _trial(catalog: Catalog, terms: Terms, plan: Plan, at: datetime, anchor: datetime) -> dict[str, Any] | None:
    if not terms.trial or plan.trial is None:
        return None
    allowances = [
        {"key": f"trial-{meter}"[:50], "meter": meter, "quantity": units}
        for meter, units in catalog.trials[plan.trial].allowances.items()
    ]
    return {"from": at, "until": anchor, "allowances": allowances}


def _resolved(catalog: Catalog, terms: Terms, plan: Plan, at: datetime) -> Resolved:
    """The plan's clauses, and those of each add-on beside it."""
    all_of = resolve_plan(catalog, terms.plan, plan, Wanted(terms.currency, at, FIRST), seats=terms.seats)
    for wanted in terms.add_ons:
        add_on = add_on_on_offer(catalog, wanted.add_on, terms.currency, terms.plan)
        if any(item.product == wanted.add_on for item in all_of.items):
            raise no("already_has", "terms.add_ons", f"{wanted.add_on} is named twice; say how many with quantity")
        taken = frozenset(one.key for one in (*all_of.items, *all_of.allowances))
        more = resolve_add_on(
            catalog, wanted.add_on, add_on, Wanted(terms.currency, at, FIRST, taken), quantity=wanted.quantity
        )
        all_of = Resolved(all_of.items + more.items, all_of.allowances + more.allowances, all_of.uses + more.uses)
    return all_of


def _at_prices(items: tuple[Item, ...], prices: Mapping[str, Price], deal: str | None) -> tuple[Item, ...]:
    """The items, those of the named products at the deal's prices."""
    for product in prices:
        if product not in {item.product for item in items}:
            sold = ", ".join(sorted({item.product for item in items}))
            raise no("unknown_product", f"terms.prices.{product}", f"the deal does not sell {product}, only {sold}")
    return tuple(
        item.model_copy(update={"price": prices[item.product], "price_version": f"deals/{deal}"})
        if item.product in prices
        else item
        for item in items
    )


def commitment_clause(
    terms: CommitmentTerms, currency: Currency, revision: int, price_version: str, taken: set[str]
) -> Commitment:
    """A commitment from its first step on."""
    return Commitment(
        key=fresh_key(f"{terms.meter}-commitment", taken),
        start=terms.ramp[0].at,
        until=terms.until,
        agreed_in=revision,
        meter=terms.meter,
        unit_price=terms.unit_price,
        currency=terms.currency if terms.currency is not None else currency,
        bill=terms.bill,
        ramp=tuple(UnitsFrom(at=step.at, quantity=step.quantity, agreed_in=revision) for step in terms.ramp),
        price_version=price_version,
    )


def _history(command: Command, at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "revision": FIRST,
        "agreed_at": now,
        "effective_at": at,
        "actor": command.actor,
        "reason": command.reason,
        "channel": command.channel,
    }


def _billing(terms: Terms, at: datetime) -> dict[str, Any]:
    names = ("name", "issuer", "collection_method", "payment_terms_days", "billing_email", "purchase_order")
    said = {name: getattr(terms, name) for name in (*names, "tax_address", "tax_ids", "exemption", "corrections")}
    return {"at": at, "agreed_in": FIRST, **said}


def still_valid(quoted: Quoted, customer: str, now: datetime) -> Flaw | None:
    """Why a quote cannot be signed; None where it can."""
    if quoted.customer != customer:
        return Flaw("quote_of_another", "quote", f"the quote {quoted.quote} was made for another customer")
    if quoted.valid_until <= now:
        return Flaw("quote_expired", "quote", f"the quote {quoted.quote} has expired; make a new one")
    return None
