"""Customers, products, prices and meters."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.errors import StripeError, absent, invalid, missing
from sandbox.resources import params as p
from sandbox.resources.params import Params
from sandbox.state import Body, State

CURRENCIES = ("usd", "eur", "gbp", "jpy", "kwd")


def create_customer(state: State, params: Params) -> Body:
    """POST /v1/customers."""
    p.only(params, "name", "email", "description", "metadata", "phone", "address", "preferred_locales", "tax_exempt")
    id_ = state.new_id("customer")
    body: Body = {
        "id": id_, "object": "customer", "address": None, "balance": 0, "created": state.now, "currency": None,
        "default_source": None, "delinquent": False, "description": p.optional(params, "description"),
        "discount": None, "email": p.optional(params, "email"), "invoice_prefix": f"S{state.next_number():07d}",
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        "livemode": False, "metadata": p.metadata(params), "name": p.optional(params, "name"),
        "next_invoice_sequence": 1, "phone": p.optional(params, "phone"), "preferred_locales": [], "shipping": None,
        "tax_exempt": "none", "test_clock": None, "customer_account": None,
    }  # fmt: skip
    state.put(body)
    state.announce("customer.created", body)
    return body


def update_customer(state: State, id_: str, params: Params) -> Body:
    """POST /v1/customers/{id}."""
    p.only(params, "name", "email", "description", "metadata", "phone")
    body = state.get("customer", id_)
    before = {key: body[key] for key in params if key in body}
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
    body["deleted"] = True
    state.put(body)
    state.announce("customer.deleted", body)
    return {"id": id_, "object": "customer", "deleted": True}


def list_customers(state: State, params: Params) -> Body:
    """GET /v1/customers."""
    p.only(params, "limit", "starting_after", "ending_before", "email", "created")
    rows = [row for row in state.all("customer") if not row.get("deleted")]
    if "email" in params:
        rows = [row for row in rows if row["email"] == params["email"]]
    return p.page(p.created_filter(rows, params), params, "/v1/customers")


def create_product(state: State, params: Params) -> Body:
    """POST /v1/products."""
    p.only(params, "name", "id", "description", "metadata", "active", "unit_label", "tax_code")
    own = p.optional(params, "id")
    if own and own in state.objects["product"]:
        raise StripeError(400, "Product already exists.", code="resource_already_exists", param="id")
    body: Body = {
        "id": own or state.new_id("product"), "object": "product", "active": p.boolean(params, "active", True),
        "created": state.now, "default_price": None, "description": p.optional(params, "description"), "images": [],
        "livemode": False, "marketing_features": [], "metadata": p.metadata(params), "name": p.text(params, "name"),
        "package_dimensions": None, "shippable": None, "statement_descriptor": None,
        "tax_code": p.optional(params, "tax_code"), "type": "service", "unit_label": p.optional(params, "unit_label"),
        "updated": state.now, "url": None,
    }  # fmt: skip
    state.put(body)
    state.announce("product.created", body)
    return body


def list_products(state: State, params: Params) -> Body:
    """GET /v1/products."""
    p.only(params, "limit", "starting_after", "ending_before", "active", "created", "ids")
    rows = p.created_filter(state.all("product"), params)
    if "ids" in params:
        rows = [row for row in rows if row["id"] in params["ids"]]
    return p.page(rows, params, "/v1/products")


def create_price(state: State, params: Params) -> Body:
    """POST /v1/prices: per unit or tiered; licensed, or metered by a meter."""
    p.only(
        params, "currency", "product", "unit_amount", "unit_amount_decimal", "recurring", "billing_scheme", "tiers",
        "tiers_mode", "lookup_key", "transfer_lookup_key", "nickname", "metadata", "active", "tax_behavior",
    )  # fmt: skip
    currency = p.one_of(params, "currency", CURRENCIES)
    product = state.get("product", p.text(params, "product"), param="product")
    scheme = p.one_of(params, "billing_scheme", ("per_unit", "tiered"), "per_unit")
    tiers = _tiers(params) if scheme == "tiered" else None
    amount = _unit_amount(params) if scheme == "per_unit" else None
    body: Body = {
        "id": state.new_id("price"), "object": "price", "active": p.boolean(params, "active", True),
        "billing_scheme": scheme, "created": state.now, "currency": currency, "custom_unit_amount": None,
        "livemode": False, "lookup_key": _claim_lookup_key(state, params), "metadata": p.metadata(params),
        "nickname": p.optional(params, "nickname"), "product": product["id"], "recurring": _recurring(state, params),
        "tax_behavior": "unspecified", "tiers_mode": params.get("tiers_mode") if tiers else None,
        "transform_quantity": None, "type": "recurring" if "recurring" in params else "one_time",
        "unit_amount": _whole_or_none(amount), "unit_amount_decimal": amount,
    }  # fmt: skip
    if tiers:
        body["tiers"] = tiers
    state.put(body)
    state.announce("price.created", _without_tiers(body))
    return body


def retrieve_price(state: State, id_: str, params: Params) -> Body:
    """GET /v1/prices/{id}; tiers only where they are expanded."""
    body = state.get("price", id_)
    return body if "tiers" in params.get("expand", []) else _without_tiers(body)


def update_price(state: State, id_: str, params: Params) -> Body:
    """POST /v1/prices/{id}: a price's amount never changes."""
    p.only(params, "active", "lookup_key", "transfer_lookup_key", "metadata", "nickname")
    body = state.get("price", id_)
    body["active"] = p.boolean(params, "active", body["active"])
    body["metadata"] = p.metadata(params, body)
    if "lookup_key" in params:
        body["lookup_key"] = _claim_lookup_key(state, params)
    state.put(body)
    state.announce("price.updated", _without_tiers(body))
    return _without_tiers(body)


