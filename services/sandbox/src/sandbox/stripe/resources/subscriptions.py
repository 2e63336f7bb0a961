"""Subscriptions: cycles from an anchor, licensed items in advance, metered items in arrears."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.errors import StripeError, invalid, missing, no_address, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.clock_limits import take_subscription
from sandbox.stripe.resources.discounts import attach, read, replace
from sandbox.stripe.resources.item_changes import Change, add_item, carry_out, read_changes, read_new, read_timing
from sandbox.stripe.resources.openings import open_first_invoice, open_last_invoice, open_update_invoice
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.periods import first_end, last_end, take_shortest
from sandbox.stripe.resources.prorations import give_all_back
from sandbox.stripe.resources.renewals import end
from sandbox.stripe.resources.trials import move_trial_end, read_trial, read_trial_change
from sandbox.stripe.state import Body, State

METHODS = ("charge_automatically", "send_invoice")
_HOW = ("proration_behavior", "proration_date", "payment_behavior", "off_session")
_OF_BOTH = (
    *("items", "collection_method", "days_until_due", "billing_cycle_anchor", "metadata", "description", "discounts"),
    *("cancel_at_period_end", "cancel_at", "trial_end", "trial_settings", "payment_behavior", "off_session"),
    "proration_behavior",
)
_OF_NEW = (*_OF_BOTH, "customer", "backdate_start_date", "billing_mode", "currency", "trial_period_days")
_OF_CHANGED = (*_OF_BOTH, "pause_collection", "proration_date")


def create_subscription(state: State, params: Params) -> Body:
    """
    POST /v1/subscriptions.

    Without an anchor the cycle starts now. An anchor in the future makes the first period end there: it begins now,
    or with `backdate_start_date` then, at most one cycle before the anchor. A trial moves the anchor to its end.
    """
    p.only(params, *_OF_NEW)
    customer = state.get("customer", p.text(params, "customer"), param="customer")
    take_subscription(state, customer)
    _sending(state, params, customer)
    mode = p.one_of(params.get("billing_mode") or {}, "type", ("classic", "flexible"), "flexible")
    changes = read_new(state, params.get("items"))
    prices = [change.price for change in changes if change.price is not None]
    currency = _currency(customer, prices)
    discounts = read(state, params.get("discounts", ""), currency)
    own = [read(state, change.given.get("discounts", ""), currency) for change in changes]
    _mix_in_flexible_mode_only(mode, prices)
    trial_end = read_trial(state, params)
    _check_end(state, params)
    anchor, start = _anchor_and_start(state, params, [price["recurring"] for price in prices], trial_end)
    body = _new(state, customer, params, mode=mode, currency=currency, anchor=anchor, start=start)
    if trial_end is not None:
        body["status"], body["trial_start"], body["trial_end"] = "trialing", state.now, trial_end
    for change, found in zip(changes, own, strict=True):
        item = add_item(state, body, change)
        item["discounts"] = attach(
            state, found, customer=customer["id"], subscription=body["id"], subscription_item=item["id"]
        )
    take_shortest(state, body)
    _set_end(state, body, params)
    if customer["currency"] is None:
        customer["currency"] = currency
        state.put(customer)
    body["discounts"] = attach(state, discounts, customer=customer["id"], subscription=body["id"])
    state.put(body)
    state.announce("customer.subscription.created", body)
    open_first_invoice(state, body, prorate=params.get("proration_behavior") != "none")
    return body


def _sending(state: State, params: Params, customer: Body, known: Body | None = None) -> tuple[str, int | None]:
    """How its invoices are collected, and within how many days: what is asked for, else what is known."""
    before = known or {"collection_method": "charge_automatically", "days_until_due": None}
    method = p.one_of(params, "collection_method", METHODS, before["collection_method"])
    days = p.integer(params, "days_until_due", before["days_until_due"])
    if method == "charge_automatically":
        return method, None
    if days is None:
        raise missing("days_until_due")
    if not customer["email"]:
        raise no_address()
    return method, days


def _new(state: State, customer: Body, params: Params, *, mode: str, currency: str, anchor: int, start: int) -> Body:
    method, days = _sending(state, params, customer)
    id_ = state.new_id("subscription")
    return {
        "id": id_,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": mode, "flexible": {"proration_discounts": "included"} if mode == "flexible" else None},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": p.boolean(params, "cancel_at_period_end", False),
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": method,
        "created": state.now,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": days,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": p.optional(params, "description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {"object": "list", "data": [], "has_more": False, "url": f"/v1/subscription_items?subscription={id_}"},
        "latest_invoice": None,
        "livemode": False,
        "metadata": p.metadata(params),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": start,
        "status": "active",
        "status_details": None,
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def _check_end(state: State, params: Params) -> None:
    given = params.get("cancel_at", "")
    if given not in ("", "min_period_end", "max_period_end") and p.whole(params, "cancel_at", 0) <= state.now:
        raise invalid("cancel_at", "`cancel_at` must lie in the future.")


def _set_end(state: State, body: Body, params: Params) -> None:
    """`cancel_at_period_end`, or `cancel_at`: an instant, the end of the first or of the last period that runs."""
    if "cancel_at_period_end" in params:
        body["cancel_at_period_end"] = p.boolean(params, "cancel_at_period_end", False)
        body["cancel_at"] = last_end(body) if body["cancel_at_period_end"] else None
    elif "cancel_at" in params:
        given = params["cancel_at"]
        named = {"min_period_end": first_end(body), "max_period_end": last_end(body), "": None}
        body["cancel_at"] = named[given] if given in named else p.integer(params, "cancel_at")
        body["cancel_at_period_end"] = False
        body["_cancel_prorates"] = params.get("proration_behavior") != "none"
    else:
        return
    body["canceled_at"] = state.now if body["cancel_at"] is not None else None


def _currency(customer: Body, prices: list[Body]) -> str:
    currency: str = prices[0]["currency"]
    if customer["currency"] not in (None, currency) or any(price["currency"] != currency for price in prices):
        raise refused("You cannot combine currencies on a single customer.", param="items")
    return currency


def _mix_in_flexible_mode_only(mode: str, prices: list[Body]) -> None:
    intervals = {(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}
    if mode == "classic" and len(intervals) > 1:
        raise refused("All prices of a subscription must have the same interval in classic mode.", param="items")


def _anchor_and_start(state: State, params: Params, recurring: list[Body], trial_end: int | None) -> tuple[int, int]:
    begun = state.now if trial_end is None else trial_end
    anchor = p.whole(params, "billing_cycle_anchor", begun)
    start = p.whole(params, "backdate_start_date", state.now)
    if anchor < begun:
        raise invalid("billing_cycle_anchor", "`billing_cycle_anchor` cannot be earlier than the current time.")
    if start > state.now:
        raise invalid("backdate_start_date", "`backdate_start_date` must be in the past.")
    if trial_end is not None and "backdate_start_date" in params:
        raise unsupported("backdate_start_date with a trial")
    if anchor > min(cycle_start(begun, 1, interval=r["interval"], count=r["interval_count"]) for r in recurring):
        raise invalid(
            "billing_cycle_anchor",
            "`billing_cycle_anchor` cannot be later than the next natural billing date for the plan.",
        )
    return anchor, start


def update_subscription(state: State, id_: str, params: Params) -> Body:
    """POST /v1/subscriptions/{id}: items with their prorations, discounts, the trial's end, collection, the end."""
    p.only(params, *_OF_CHANGED)
    if p.optional(params, "billing_cycle_anchor") == "now":
        raise unsupported("billing_cycle_anchor")
    body = _running(state, id_)
    before = _before(body, params)
    pause = _pause(params, body)
    method, days = _sending(state, params, state.objects["customer"][body["customer"]], body)
    timing = read_timing(state, params, body)
    changes, found = _read_changes(state, body, params)
    discounts = read(state, params["discounts"], body["currency"]) if "discounts" in params else None
    until = read_trial_change(state, body, params)
    _check_end(state, params)
    body["metadata"] = p.metadata(params, body)
    body["pause_collection"], body["collection_method"], body["days_until_due"] = pause, method, days
    if "description" in params:
        body["description"] = p.optional(params, "description")
    if discounts is not None:
        made = attach(state, discounts, customer=body["customer"], subscription=id_)
        replace(state, body, made)
    _give_discounts(state, body, changes, found)
    carry_out(state, body, changes, timing)
    ended = until is not None and move_trial_end(state, body, until)
    _set_end(state, body, params)
    if ended or (changes and timing.behaviour == "always_invoice"):
        open_update_invoice(state, body, advance=ended)
    state.put(body)
    state.announce("customer.subscription.updated", body, before)
    return body


