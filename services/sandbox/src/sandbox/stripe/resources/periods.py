"""When a subscription's items are billed: each by its own price's interval, all by one anchor."""

from __future__ import annotations

from sandbox.stripe.domain.calendar import cycle_number, cycle_start
from sandbox.stripe.resources.lines import Span
from sandbox.stripe.state import Body, State

WARNED_S = 3 * 86_400  # so long before its end `customer.subscription.trial_will_end` tells of a trial


def item_period(subscription: Body, price: Body, at: int) -> Span:
    """
    The period of a price that holds an instant: the trial, what lies between it (or the start) and a future anchor,
    or a cycle of the anchor.
    """
    anchor, trial_end = subscription["billing_cycle_anchor"], subscription["trial_end"]
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    if trial_end is not None and at < trial_end:
        return subscription["trial_start"], trial_end
    if at < anchor:
        begun = subscription["start_date"] if trial_end is None else trial_end
        return max(begun, cycle_start(anchor, -1, interval=interval, count=count)), anchor
    number = cycle_number(anchor, at, interval=interval, count=count)
    start = cycle_start(anchor, number, interval=interval, count=count)
    return start, cycle_start(anchor, number + 1, interval=interval, count=count)


def full_length(subscription: Body, price: Body, end: int) -> int:
    """The length in seconds of the whole cycle of a price that ends at `end`, which lies on a cycle's bound."""
    anchor = subscription["billing_cycle_anchor"]
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    number = cycle_number(anchor, end, interval=interval, count=count)
    return end - cycle_start(anchor, number - 1, interval=interval, count=count)


def period_of(item: Body) -> Span:
    """An item's running period."""
    return item["current_period_start"], item["current_period_end"]


def usage_period(subscription: Body, item: Body, end: int) -> Span:
    """The usage of a metered item that is not billed yet: from its period's start, or from when it came or changed."""
    since = subscription.get("_since", {}).get(item["id"], 0)
    return min(max(item["current_period_start"], since), end), end


def first_end(subscription: Body) -> int:
    """When the first of its items' periods ends."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def last_end(subscription: Body) -> int:
    """When the last of its items' periods ends."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def next_due(subscription: Body) -> int:
    """When it is to be worked on next: a period ends, it ends itself, or its trial's end is near."""
    found = [first_end(subscription)]
    if subscription["cancel_at"] is not None:
        found.append(subscription["cancel_at"])
    if subscription["status"] == "trialing" and not subscription.get("_warned"):
        found.append(max(subscription["trial_end"] - WARNED_S, subscription["trial_start"]))
    return min(found)


def take_shortest(state: State, subscription: Body) -> None:
    """Note the shortest interval of its items, by which test clocks are bounded and the dump tells periods."""
    prices = [state.objects["price"][item["price"]["id"]]["recurring"] for item in subscription["items"]["data"]]
    anchor = subscription["billing_cycle_anchor"]
    shortest = min(prices, key=lambda r: cycle_start(anchor, 1, interval=r["interval"], count=r["interval_count"]))
    subscription["_interval"] = [shortest["interval"], shortest["interval_count"]]
