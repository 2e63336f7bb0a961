"""Coupons: what a discount is made from."""

from __future__ import annotations

from fractions import Fraction

from sandbox.stripe.errors import StripeError, invalid, missing
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.catalogue import CURRENCIES
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State


def create_coupon(state: State, params: Params) -> Body:
    """POST /v1/coupons: a percentage or an amount; once, for some months, or for ever."""
    p.only(
        params,
        "id",
        "name",
        "percent_off",
        "amount_off",
        "currency",
        "duration",
        "duration_in_months",
        "applies_to",
        "max_redemptions",
        "redeem_by",
        "metadata",
    )
    own = p.optional(params, "id")
    if own and own in state.objects["coupon"]:
        raise StripeError(400, "Coupon already exists.", code="resource_already_exists", param="id")
    duration = p.one_of(params, "duration", ("forever", "once", "repeating"), "once")
    months = p.integer(params, "duration_in_months")
    if duration == "repeating" and (months is None or months < 1):
        raise missing("duration_in_months")
    if duration != "repeating" and months is not None:
        raise invalid("duration_in_months", "`duration_in_months` is only valid if `duration` is `repeating`.")
    percent, amount, currency = _value(params)
    body: Body = {
        "id": own or state.new_id("coupon"),
        "object": "coupon",
        "amount_off": amount,
        "created": state.now,
        "currency": currency,
        "duration": duration,
        "duration_in_months": months,
        "livemode": False,
        "max_redemptions": p.integer(params, "max_redemptions"),
        "metadata": p.metadata(params),
        "name": p.optional(params, "name"),
        "percent_off": percent,
        "redeem_by": p.integer(params, "redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    products = (params.get("applies_to") or {}).get("products")
    if products:
        for product in products:
            state.get("product", product, param="applies_to[products]")
        body["applies_to"] = {"products": products}
    state.put(body)
    state.announce("coupon.created", without_products(body))
    return body


def _value(params: Params) -> tuple[float | None, int | None, str | None]:
    percent, amount = p.optional(params, "percent_off"), p.integer(params, "amount_off")
    if (percent is None) == (amount is None):
        raise missing("percent_off")
    if percent is not None:
        if not 0 < Fraction(percent) <= 100:
            raise invalid("percent_off", "Invalid percent_off: must be greater than 0 and at most 100.")
        return float(percent), None, None  # Stripe's field is a JSON number
    if amount is None or amount < 1:
        raise invalid("amount_off", "This value must be greater than or equal to 1.")
    return None, amount, p.one_of(params, "currency", CURRENCIES)


def without_products(body: Body) -> Body:
    """A coupon as it is shown where what it applies to was not asked for."""
    return {key: value for key, value in body.items() if key != "applies_to"}


def is_valid(state: State, body: Body) -> bool:
    """Whether it can still be redeemed."""
    most, until = body["max_redemptions"], body["redeem_by"]
    is_left = most is None or body["times_redeemed"] < most
    return not body.get("deleted") and is_left and (until is None or state.now < until)


def list_coupons(state: State, params: Params) -> Body:
    """GET /v1/coupons."""
    p.only(params, "limit", "starting_after", "ending_before", "created")
    rows = [row for row in p.created_filter(state.all("coupon"), params) if not row.get("deleted")]
    return p.page(rows, params, "/v1/coupons")


def update_coupon(state: State, id_: str, params: Params) -> Body:
    """POST /v1/coupons/{id}: its name and metadata."""
    p.only(params, "name", "metadata")
    body = state.get("coupon", id_)
    if "name" in params:
        body["name"] = p.optional(params, "name")
    body["metadata"] = p.metadata(params, body)
    state.put(body)
    state.announce("coupon.updated", without_products(body))
    return body


def delete_coupon(state: State, id_: str, _: Params) -> Body:
    """DELETE /v1/coupons/{id}: discounts that were made from it stay."""
    body = state.get("coupon", id_)
    body["deleted"], body["valid"] = True, False
    state.put(body)
    state.announce("coupon.deleted", without_products(body))
    return {"id": id_, "object": "coupon", "deleted": True}
