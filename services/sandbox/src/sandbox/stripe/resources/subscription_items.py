"""Single items of a subscription; each call changes the subscription as its own update does."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.errors import absent
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.subscriptions import change_items
from sandbox.stripe.state import Body, State

_HOW = ("proration_behavior", "proration_date", "payment_behavior", "off_session")
_WHAT = ("price", "quantity", "metadata", "discounts")


def create(state: State, params: Params) -> Body:
    """POST /v1/subscription_items."""
    p.only(params, "subscription", *_WHAT, *_HOW)
    subscription = state.get("subscription", p.text(params, "subscription"), param="subscription")
    change_items(state, subscription, [_chosen(params, _WHAT)], params)
    made: Body = subscription["items"]["data"][-1]
    return made


def list_items(state: State, params: Params) -> Body:
    """GET /v1/subscription_items of a subscription."""
    p.only(params, "subscription", "limit", "starting_after", "ending_before")
    subscription = state.get("subscription", p.text(params, "subscription"), param="subscription")
    return p.page(list(subscription["items"]["data"]), params, "/v1/subscription_items")


def retrieve(state: State, id_: str, _: Params) -> Body:
    """GET /v1/subscription_items/{id}."""
    return _find(state, id_)[1]


def update(state: State, id_: str, params: Params) -> Body:
    """POST /v1/subscription_items/{id}."""
    p.only(params, *_WHAT, *_HOW)
    subscription, item = _find(state, id_)
    change_items(state, subscription, [{"id": id_, **_chosen(params, _WHAT)}], params)
    return item


def delete(state: State, id_: str, params: Params) -> Body:
    """DELETE /v1/subscription_items/{id}."""
    p.only(params, "clear_usage", *_HOW)
    subscription, _ = _find(state, id_)
    change_items(state, subscription, [{"id": id_, "deleted": "true", **_chosen(params, ("clear_usage",))}], params)
    return {"id": id_, "object": "subscription_item", "deleted": True}


def _chosen(params: Params, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: params[name] for name in names if name in params}


def _find(state: State, id_: str) -> tuple[Body, Body]:
    subscription = state.objects["subscription"].get(state.item_owners.get(id_, ""))
    rows = subscription["items"]["data"] if subscription is not None else []
    for item in rows:
        if item["id"] == id_ and subscription is not None:
            return subscription, item
    raise absent("subscription_item", id_, param="item")
