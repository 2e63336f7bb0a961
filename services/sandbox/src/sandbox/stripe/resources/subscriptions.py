"""Subscriptions: cycles from an anchor, licensed items in advance, metered items in arrears."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.errors import StripeError, absent, invalid, missing, no_address, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.catalogue import without_tiers
from sandbox.stripe.resources.clock_limits import take_subscription
from sandbox.stripe.resources.openings import open_first_invoice, open_last_invoice
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.periods import item_period, last_end, take_shortest
from sandbox.stripe.resources.renewals import end
from sandbox.stripe.state import Body, State

_MOST_ITEMS = 20


def create_subscription(state: State, params: Params) -> Body:
    """
    POST /v1/subscriptions.

    Without an anchor the cycle starts now. An anchor in the future makes the first period end there: it begins now,
    or with `backdate_start_date` then, at most one cycle before the anchor.
    """
    p.only(
        params,
        "customer",
        "items",
        "collection_method",
        "days_until_due",
        "billing_cycle_anchor",
        "metadata",
        "backdate_start_date",
        "proration_behavior",
        "billing_mode",
        "currency",
        "description",
        "payment_behavior",
        "off_session",
        "cancel_at_period_end",
    )
    customer = state.get("customer", p.text(params, "customer"), param="customer")
    take_subscription(state, customer)
    method = p.one_of(params, "collection_method", ("charge_automatically", "send_invoice"), "charge_automatically")
    days = p.integer(params, "days_until_due")
    if method == "send_invoice" and days is None:
        raise missing("days_until_due")
    if method == "send_invoice" and not customer["email"]:
        raise no_address()
    mode = p.one_of(params.get("billing_mode") or {}, "type", ("classic", "flexible"), "flexible")
    prices = _prices(state, params)
    currency = _currency(customer, [price for price, _, _ in prices])
    _mix_in_flexible_mode_only(mode, [price for price, _, _ in prices])
    anchor, start = _anchor_and_start(state, params, [price["recurring"] for price, _, _ in prices])
    id_ = state.new_id("subscription")
    body: Body = {
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
        "days_until_due": days if method == "send_invoice" else None,
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
    _add_items(state, body, prices)
    take_shortest(state, body)
    if body["cancel_at_period_end"]:
        body["cancel_at"], body["canceled_at"] = last_end(body), state.now
    if customer["currency"] is None:
        customer["currency"] = currency
        state.put(customer)
    state.put(body)
    state.announce("customer.subscription.created", body)
    open_first_invoice(state, body, prorate=params.get("proration_behavior") != "none")
    return body


def _currency(customer: Body, prices: list[Body]) -> str:
    currency: str = prices[0]["currency"]
    if customer["currency"] not in (None, currency) or any(price["currency"] != currency for price in prices):
        raise refused("You cannot combine currencies on a single customer.", param="items")
    return currency


def _mix_in_flexible_mode_only(mode: str, prices: list[Body]) -> None:
    intervals = {(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}
    if mode == "classic" and len(intervals) > 1:
        raise refused("All prices of a subscription must have the same interval in classic mode.", param="items")


def _anchor_and_start(state: State, params: Params, recurring: list[Body]) -> tuple[int, int]:
    anchor = p.whole(params, "billing_cycle_anchor", state.now)
    start = p.whole(params, "backdate_start_date", state.now)
    if anchor < state.now:
        raise invalid("billing_cycle_anchor", "`billing_cycle_anchor` cannot be earlier than the current time.")
    if start > state.now:
        raise invalid("backdate_start_date", "`backdate_start_date` must be in the past.")
    if anchor > min(cycle_start(state.now, 1, interval=r["interval"], count=r["interval_count"]) for r in recurring):
        raise invalid(
            "billing_cycle_anchor",
            "`billing_cycle_anchor` cannot be later than the next natural billing date for the plan.",
        )
    return anchor, start


def _prices(state: State, params: Params) -> list[tuple[Body, int | None, Params]]:
    items = params.get("items")
    if not isinstance(items, list) or not items:
        raise missing("items")
    if len(items) > _MOST_ITEMS:
        raise refused(f"A subscription takes at most {_MOST_ITEMS} items.", param="items")
    found: list[tuple[Body, int | None, Params]] = []
    for place, item in enumerate(items):
        for name in item:
            if name not in ("price", "quantity", "metadata"):
                raise unsupported(f"items[{place}][{name}]")
        price = state.objects["price"].get(item.get("price"))
        if price is None:
            raise absent("price", str(item.get("price")), param=f"items[{place}][price]")
        if price["recurring"] is None or not price["active"]:
            raise refused("The price specified is inactive or not recurring.", param=f"items[{place}][price]")
        metered = price["recurring"]["usage_type"] == "metered"
        if metered and "quantity" in item:
            raise refused("You cannot set the quantity for metered plans.", param=f"items[{place}][quantity]")
        found.append((price, None if metered else p.whole(item, "quantity", 1), item))
    if len({price["id"] for price, _, _ in found}) != len(found):
        raise refused("A price may stand on a subscription once only.", param="items")
    return found


def _add_items(state: State, body: Body, prices: list[tuple[Body, int | None, Params]]) -> None:
    for price, quantity, given in prices:
        start, end = item_period(body, price, state.now)
        item: Body = {
            "id": state.new_id("subscription_item"),
            "object": "subscription_item",
            "billed_until": start,
            "billing_thresholds": None,
            "created": state.now,
            "current_period_end": end,
            "current_period_start": start,
            "current_trial": None,
            "discounts": [],
            "metadata": p.metadata(given),
            "price": without_tiers(price),
            "subscription": body["id"],
            "tax_rates": [],
        }
        if quantity is not None:
            item["quantity"] = quantity
        body["items"]["data"].append(item)


def update_subscription(state: State, id_: str, params: Params) -> Body:
    """POST /v1/subscriptions/{id}: what does not touch items: metadata, description, collection, the end."""
    p.only(
        params,
        "metadata",
        "description",
        "cancel_at_period_end",
        "pause_collection",
        "collection_method",
        "days_until_due",
    )
    body = _running(state, id_)
    before = {key: body[key] for key in params if key in body}
    pause = _pause(params, body)
    method = p.one_of(params, "collection_method", ("charge_automatically", "send_invoice"), body["collection_method"])
    days = p.integer(params, "days_until_due", body["days_until_due"])
    if method == "send_invoice" and days is None:
        raise missing("days_until_due")
    if method == "send_invoice" and not state.objects["customer"][body["customer"]]["email"]:
        raise no_address()
    body["metadata"] = p.metadata(params, body)
    body["pause_collection"], body["collection_method"] = pause, method
    body["days_until_due"] = days if method == "send_invoice" else None
    if "description" in params:
        body["description"] = p.optional(params, "description")
    if "cancel_at_period_end" in params:
        body["cancel_at_period_end"] = p.boolean(params, "cancel_at_period_end", False)
        body["cancel_at"] = last_end(body) if body["cancel_at_period_end"] else None
        body["canceled_at"] = state.now if body["cancel_at_period_end"] else None
    state.put(body)
    state.announce("customer.subscription.updated", body, before)
    return body


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
    """DELETE /v1/subscriptions/{id}: ends at once; with `invoice_now` the usage so far is billed."""
    p.only(params, "invoice_now", "prorate", "cancellation_details")
    if p.boolean(params, "prorate", False):
        raise unsupported("prorate")
    body = _running(state, id_)
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