def list_prices(state: State, params: Params) -> Body:
    """GET /v1/prices, also by lookup keys."""
    p.only(
        params, "limit", "starting_after", "ending_before", "active", "currency", "lookup_keys", "product", "type",
        "created", "recurring",
    )  # fmt: skip
    rows = list(p.created_filter(state.all("price"), params))
    for name in ("currency", "product", "type"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    if "active" in params:
        rows = [row for row in rows if row["active"] == (params["active"] == "true")]
    if "lookup_keys" in params:
        keys = set(params["lookup_keys"])
        rows = [row for row in rows if row["lookup_key"] in keys]
    listed = p.page(rows, params, "/v1/prices")
    if "data.tiers" not in params.get("expand", []):
        listed["data"] = [_without_tiers(row) for row in listed["data"]]
    return listed


def _without_tiers(body: Body) -> Body:
    return {key: value for key, value in body.items() if key != "tiers"}


def _claim_lookup_key(state: State, params: Params) -> str | None:
    key = p.optional(params, "lookup_key")
    if key is None:
        return None
    if len(key) > 200:
        raise invalid("lookup_key", "Invalid lookup_key: must be at most 200 characters")
    for other in state.objects["price"].values():
        if other["lookup_key"] == key:
            if not p.boolean(params, "transfer_lookup_key", False):
                raise StripeError(
                    400,
                    f"A price (`{other['id']}`) already uses that lookup key.",
                    code="resource_already_exists",
                    param="lookup_key",
                )
            other["lookup_key"] = None
            state.put(other)
    return key


def _recurring(state: State, params: Params) -> Body | None:
    given = params.get("recurring")
    if given is None:
        return None
    usage_type = given.get("usage_type", "licensed")
    meter = given.get("meter")
    if usage_type == "metered" and not meter:
        raise missing("recurring[meter]")
    if usage_type == "licensed" and meter:
        raise invalid("recurring[meter]", "You may only specify a meter with usage_type metered.")
    if meter and meter not in state.objects["billing.meter"]:
        raise absent("meter", meter, param="recurring[meter]")
    if given.get("interval") != "month":
        raise invalid("recurring[interval]", "This sandbox bills by the month.")
    return {
        "interval": "month", "interval_count": int(given.get("interval_count", 1)), "meter": meter,
        "usage_type": usage_type, "trial_period_days": None,
    }  # fmt: skip


def _unit_amount(params: Params) -> str:
    given = params.get("unit_amount_decimal", params.get("unit_amount"))
    if given in (None, ""):
        raise missing("unit_amount")
    return _decimal(given, "unit_amount_decimal")


def _decimal(given: str, param: str) -> str:
    try:
        amount = Decimal(given)
    except InvalidOperation:
        raise invalid(param, f"Invalid decimal: {given}", code="parameter_invalid_decimal") from None
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or amount < 0 or (isinstance(exponent, int) and exponent < -12):
        raise invalid(param, "Invalid decimal: at most 12 decimal places, not negative")
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _whole_or_none(amount: str | None) -> int | None:
    return int(amount) if amount is not None and "." not in amount else None


def _tiers(params: Params) -> list[Body]:
    if p.one_of(params, "tiers_mode", ("graduated", "volume")) != "graduated":
        raise invalid("tiers_mode", "This sandbox prices graduated tiers.")
    given: Any = params.get("tiers")
    if not isinstance(given, list) or not given:
        raise missing("tiers")
    tiers = []
    for place, tier in enumerate(given):
        amount = _decimal(tier.get("unit_amount_decimal", tier.get("unit_amount", "0")), f"tiers[{place}]")
        last = place == len(given) - 1
        if (tier.get("up_to") == "inf") != last:
            raise invalid(f"tiers[{place}][up_to]", "The last tier, and it alone, has `up_to` inf.")
        tiers.append(
            {
                "flat_amount": None, "flat_amount_decimal": None, "unit_amount": _whole_or_none(amount),
                "unit_amount_decimal": amount, "up_to": None if last else int(tier["up_to"]),
            }
        )  # fmt: skip
    return tiers


def create_meter(state: State, params: Params) -> Body:
    """POST /v1/billing/meters: one active meter for an event name."""
    p.only(
        params, "display_name", "event_name", "default_aggregation", "customer_mapping", "value_settings",
        "event_time_window",
    )  # fmt: skip
    event_name = p.text(params, "event_name", longest=100)
    if any(m["event_name"] == event_name and m["status"] == "active" for m in state.objects["billing.meter"].values()):
        raise StripeError(400, f"An active meter already exists for event name {event_name}.", param="event_name")
    formula = (params.get("default_aggregation") or {}).get("formula")
    if formula != "sum":
        raise invalid("default_aggregation[formula]", "This sandbox aggregates by sum.")
    mapping = (params.get("customer_mapping") or {}).get("event_payload_key", "stripe_customer_id")
    body: Body = {
        "id": state.new_id("billing.meter"), "object": "billing.meter", "created": state.now,
        "customer_mapping": {"event_payload_key": mapping, "type": "by_id"},
        "default_aggregation": {"formula": formula}, "display_name": p.text(params, "display_name", longest=250),
        "event_name": event_name, "event_time_window": None, "livemode": False, "status": "active",
        "status_transitions": {"deactivated_at": None}, "updated": state.now,
        "value_settings": {
            "event_payload_key": (params.get("value_settings") or {}).get("event_payload_key", "value"),
        },
    }  # fmt: skip
    state.put(body)
    state.announce("billing.meter.created", body)
    return body


def list_meters(state: State, params: Params) -> Body:
    """GET /v1/billing/meters."""
    p.only(params, "limit", "starting_after", "ending_before", "status")
    rows = [m for m in state.all("billing.meter") if params.get("status") in (None, m["status"])]
    return p.page(rows, params, "/v1/billing/meters")


def switch_meter(state: State, id_: str, *, active: bool) -> Body:
    """POST /v1/billing/meters/{id}/deactivate and reactivate."""
    body = state.get("billing.meter", id_)
    body["status"] = "active" if active else "inactive"
    body["status_transitions"] = {"deactivated_at": None if active else state.now}
    body["updated"] = state.now
    state.put(body)
    state.announce(f"billing.meter.{'reactivated' if active else 'deactivated'}", body)
    return body
