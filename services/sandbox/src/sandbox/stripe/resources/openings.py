"""What makes an invoice: a subscription begins, a period ends, items change, a subscription ends."""

from __future__ import annotations

from sandbox.stripe.resources.collection import finalise
from sandbox.stripe.resources.drafts import total_up
from sandbox.stripe.resources.invoice_shape import new_invoice, shown_invoice
from sandbox.stripe.resources.lines import Span, licensed_lines, loose_line, usage_lines, whole_cycle
from sandbox.stripe.resources.periods import period_of, usage_period
from sandbox.stripe.state import Body, State


def open_first_invoice(state: State, subscription: Body, *, prorate: bool) -> Body | None:
    """
    The invoice of a new subscription: its licensed items for the period that runs; None where there is none.

    Flexible: a subscription without licensed items has no first invoice, and metered items no line on it. Classic:
    there is always one, with an empty line for each metered item.
    """
    items = subscription["items"]["data"]
    now = state.now
    is_stub = now < subscription["billing_cycle_anchor"]
    licensed = [item for item in items if "quantity" in item and (prorate or not is_stub)]
    metered = [] if subscription["billing_mode"]["type"] == "flexible" else [i for i in items if "quantity" not in i]
    if not licensed and not metered:
        return None
    invoice = new_invoice(state, subscription, "subscription_create", (now, now))
    for item in reversed(items):
        if item in licensed:
            invoice["lines"]["data"] += _advance_lines(state, subscription, invoice, item)
        elif item in metered:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, (now, now))
    _keep_new(state, subscription, invoice)
    if subscription["collection_method"] == "charge_automatically":
        finalise(state, invoice)
        if invoice["status"] == "open":
            subscription["status"] = "incomplete"
    return invoice


def _advance_lines(state: State, subscription: Body, invoice: Body, item: Body) -> list[Body]:
    """A licensed item's lines for its running period, for a part of a cycle where that ends at the anchor."""
    period = period_of(item)
    is_stub = period[1] == subscription["billing_cycle_anchor"]
    whole_s = whole_cycle(subscription, state.objects["price"][item["price"]["id"]]) if is_stub else None
    return licensed_lines(state, invoice, item, period, whole_s=whole_s)


def open_cycle_invoice(state: State, subscription: Body, ended: dict[str, Span]) -> Body:
    """
    The draft at the end of some items' periods, given by the item's id: usage of the ended periods, licensed items of
    those that begin, loose items first.
    """
    invoice = new_invoice(state, subscription, "subscription_cycle", max(ended.values()))
    _take_loose_items(state, subscription, invoice)
    for item in reversed(subscription["items"]["data"]):
        if item["id"] not in ended:
            continue
        if "quantity" in item:
            invoice["lines"]["data"] += _advance_lines(state, subscription, invoice, item)
        else:
            begun, at = ended[item["id"]]
            begun = max(begun, subscription.get("_since", {}).get(item["id"], 0))
            invoice["lines"]["data"] += usage_lines(state, invoice, item, (begun, at))
    return _keep_new(state, subscription, invoice)


def open_last_invoice(state: State, subscription: Body) -> Body | None:
    """The draft at a subscription's end: usage that was not billed yet, and loose items; None where neither is."""
    items = subscription["items"]["data"]
    begun = max(item["current_period_start"] for item in items)
    invoice = new_invoice(state, subscription, "subscription_cycle", (begun, state.now))
    _take_loose_items(state, subscription, invoice)
    for item in reversed(items):
        if "quantity" not in item:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, usage_period(subscription, item, state.now))
    return _keep_new(state, subscription, invoice) if invoice["lines"]["data"] else None


def _take_loose_items(state: State, subscription: Body, invoice: Body) -> None:
    """Pending invoice items are always included in flexible mode, newest first."""
    for item in state.all("invoiceitem"):
        mine = item["customer"] == invoice["customer"] and item["currency"] == invoice["currency"]
        if mine and item["invoice"] is None and item["_subscription"] in (None, subscription["id"]):
            if item.get("deleted"):
                continue
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
    return invoice
