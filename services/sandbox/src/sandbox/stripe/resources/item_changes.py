"""Items that come, change and go within a period: read whole first, then carried out with their prorations."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sandbox.stripe.errors import absent, invalid, missing, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.catalogue import without_tiers
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.periods import item_period, last_end, take_shortest
from sandbox.stripe.resources.prorations import bill_usage, charge_rest, give_back
from sandbox.stripe.state import Body, State

MOST_ITEMS = 20
BEHAVIOURS = ("create_prorations", "none", "always_invoice")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of `items`: `item` is None for a new one, `price` None for one that goes."""

    item: Body | None
    price: Body | None
    quantity: int | None  # None: metered
    given: Params
    discounts: list[str] = field(default_factory=list)  # of a new item


@dataclass(frozen=True, slots=True)
class Timing:
    """How changes are prorated, and from which instant."""

    behaviour: str
    at: int


def read_timing(state: State, params: Params, body: Body) -> Timing:
    """`proration_behavior` and `proration_date`, which lies in a running period."""
    behaviour = p.one_of(params, "proration_behavior", BEHAVIOURS, "create_prorations")
    at = p.whole(params, "proration_date", state.now)
    begun = min(item["current_period_start"] for item in body["items"]["data"])
    if not begun <= at <= last_end(body):
        raise invalid("proration_date", "`proration_date` must lie within the current period.")
    if p.optional(params, "payment_behavior") in ("error_if_incomplete", "pending_if_incomplete"):
        raise unsupported("payment_behavior")
    return Timing(behaviour, at)


def read_new(state: State, items: Any) -> list[Change]:
    """The items of a subscription that begins."""
    if not isinstance(items, list) or not items:
        raise missing("items")
    return _sound([], [_read_new(state, item, f"items[{place}]") for place, item in enumerate(items)])


