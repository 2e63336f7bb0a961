"""Customers. A `default_payment_method` is any id of Stripe's form; it always pays."""

from __future__ import annotations

from sandbox.stripe.errors import absent
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.clock_limits import take_customer
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.subscriptions import cancel_subscription
from sandbox.stripe.state import Body, State


def create_customer(state: State, params: Params) -> Body:
    """POST /v1/customers."""
    known = ("name", "email", "description", "metadata", "phone", "address", "tax_exempt", "invoice_settings")
    p.only(params, *known, "test_clock", "payment_method")
    clock = p.optional(params, "test_clock")
    if clock is not None:
        take_customer(state, clock)
    id_ = state.new_id("customer")
    body: Body = {
        "id": id_,
        "object": "customer",
        "address": _address(params),
        "balance": 0,
        "created": state.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": p.optional(params, "description"),
        "discount": None,
        "email": p.optional(params, "email"),
        "invoice_prefix": f"S{state.next_number():07d}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": _payment_method(params),
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": p.metadata(params),
        "name": p.optional(params, "name"),
        "next_invoice_sequence": 1,
        "phone": p.optional(params, "phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": p.optional(params, "tax_exempt") or "none",
        "test_clock": clock,
        "customer_account": None,
    }
    state.put(body)
    state.announce("customer.created", body)
    return body


def retrieve_customer(state: State, id_: str, _: Params) -> Body:
    """GET /v1/customers/{id}: of a deleted one only that it is deleted."""
    body = state.objects["customer"].get(id_)
    if body is None:
        raise absent("customer", id_)
    return {"id": id_, "object": "customer", "deleted": True} if body.get("deleted") else body


def update_customer(state: State, id_: str, params: Params) -> Body:
    """POST /v1/customers/{id}."""
    p.only(params, "name", "email", "description", "metadata", "phone", "address", "tax_exempt", "invoice_settings")
    body = state.get("customer", id_)
    before = {key: body[key] for key in params if key in body}
    if "address" in params:
        body["address"] = _address(params)
    if "tax_exempt" in params:
        body["tax_exempt"] = p.optional(params, "tax_exempt") or "none"
    if "default_payment_method" in (params.get("invoice_settings") or {}):
        body["invoice_settings"] = {**body["invoice_settings"], "default_payment_method": _payment_method(params)}
    for name in ("name", "email", "description", "phone"):
        if name in params:
            body[name] = p.optional(params, name)
    body["metadata"] = p.metadata(params, body)
    state.put(body)
    state.announce("customer.updated", body, before)
    return body


def delete_customer(state: State, id_: str, _: Params) -> Body:
    """DELETE /v1/customers/{id}: its subscriptions end at once."""
    body = state.get("customer", id_)
    for subscription in state.objects["subscription"].values():
        if subscription["customer"] == id_ and subscription["status"] != "canceled":
            cancel_subscription(state, subscription["id"], {})
    body["deleted"] = True
    state.put(body)
    state.announce("customer.deleted", body)
    return {"id": id_, "object": "customer", "deleted": True}


def list_customers(state: State, params: Params) -> Body:
    """GET /v1/customers."""
    p.only(params, "limit", "starting_after", "ending_before", "email", "created", "test_clock")
    clock = p.optional(params, "test_clock")  # those on a test clock are listed only where it is named
    rows = [row for row in state.all("customer") if not row.get("deleted") and row["test_clock"] == clock]
    if "email" in params:
        rows = [row for row in rows if row["email"] == params["email"]]
    return p.page(p.created_filter(rows, params), params, "/v1/customers")


def _address(params: Params) -> Body | None:
    given = params.get("address")
    if not given:
        return None
    return {name: given.get(name) for name in ("city", "country", "line1", "line2", "postal_code", "state")}


def _payment_method(params: Params) -> str | None:
    method = (params.get("invoice_settings") or {}).get("default_payment_method") or None
    if method is not None and not method.startswith("pm_"):
        raise absent("PaymentMethod", method, param="invoice_settings[default_payment_method]")
    return str(method) if method else None
