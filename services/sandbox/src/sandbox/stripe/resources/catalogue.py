"""Products and prices."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.errors import StripeError, absent, invalid, missing
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

CURRENCIES = ("usd", "eur", "gbp", "jpy", "kwd")
THREE_DECIMALS = ("kwd",)  # of these currencies Stripe takes payments in steps of ten minor units only


def create_product(state: State, params: Params) -> Body:
    """POST /v1/products."""
    p.only(params, "name", "id", "description", "metadata", "active", "unit_label", "tax_code")
    own = p.optional(params, "id")
    if own and own in state.objects["product"]:
        raise StripeError(400, "Product already exists.", code="resource_already_exists", param="id")
    body: Body = {
        "id": own or state.new_id("product"),
        "object": "product",
        "active": p.boolean(params, "active", True),
        "created": state.now,
        "default_price": None,
        "description": p.optional(params, "description"),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": p.metadata(params),
        "name": p.text(params, "name"),
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": p.optional(params, "tax_code"),
        "unit_label": p.optional(params, "unit_label"),
        "tax_details": None,
        "updated": state.now,
        "url": None,
    }
    state.put(body)
    state.announce("product.created", body)
    return body


def list_products(state: State, params: Params) -> Body:
    """GET /v1/products."""
    p.only(params, "limit", "starting_after", "ending_before", "active", "created", "ids")
    rows = p.created_filter(state.all("product"), params)
    if "active" in params:
        wanted = p.boolean(params, "active", True)
        rows = [row for row in rows if row["active"] == wanted]
    if "ids" in params:
        rows = [row for row in rows if row["id"] in params["ids"]]
    return p.page(rows, params, "/v1/products")


def create_price(state: State, params: Params) -> Body:
    """POST /v1/prices: per unit, by packages or tiered; licensed, or metered by a meter."""
    p.only(
        params,
        "currency",
        "product",
        "unit_amount",
        "unit_amount_decimal",
        "recurring",
        "billing_scheme",
        "tiers",
        "tiers_mode",
        "lookup_key",
        "transfer_lookup_key",
        "nickname",
        "metadata",
        "active",
        "tax_behavior",
        "transform_quantity",
    )
    currency = p.one_of(params, "currency", CURRENCIES)
    product = state.get("product", p.text(params, "product"), param="product")
    scheme = p.one_of(params, "billing_scheme", ("per_unit", "tiered"), "per_unit")
    tiers = _tiers(params) if scheme == "tiered" else None
    amount = _unit_amount(params) if scheme == "per_unit" else None
    body: Body = {
        "id": state.new_id("price"),
        "object": "price",
        "active": p.boolean(params, "active", True),
        "billing_scheme": scheme,
        "created": state.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": _claim_lookup_key(state, params),
        "metadata": p.metadata(params),
        "nickname": p.optional(params, "nickname"),
        "product": product["id"],
        "recurring": _recurring(state, params),
        "tax_behavior": "unspecified",
        "tiers_mode": params.get("tiers_mode") if tiers else None,
        "transform_quantity": _package(params, scheme),
        "type": "recurring" if "recurring" in params else "one_time",
        "unit_amount": _whole_or_none(amount),
        "unit_amount_decimal": amount,
    }
    if tiers:
        body["tiers"] = tiers
    state.put(body)
    state.announce("price.created", without_tiers(body))
    return body


def update_price(state: State, id_: str, params: Params) -> Body:
    """POST /v1/prices/{id}: a price's amount never changes."""
    p.only(params, "active", "lookup_key", "transfer_lookup_key", "metadata", "nickname")
    body = state.get("price", id_)
    body["active"] = p.boolean(params, "active", body["active"])
    body["metadata"] = p.metadata(params, body)
    if "nickname" in params:
        body["nickname"] = p.optional(params, "nickname")
    if "lookup_key" in params:
        body["lookup_key"] = _claim_lookup_key(state, params)
    state.put(body)
    state.announce("price.updated", without_tiers(body))
    return body


def list_prices(state: State, params: Params) -> Body:
    """GET /v1/prices, also by lookup keys."""
    p.only(
        params,
        "limit",
        "starting_after",
        "ending_before",
        "active",
        "currency",
        "lookup_keys",
        "product",
        "type",
        "created",
        "recurring",
    )
    rows = list(p.created_filter(state.all("price"), params))
    for name in ("currency", "product", "type"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    if "active" in params:
        rows = [row for row in rows if row["active"] == (params["active"] == "true")]
    if "lookup_keys" in params:
        keys = set(params["lookup_keys"])
        rows = [row for row in rows if row["lookup_key"] in keys]
    return p.page(rows, params, "/v1/prices")


def without_tiers(body: Body) -> Body:
    """A price as it is shown where its tiers were not asked for."""
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
    return {
        "interval": given["interval"],
        "interval_count": p.whole(given, "interval_count", 1),
        "meter": meter,
        "usage_type": usage_type,
    }


def _package(params: Params, scheme: str) -> Body | None:
    given = params.get("transform_quantity")
    if not given:
        return None
    if scheme == "tiered":
        raise invalid("transform_quantity", "You may not use `transform_quantity` with tiers.")
    size = p.whole(given, "divide_by", 0)
    if size < 1:
        raise invalid("transform_quantity[divide_by]", "This value must be greater than or equal to 1.")
    return {"divide_by": size, "round": p.one_of(given, "round", ("up", "down"))}


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
    if params.get("tiers_mode") is None:
        raise missing("tiers_mode")
    given: Any = params.get("tiers")
    if not isinstance(given, list) or not given:
        raise missing("tiers")
    tiers: list[Body] = []
    bound = 0
    for place, tier in enumerate(given):
        last = place == len(given) - 1
        if (tier.get("up_to") == "inf") != last:
            raise invalid(f"tiers[{place}][up_to]", "The last tier, and it alone, has `up_to` inf.")
        if not last and int(tier["up_to"]) <= bound:
            raise invalid(f"tiers[{place}][up_to]", "The tiers must be ordered by `up_to`.")
        bound = bound if last else int(tier["up_to"])
        amount = _tier_amount(tier, "unit_amount", place)
        flat = _tier_amount(tier, "flat_amount", place)
        if amount is None and flat is None:
            raise missing(f"tiers[{place}][unit_amount]")
        tiers.append(
            {
                "flat_amount": _whole_or_none(flat),
                "flat_amount_decimal": flat,
                "unit_amount": _whole_or_none(amount),
                "unit_amount_decimal": amount,
                "up_to": None if last else bound,
            }
        )
    return tiers


def _tier_amount(tier: Params, name: str, place: int) -> str | None:
    given = tier.get(f"{name}_decimal", tier.get(name))
    return None if given in (None, "") else _decimal(str(given), f"tiers[{place}][{name}_decimal]")


def update_product(state: State, id_: str, params: Params) -> Body:
    """POST /v1/products/{id}."""
    p.only(params, "name", "description", "metadata", "active", "unit_label", "tax_code")
    body = state.get("product", id_)
    before = {key: body[key] for key in params if key in body}
    for name in ("description", "unit_label", "tax_code"):
        if name in params:
            body[name] = p.optional(params, name)
    body["name"] = p.optional(params, "name") or body["name"]
    body["active"] = p.boolean(params, "active", body["active"])
    body["metadata"] = p.metadata(params, body)
    body["updated"] = state.now
    state.put(body)
    state.announce("product.updated", body, before)
    return body
