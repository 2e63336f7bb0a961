"""What makes an invoice: a subscription begins, a period ends, items change, a subscription ends."""

from __future__ import annotations

from sandbox.stripe.resources.collection import finalise
from sandbox.stripe.resources.discounts import live, spend
from sandbox.stripe.resources.drafts import total_up
from sandbox.stripe.resources.invoice_shape import new_invoice, shown_invoice
from sandbox.stripe.resources.lines import Span, licensed_lines, loose_line, trial_line, usage_lines, whole_cycle
from sandbox.stripe.resources.periods import period_of, usage_period
from sandbox.stripe.resources.prorations import remember
from sandbox.stripe.state import Body, State


def open_first_invoice(state: State, subscription: Body, *, prorate: bool) -> Body | None:
    """
    The invoice of a new subscription: its licensed items for the period that runs; None where there is none.

    A trial's says that it is free. Flexible: a subscription without licensed items has no first invoice, and metered
    items no line on it. Classic: there is always one, with an empty line for each metered item.
    """
    items = subscription["items"]["data"]
    now = state.now
    is_stub = now < subscription["billing_cycle_anchor"] and subscription["status"] != "trialing"
    licensed = [item for item in items if "quantity" in item and (prorate or not is_stub)]
    metered = [] if subscription["billing_mode"]["type"] == "flexible" else [i for i in items if "quantity" not in i]
    if not licensed and not metered:
        return None
    invoice = _new(state, subscription, "subscription_create", (now, now))
    for item in reversed(items):
        if item in licensed and subscription["status"] == "trialing":
            invoice["lines"]["data"].append(trial_line(state, invoice, item, period_of(item)))
        elif item in licensed:
            invoice["lines"]["data"] += _advance_lines(state, subscription, invoice, item)
        elif item in metered:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, (now, now))
    _keep_new(state, subscription, invoice)
    if subscription["collection_method"] == "charge_automatically" and not state.is_preview:
        finalise(state, invoice)
        if invoice["status"] == "open":
            subscription["status"] = "incomplete"
    return invoice


def _advance_lines(state: State, subscription: Body, invoice: Body, item: Body) -> list[Body]:
    """A licensed item's lines for its running period, for a part of a cycle where that ends at the anchor."""
    period = period_of(item)
    is_stub = period[1] == subscription["billing_cycle_anchor"]
    whole_s = whole_cycle(subscription, state.objects["price"][item["price"]["id"]]) if is_stub else None
    lines = licensed_lines(state, invoice, item, period, whole_s=whole_s)
    remember(subscription, item, invoice, lines)
    return _discounted(state, item, lines)


def _discounted(state: State, item: Body, lines: list[Body]) -> list[Body]:
    """The lines of an item with its discounts."""
    for line in lines:
        line["discounts"] = live(state, item["discounts"])
    return lines


def open_cycle_invoice(
    state: State, subscription: Body, ended: dict[str, Span], *, after_trial: bool = False
) -> Body | None:
    """
    The draft at the end of some items' periods, given by the item's id: usage of the ended periods, licensed items of
    those that begin, loose items first. Usage in a trial is not billed; None where nothing else is either.
    """
    invoice = _new(state, subscription, "subscription_cycle", max(ended.values()))
    _take_loose_items(state, subscription, invoice)
    for item in reversed(subscription["items"]["data"]):
        if item["id"] not in ended:
            continue
        if "quantity" in item:
            invoice["lines"]["data"] += _advance_lines(state, subscription, invoice, item)
        elif not after_trial:
            begun, at = ended[item["id"]]
            begun = max(begun, subscription.get("_since", {}).get(item["id"], 0))
            invoice["lines"]["data"] += _discounted(state, item, usage_lines(state, invoice, item, (begun, at)))
    if after_trial and not invoice["lines"]["data"]:
        return None
    return _keep_new(state, subscription, invoice)


def open_update_invoice(state: State, subscription: Body, *, advance: bool) -> Body | None:
    """
    The invoice of a change that is billed at once: pending items, and with `advance` the licensed items of the periods
    that begin. None where there is neither. Charged at once, or a draft for an hour where it is sent.
    """
    invoice = _new(state, subscription, "subscription_update", (state.now, state.now))
    _take_loose_items(state, subscription, invoice)
    for item in reversed(subscription["items"]["data"]):
        if advance and "quantity" in item:
            invoice["lines"]["data"] += _advance_lines(state, subscription, invoice, item)
    if not invoice["lines"]["data"]:
        return None
    _keep_new(state, subscription, invoice)
    charges = subscription["collection_method"] == "charge_automatically" and invoice["auto_advance"]
    if charges and not state.is_preview:
        finalise(state, invoice)
    return invoice


def open_last_invoice(state: State, subscription: Body) -> Body | None:
    """The draft at a subscription's end: usage that was not billed yet, and loose items; None where neither is."""
    items = subscription["items"]["data"]
    begun = max(item["current_period_start"] for item in items)
    invoice = _new(state, subscription, "subscription_cycle", (begun, state.now))
    _take_loose_items(state, subscription, invoice)
    for item in reversed(items):
        if "quantity" not in item and subscription["status"] != "trialing":
            lines = usage_lines(state, invoice, item, usage_period(subscription, item, state.now))
            invoice["lines"]["data"] += _discounted(state, item, lines)
    return _keep_new(state, subscription, invoice) if invoice["lines"]["data"] else None


def _new(state: State, subscription: Body, reason: str, period: Span) -> Body:
    invoice = new_invoice(state, subscription, reason, period)
    invoice["discounts"] = live(state, subscription["discounts"])
    return invoice


def _take_loose_items(state: State, subscription: Body, invoice: Body) -> None:
    """Pending invoice items are always included in flexible mode, newest first."""
    for item in reversed(list(state.pending_items.get(invoice["customer"], {}).values())):
        if item["currency"] == invoice["currency"] and item["_subscription"] in (None, subscription["id"]):
            item["invoice"] = invoice["id"]
            state.put(item)
            invoice["lines"]["data"].append(loose_line(state, invoice, item))


def _keep_new(state: State, subscription: Body, invoice: Body) -> Body:
    total_up(state, invoice)
    state.put(invoice)
    subscription["latest_invoice"] = invoice["id"]
    state.put(subscription)
    event = state.announce("invoice.created", shown_invoice(invoice))
    if not state.pending.get(event["id"]):
        invoice["webhooks_delivered_at"] = state.now  # nobody has to be told
    invoice["_created_event"] = event["id"]
    spend(state, subscription, invoice)
    return invoice