def _before(body: Body, params: Params) -> Body:
    """What `previous_attributes` of the event shows: what was asked to change, as it was."""
    before = {key: body[key] for key in params if key in body and key != "items"}
    if "trial_end" in params:
        before["status"] = body["status"]
    if "items" in params:
        before["items"] = {"data": [dict(item) for item in body["items"]["data"]]}
    return before


def _read_changes(state: State, body: Body, params: Params) -> tuple[list[Change], list[list[Body] | None]]:
    """The changes of items that are asked for, and the discounts that each names; None where it names none."""
    if "items" not in params:
        return [], []
    changes = read_changes(state, body, params["items"])
    named = [change.given.get("discounts") for change in changes]
    return changes, [None if given is None else read(state, given, body["currency"]) for given in named]


def _give_discounts(state: State, body: Body, changes: list[Change], found: list[list[Body] | None]) -> None:
    """Items get their discounts before they are prorated; a new item gets them as it is added."""
    for change, discounts in zip(changes, found, strict=True):
        if discounts is None:
            continue
        on = {"subscription": body["id"]} | ({"subscription_item": change.item["id"]} if change.item else {})
        made = attach(state, discounts, customer=body["customer"], **on)
        if change.item is None:
            change.discounts.extend(made)
        else:
            replace(state, change.item, made)


