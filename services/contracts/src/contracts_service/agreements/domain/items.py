"""Plan, seats and add-ons: items that end, items that begin, seats that change."""

from __future__ import annotations

from collections.abc import Sequence

from contracts_service.agreements.domain.commands import AddAddOn, ChangePlan, ChangeSeats, RemoveAddOn
from contracts_service.agreements.domain.draft import Draft, goes_on, must_be_last_word, no, nothing_begins_later
from contracts_service.agreements.domain.signing import enough_seats
from contracts_service.catalog.domain.models import Catalog, price_version
from contracts_service.catalog.domain.resolving import (
    Resolved,
    Wanted,
    add_on_on_offer,
    plan_on_offer,
    policy_entry,
    resolve_add_on,
    resolve_plan,
)
from event_schemas.contract_v2 import ContractV2, PolicyEntry, items_at, plan_at, quantity_at
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.items import Item, LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import SeatsFrom, living


def change_plan(draft: Draft, command: ChangePlan, catalog: Catalog) -> None:
    """The items of the old plan end, those of the new one begin. Raises No or NotOffered."""
    contract, at = draft.before, draft.at
    old = [item for item in items_at(contract, at) if item.plan is not None]
    nothing_begins_later([item for item in contract.items if item.plan is not None], at)
    if not old:
        sentence = f"the contract has ended before {say(at)}; what comes after it is another contract"
        raise no("contract_ended", "at", sentence)
    plan = plan_on_offer(catalog, command.plan, contract.currency)
    if any(item.price_version == price_version("plans", command.plan, plan.version) for item in old):
        sentence = f"the customer is on the plan {command.plan} then, in the version that is on offer"
        raise no("no_change", "plan", sentence)
    for item in items_at(contract, at):
        add_on = catalog.add_ons.get(item.product)
        if add_on is not None and add_on.plans is not None and command.plan not in add_on.plans:
            sentence = f"the add-on {item.product} does not go with the plan {command.plan}; remove it first"
            raise no("add_on_not_for_plan", "plan", sentence)
    seats = command.seats
    if seats is None:
        seats = sum(quantity_at(contract, item.key, at) for item in old)
    enough_seats(plan, seats, "seats")
    end_items(draft, old)
    wanted = Wanted(contract.currency, at, draft.revision, frozenset(draft.keys("items") | draft.keys("allowances")))
    _begin(draft, resolve_plan(catalog, command.plan, plan, wanted, seats=seats))
    if not command.keep_policy:
        take_policy(draft, policy_entry(catalog, plan.policy, at=at, revision=draft.revision), plan.policy, catalog)


def _begin(draft: Draft, resolved: Resolved) -> None:
    draft.add("items", resolved.items)
    draft.add("allowances", resolved.allowances)
    draft.uses |= set(resolved.uses)


def end_items(draft: Draft, items: Sequence[Item]) -> None:
    """
    Items end, and with the price of a meter what came with it; an allowance that was given beside goes on.

    Raises:
        No: more is agreed about one of them.
    """
    for item in items:
        must_be_last_word(item, draft.at, timeline=item.quantities if isinstance(item, LicensedItem) else ())
        draft.end("items", item)
    came = {(item.meter, item.agreed_in) for item in items if isinstance(item, MeteredItem)}
    for allowance in draft.before.allowances:
        if (allowance.meter, allowance.agreed_in) in came and allowance.holds_at(draft.at):
            draft.end("allowances", allowance)


def take_policy(draft: Draft, entry: PolicyEntry, key: str, catalog: Catalog) -> None:
    """A policy of the catalogue from the entry's instant on; one that is agreed for later still comes then."""
    draft.enter("policies", entry)
    draft.uses.add(("policies", key, catalog.policies[key].version))


def change_seats(draft: Draft, command: ChangeSeats, catalog: Catalog) -> None:
    """Another quantity of the plan's seats, or of a product, from the draft's instant on. Raises No."""
    contract, at = draft.before, draft.at
    item = _licensed(contract, command.product, draft)
    if command.product is None and (plan := catalog.plans.get(plan_at(contract, at) or "")) is not None:
        enough_seats(plan, command.quantity, "quantity")
    if quantity_at(contract, item.key, at) == command.quantity:
        raise no("no_change", "quantity", f"there are {command.quantity} of {item.product} at {say(at)} already")
    entry = SeatsFrom(at=at, quantity=command.quantity, agreed_in=draft.revision)
    quantities = sorted([*item.quantities, entry], key=lambda one: (one.at, one.agreed_in))
    draft.replace("items", item, item.model_copy(update={"quantities": tuple(quantities)}))


def _licensed(contract: ContractV2, product: str | None, draft: Draft) -> LicensedItem:
    for item in items_at(contract, draft.at):
        wanted = item.plan is not None if product is None else item.product == product
        if isinstance(item, LicensedItem) and wanted:
            return item
    what = "no seats of a plan" if product is None else f"nothing of {product}"
    raise no("unknown_item", "product", f"the customer has {what} at {say(draft.at)}")


def add_add_on(draft: Draft, command: AddAddOn, catalog: Catalog) -> None:
    """The items of an add-on begin. Raises No or NotOffered."""
    contract, at = draft.before, draft.at
    goes_on(contract, at)
    plan = plan_at(contract, at)
    add_on = add_on_on_offer(catalog, command.add_on, contract.currency, plan)
    had = [item for item in living(contract.items) if item.product == command.add_on]
    nothing_begins_later(had, at)
    if any(item.holds_at(at) for item in had):
        sentence = f"the customer has {command.add_on} at {say(at)}; change_seats says how many of it"
        raise no("already_has", "add_on", sentence)
    for item in living(contract.items):
        if add_on.plans is not None and item.start > at and item.plan not in (None, *add_on.plans):
            sentence = (
                f"from {say(item.start)} on the customer is on {item.plan}, with which {command.add_on} does not go"
            )
            raise no("add_on_not_for_plan", "add_on", sentence)
    wanted = Wanted(contract.currency, at, draft.revision, frozenset(draft.keys("items") | draft.keys("allowances")))
    _begin(draft, resolve_add_on(catalog, command.add_on, add_on, wanted, quantity=command.quantity))


def remove_add_on(draft: Draft, command: RemoveAddOn) -> None:
    """The items of an add-on end. Raises No."""
    items = [item for item in items_at(draft.before, draft.at) if item.product == command.add_on and item.plan is None]
    if not items:
        raise no("unknown_item", "add_on", f"the customer does not have {command.add_on} at {say(draft.at)}")
    end_items(draft, items)