def read_changes(state: State, body: Body, items: Any) -> list[Change]:
    """Entries of `items` by which a subscription changes."""
    if not isinstance(items, list):
        raise invalid("items", "Invalid array")
    kept = {item["id"]: item for item in body["items"]["data"]}
    changes = []
    for place, given in enumerate(items):
        where = f"items[{place}]"
        if "id" not in given:
            changes.append(_read_new(state, given, where))
            continue
        item = kept.pop(given["id"], None)
        if item is None:
            raise absent("subscription item", given["id"], param=f"{where}[id]")
        changes.append(_read_change(state, item, given, where))
    changes = _sound(list(kept.values()), changes)
    prices = [item["price"] for item in kept.values()] + [c.price for c in changes if c.price is not None]
    if any(price["currency"] != body["currency"] for price in prices):
        raise refused("You cannot combine currencies on a single subscription.", param="items")
    rhythms = {(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}
    now = {tuple(body["_interval"])}
    if body["billing_mode"]["type"] == "classic" and rhythms != now:
        raise unsupported("items of another interval in classic mode")
    return changes


def _sound(kept: list[Body], changes: list[Change]) -> list[Change]:
    prices = [item["price"]["id"] for item in kept] + [c.price["id"] for c in changes if c.price is not None]
    if not prices:
        raise refused("A subscription must have at least one active item.", param="items")
    if len(prices) > MOST_ITEMS:
        raise refused(f"A subscription takes at most {MOST_ITEMS} items.", param="items")
    if len(set(prices)) != len(prices):
        raise refused("A price may stand on a subscription once only.", param="items")
    return changes


def _read_new(state: State, given: Params, where: str) -> Change:
    _only(given, where, "price", "quantity", "metadata", "discounts")
    p.metadata(given)  # refused here if at all: later some of the changes are done
    price = _price(state, given, where)
    return Change(None, price, _quantity(price, given, 1, where), given)


def _read_change(state: State, item: Body, given: Params, where: str) -> Change:
    _only(given, where, "id", "price", "quantity", "metadata", "discounts", "deleted", "clear_usage")
    p.metadata(given)
    if p.boolean(given, "deleted", False):
        return Change(item, None, None, given)
    price = _price(state, given, where) if "price" in given else state.objects["price"][item["price"]["id"]]
    return Change(item, price, _quantity(price, given, item.get("quantity", 1), where), given)


def _only(given: Params, where: str, *allowed: str) -> None:
    for name in given:
        if name not in allowed:
            raise unsupported(f"{where}[{name}]")


def _price(state: State, given: Params, where: str) -> Body:
    price = state.objects["price"].get(given.get("price", ""))
    if price is None:
        raise absent("price", str(given.get("price")), param=f"{where}[price]")
    if price["recurring"] is None or not price["active"]:
        raise refused("The price specified is inactive or not recurring.", param=f"{where}[price]")
    return price


def _quantity(price: Body, given: Params, known: int, where: str) -> int | None:
    if price["recurring"]["usage_type"] == "metered":
        if "quantity" in given:
            raise refused("You cannot set the quantity for metered plans.", param=f"{where}[quantity]")
        return None
    quantity = p.whole(given, "quantity", known)
    if not 0 <= quantity < 10**12:
        raise invalid(f"{where}[quantity]", "This value must be greater than or equal to 0.")
    return quantity


def add_item(state: State, body: Body, change: Change) -> Body:
    """Put a new item on a subscription, with the period that runs."""
    assert change.price is not None
    item: Body = {
        "id": state.new_id("subscription_item"),
        "object": "subscription_item",
        "billed_until": 0,
        "billing_thresholds": None,
        "created": state.now,
        "current_period_end": 0,
        "current_period_start": 0,
        "current_trial": None,
        "discounts": change.discounts,
        "metadata": p.metadata(change.given),
        "price": {},
        "subscription": body["id"],
        "tax_rates": [],
    }
    _take_price(item, body, change, state.now)
    item["billed_until"] = item["current_period_start"]
    body["items"]["data"].append(item)
    return item


def _take_price(item: Body, body: Body, change: Change, at: int) -> None:
    assert change.price is not None
    item["price"] = without_tiers(change.price)
    item["current_period_start"], item["current_period_end"] = item_period(body, change.price, at)
    if change.quantity is None:
        item.pop("quantity", None)
    else:
        item["quantity"] = change.quantity


def carry_out(state: State, body: Body, changes: list[Change], timing: Timing) -> None:
    """Change the items. Licensed ones are prorated to the second, metered ones that go are billed what they used."""
    prorates = timing.behaviour != "none" and body["status"] != "trialing"
    for change in changes:
        if change.item is None:
            item = add_item(state, body, change)
            _begin(state, body, item, timing, prorates=prorates)
        elif change.price is None:
            _leave(state, body, change.item, timing, change, prorates=prorates)
            body["items"]["data"].remove(change.item)
        else:
            _alter(state, body, change.item, change, timing, prorates=prorates)
    take_shortest(state, body)
    if body["cancel_at_period_end"]:
        body["cancel_at"] = last_end(body)


def _alter(state: State, body: Body, item: Body, change: Change, timing: Timing, *, prorates: bool) -> None:
    assert change.price is not None
    item["metadata"] = p.metadata(change.given, item)
    if (item["price"]["id"], item.get("quantity")) == (change.price["id"], change.quantity):
        return
    rest = _leave(state, body, item, timing, change, prorates=prorates)
    if item["price"]["id"] == change.price["id"]:
        item["quantity"] = change.quantity
    else:
        _take_price(item, body, change, state.now)
    _begin(state, body, item, timing, prorates=prorates, rest=rest)


def _leave(state: State, body: Body, item: Body, timing: Timing, change: Change, *, prorates: bool) -> Fraction:
    """The exact amount that rounding took off the credits, for a debit that follows."""
    if "quantity" in item:
        return give_back(state, body, item, timing.at) if prorates else Fraction(0)
    is_asked = timing.behaviour != "none" or state.switches.gone_usage == "billed"
    if is_asked and not p.boolean(change.given, "clear_usage", False):
        bill_usage(state, body, item)
    return Fraction(0)


def _begin(
    state: State, body: Body, item: Body, timing: Timing, *, prorates: bool, rest: Fraction = Fraction(0)
) -> None:
    if "quantity" not in item:
        body.setdefault("_since", {})[item["id"]] = state.now
    elif prorates:
        charge_rest(state, body, item, timing.at, rest=rest)