def change_items(state: State, body: Body, items: list[Params], params: Params) -> None:
    """What a call for a single item does: `items` as an update has them, `params` say how it is prorated."""
    update_subscription(state, body["id"], {"items": items, **{k: v for k, v in params.items() if k in _HOW}})


def _pause(params: Params, body: Body) -> Body | None:
    given: Any = params.get("pause_collection", body["pause_collection"])
    if not given:
        return None
    if given.get("behavior") != "keep_as_draft":
        raise unsupported("pause_collection[behavior] other than keep_as_draft")
    return {"behavior": "keep_as_draft", "resumes_at": None}


def _running(state: State, id_: str) -> Body:
    body = state.get("subscription", id_)
    if body["status"] == "canceled":
        raise StripeError(404, f"No such subscription: '{id_}'", code="resource_missing", param="id", stored=True)
    return body


def cancel_subscription(state: State, id_: str, params: Params) -> Body:
    """DELETE /v1/subscriptions/{id}: ends at once; `prorate` gives time back, `invoice_now` bills what is open."""
    p.only(params, "invoice_now", "prorate", "cancellation_details")
    body = _running(state, id_)
    if p.boolean(params, "prorate", False):
        give_all_back(state, body)
    if p.boolean(params, "invoice_now", False):
        open_last_invoice(state, body)
    end(state, body)
    return body


def list_subscriptions(state: State, params: Params) -> Body:
    """GET /v1/subscriptions: those that run, unless a status or `all` is asked for."""
    p.only(
        params,
        "limit",
        "starting_after",
        "ending_before",
        "customer",
        "status",
        "price",
        "created",
        "collection_method",
        "test_clock",
    )
    rows: list[Any] = list(p.created_filter(state.all("subscription"), params))
    if "customer" not in params:  # those on a test clock are listed only where it or their customer is named
        rows = [row for row in rows if row["test_clock"] == p.optional(params, "test_clock")]
    for name in ("customer", "collection_method"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    if "price" in params:
        rows = [row for row in rows if any(i["price"]["id"] == params["price"] for i in row["items"]["data"])]
    wanted = params.get("status")
    if wanted is None:
        rows = [row for row in rows if row["status"] != "canceled"]
    elif wanted != "all":
        rows = [row for row in rows if row["status"] == wanted]
    return p.page(rows, params, "/v1/subscriptions")
