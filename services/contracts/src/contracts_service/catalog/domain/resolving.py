"""What is offered as clauses of a contract, by value: no reader of a contract ever asks the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts_service.catalog.domain.models import SECTIONS, AddOn, Catalog, MeterPrice, Plan, Sold, price_version
from event_schemas.contract_v2 import Flaw, PolicyEntry
from event_schemas.contract_v2.clauses import Allowance
from event_schemas.contract_v2.items import Item, LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import SeatsFrom
from event_schemas.values import Currency

LONGEST_KEY = 50


class NotOffered(Exception):
    """The catalogue does not sell this, or not so; `flaw` says it."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.sentence)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Wanted:
    """In which currency, from when, as part of which revision; `taken` are keys that the contract has used."""

    currency: Currency
    start: datetime
    revision: int
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Resolved:
    """Clauses to add. `uses` names the catalogue's entries that they came from: (section, key, version)."""

    items: tuple[Item, ...]
    allowances: tuple[Allowance, ...]
    uses: tuple[tuple[str, str, int], ...]


def plan_on_offer(catalog: Catalog, key: str, currency: Currency) -> Plan:
    """A plan that a customer can take now. Raises NotOffered."""
    plan = catalog.plans.get(key)
    if plan is None:
        known = ", ".join(sorted(name for name, one in catalog.plans.items() if one.new_customers))
        raise NotOffered(Flaw("unknown_plan", "plan", f"there is no plan {key}; on offer are: {known or 'none'}"))
    _may_be_sold(plan, "plan", f"the plan {key}", currency)
    return plan


def add_on_on_offer(catalog: Catalog, key: str, currency: Currency, plan: str | None) -> AddOn:
    """An add-on that a customer on this plan can take now. Raises NotOffered."""
    add_on = catalog.add_ons.get(key)
    if add_on is None:
        known = ", ".join(sorted(catalog.add_ons)) or "none"
        raise NotOffered(Flaw("unknown_add_on", "add_on", f"there is no add-on {key}; there are: {known}"))
    _may_be_sold(add_on, "add_on", f"the add-on {key}", currency)
    if add_on.plans is not None and plan not in add_on.plans:
        sentence = f"the add-on {key} goes with the plans {', '.join(add_on.plans)}, and the customer is on {plan}"
        raise NotOffered(Flaw("add_on_not_for_plan", "add_on", sentence))
    return add_on


def _may_be_sold(sold: Sold, field: str, name: str, currency: Currency) -> None:
    if not sold.new_customers:
        raise NotOffered(Flaw("not_for_new_customers", field, f"{name} takes no new customers; who has it keeps it"))
    if currency not in sold.sold_in:
        currencies = ", ".join(sold.sold_in)
        raise NotOffered(Flaw("not_sold_in_currency", field, f"{name} is sold in {currencies}, and not in {currency}"))


def resolve_plan(catalog: Catalog, key: str, plan: Plan, wanted: Wanted, *, seats: int) -> Resolved:
    """The clauses of a plan: its seats, and every price that comes with it."""
    return _resolve(catalog, plan, ("plans", key), wanted, product=plan.product, plan=key, quantity=seats)


def resolve_add_on(catalog: Catalog, key: str, add_on: AddOn, wanted: Wanted, *, quantity: int) -> Resolved:
    """The clauses of an add-on."""
    return _resolve(catalog, add_on, ("add_ons", key), wanted, product=key, plan=None, quantity=quantity)


def policy_entry(catalog: Catalog, key: str, *, at: datetime, revision: int) -> PolicyEntry:
    """A policy of the catalogue as an entry of the timeline. Raises NotOffered."""
    policy = catalog.policies.get(key)
    if policy is None:
        known = ", ".join(sorted(catalog.policies)) or "none"
        raise NotOffered(Flaw("unknown_policy", "policy", f"there is no policy {key}; there are: {known}"))
    return PolicyEntry(at=at, agreed_in=revision, policy=policy.outcome_policy(key), charges=policy.charges)


def _resolve(
    catalog: Catalog,
    sold: Sold,
    entry: tuple[str, str],
    wanted: Wanted,
    *,
    product: str,
    plan: str | None,
    quantity: int,
) -> Resolved:
    taken = set(wanted.taken)
    items: list[Item] = []
    uses = [(*entry, sold.version)]
    if sold.prices:
        items.append(
            LicensedItem(
                kind="licensed",
                key=fresh_key(product, taken),
                product=product,
                plan=plan,
                start=wanted.start,
                agreed_in=wanted.revision,
                currency=wanted.currency,
                price=sold.prices[wanted.currency],
                price_version=price_version(*entry, sold.version),
                tax_code=sold.tax_code,
                rhythm=sold.rhythm,
                quantities=(SeatsFrom(at=wanted.start, agreed_in=wanted.revision, quantity=quantity),),
            )
        )
    for section, key, priced in metered_prices(catalog, sold):
        uses.append((section, key, priced.version))
        of = product if isinstance(sold, AddOn) else key  # what comes with an add-on ends with it, so it bears its name
        items.append(_metered((section, key), priced, wanted, product=of, plan=plan, taken=taken))
    allowances = tuple(
        Allowance(
            key=fresh_key(f"{product}-{meter}", taken),
            start=wanted.start,
            agreed_in=wanted.revision,
            meter=meter,
            quantity=units,
        )
        for meter, units in sold.allowances.items()
    )
    return Resolved(tuple(items), allowances, tuple(uses))


def metered_prices(catalog: Catalog, sold: Sold) -> list[tuple[str, str, MeterPrice]]:
    """(section, key, price) of every metered price that comes with a plan or an add-on."""
    outcomes = sold.outcomes if isinstance(sold, Plan) else ()
    named = [("outcome_prices", key) for key in outcomes] + [("usage_prices", key) for key in sold.usage]
    return [(section, key, getattr(catalog, section)[key]) for section, key in named]


def _metered(
    entry: tuple[str, str], priced: MeterPrice, wanted: Wanted, *, product: str, plan: str | None, taken: set[str]
) -> MeteredItem:
    return MeteredItem(
        kind="metered",
        key=fresh_key(entry[1], taken),
        product=product,
        plan=plan,
        start=wanted.start,
        agreed_in=wanted.revision,
        currency=wanted.currency,
        price=priced.prices[wanted.currency],
        price_version=price_version(*entry, priced.version),
        tax_code=priced.tax_code,
        meter=priced.meter,
    )


def fresh_key(base: str, taken: set[str]) -> str:
    """The name itself, or the first of `name-2`, `name-3` … that was never used; it is taken from now on."""
    key, number = base[:LONGEST_KEY], 1
    while key in taken:
        number += 1
        key = f"{base[: LONGEST_KEY - len(str(number)) - 1]}-{number}"
    taken.add(key)
    return key


def used(items: Iterable[Item]) -> frozenset[tuple[str, str, int]]:
    """The catalogue's entries that items came from, by their `price_version`; what came from elsewhere is left out."""
    named = (item.price_version.split("/") for item in items)
    return frozenset((parts[0], parts[1], int(parts[2])) for parts in named if len(parts) == 3 and parts[0] in SECTIONS)
