"""`create_preview`: the invoice that would come, made by the same rules on a copy that is thrown away."""

from __future__ import annotations

import copy
from collections import ChainMap
from typing import Any, cast

from sandbox.stripe.errors import StripeError, invalid, missing, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.discounts import attach, read
from sandbox.stripe.resources.drafts import total_up
from sandbox.stripe.resources.invoice_items import create_item
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.periods import next_due
from sandbox.stripe.resources.renewals import renew
from sandbox.stripe.resources.subscriptions import cancel_subscription, create_subscription, update_subscription
from sandbox.stripe.state import MICROS, Body, State

_OF_CHANGE = ("items", "proration_behavior", "proration_date", "trial_end", "cancel_at", "cancel_at_period_end")
_OF_NEW = (*_OF_CHANGE, "billing_cycle_anchor", "billing_mode")
_MOST_STEPS = 5  # a trial's warning, its end, a period's end: an invoice comes within so many


def create_preview(state: State, params: Params) -> Body:
    """POST /v1/invoices/create_preview: of a subscription as it is or with changes, or of one that would begin."""
    p.only(params, "customer", "subscription", "subscription_details", "invoice_items", "discounts", "preview_mode")
    if p.optional(params, "preview_mode") == "recurring":
        raise unsupported("preview_mode")
    id_ = p.optional(params, "subscription")
    details: Params = params.get("subscription_details") or {}
    known = state.get("subscription", id_, param="subscription") if id_ is not None else None
    customer = p.optional(params, "customer") or (known["customer"] if known is not None else None)
    if customer is None:
        raise missing("customer")
    state.get("customer", customer, param="customer")
    if known is not None and known["customer"] != customer:
        raise invalid("subscription", "The subscription belongs to another customer.")
    shadow = shadow_of(state, customer)
    for given in params.get("invoice_items") or []:
        create_item(shadow, {"customer": customer, **given})
    if known is None:
        _only(details, *_OF_NEW)
        create_subscription(shadow, {"customer": customer, **details})
    else:
        _change(shadow, known["id"], details)
    return _as_preview(shadow, _made(shadow) or _next(shadow, customer, known), params)


def shadow_of(state: State, customer: str) -> State:
    """A state that reads through to another's, with copies of a customer and what would change; nobody is told."""
    shadow = State(state.switches)
    shadow.is_preview = True
    objects: Any = {kind: ChainMap({}, rows) for kind, rows in state.objects.items()}
    objects["webhook_endpoint"], objects["v2.core.event_destination"] = {}, {}
    shadow.objects, shadow.tallies, shadow.meters = objects, state.tallies, state.meters
    shadow.item_owners = cast("dict[str, str]", ChainMap({}, state.item_owners))
    shadow.number, shadow.stepped_micros = state.number, state.now * MICROS
    mine = [row for row in state.objects["subscription"].values() if row["customer"] == customer]
    pending = list(state.pending_items.get(customer, {}).values())
    for body in [state.objects["customer"][customer], *mine, *pending, *state.objects["coupon"].values()]:
        shadow.index(copy.deepcopy(body))
    return shadow


def _only(details: Params, *allowed: str) -> None:
    for name in details:
        if name not in allowed:
            raise unsupported(f"subscription_details[{name}]")


def _change(shadow: State, id_: str, details: Params) -> None:
    _only(details, *_OF_CHANGE, "cancel_now")
    changes = {name: details[name] for name in _OF_CHANGE if name in details}
    if changes:
        update_subscription(shadow, id_, changes)
    if p.boolean(details, "cancel_now", False):
        prorate = "false" if details.get("proration_behavior") == "none" else "true"
        cancel_subscription(shadow, id_, {"invoice_now": "true", "prorate": prorate})


def _made(shadow: State) -> Body | None:
    """The newest invoice that was made in a copy: what is new stands in the first of its maps."""
    invoices: Any = shadow.objects["invoice"]
    return next(reversed(invoices.maps[0].values()), None)


def _next(shadow: State, customer: str, known: Body | None) -> Body:
    """Let time go on in the copy until an invoice is made."""
    mine = [row for row in shadow.objects["subscription"].values() if row["customer"] == customer]
    body = shadow.objects["subscription"][known["id"]] if known is not None else mine[-1]
    for _ in range(_MOST_STEPS):
        if body["status"] == "canceled":
            break
        shadow.stepped_micros = next_due(body) * MICROS
        renew(shadow, body)
        found = _made(shadow)
        if found is not None:
            return found
    raise StripeError(404, "No upcoming invoices for customer", code="invoice_upcoming_none", stored=True)


def _as_preview(shadow: State, invoice: Body, params: Params) -> Body:
    if "discounts" in params:
        given = read(shadow, params["discounts"], invoice["currency"])
        invoice["discounts"] = attach(shadow, given, customer=invoice["customer"], invoice=invoice["id"])
    total_up(shadow, invoice)
    id_ = "upcoming_" + invoice["id"]
    lines: list[Body] = [{**line, "invoice": id_} for line in invoice["lines"]["data"]]
    listed = {**invoice["lines"], "data": lines, "url": f"/v1/invoices/{id_}/lines"}
    own = {"id": id_, "billing_reason": "upcoming", "lines": listed, "automatically_finalizes_at": None}
    return {**invoice, **own, "auto_advance": False, "webhooks_delivered_at": None, "_preview": True}
