"""What Stripe has of one customer, read for the plan of operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from event_schemas.times import Period
from invoicing_sync.contracts.domain.plan.at_stripe import Collection, CustomerFields, HasItem, HasSubscription, Told
from invoicing_sync.stripe_door.client import Client
from invoicing_sync.stripe_door.convert import from_lookup_key, instant
from invoicing_sync.stripe_door.errors import NotThere


class State:
    """Reads only."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def customer(self, stripe_customer: str) -> CustomerFields | None:
        """Name and address; None where the customer is not there, or deleted."""
        try:
            found = await self._client.get("read_customer", f"/v1/customers/{quote(stripe_customer, safe='')}")
        except NotThere:
            return None
        return None if found.get("deleted") else CustomerFields(found.get("name") or "", found.get("email"))

    async def subscription(self, subscription: str, told: Told) -> HasSubscription | None:
        """The subscription with its items; `told` tells which of them stand for which item of the contract."""
        try:
            path = f"/v1/subscriptions/{quote(subscription, safe='')}"
            found = await self._client.get("read_subscription", path, {"expand": ["discounts", "items.data.discounts"]})
        except NotThere:
            return None
        return has_subscription(found, told)


def has_subscription(raw: Mapping[str, Any], told: Told) -> HasSubscription:
    """
    A subscription as the plan compares it.

    An item stands for the item of the contract whose price it has; where a person gave it another price, for the one
    that is missing and sold under the same name.
    """
    rows = raw["items"]["data"]
    keys = {said.price: key for key, said in told.items.items()}
    by_item = {row["id"]: keys.pop(_price(row), None) for row in rows}
    left = {from_lookup_key(price): key for price, key in keys.items()}
    for row in rows:
        name = _named(_price(row))
        if by_item[row["id"]] is None and name is not None:
            by_item[row["id"]] = left.pop(name, None)
    method = raw["collection_method"]
    cancel_at = raw.get("cancel_at")
    return HasSubscription(
        subscription_id=raw["id"],
        items=tuple(
            HasItem(row["id"], by_item[row["id"]], _price(row), row.get("quantity"), _discounts(row)) for row in rows
        ),
        period=Period(
            instant(min(row["current_period_start"] for row in rows)),
            instant(min(row["current_period_end"] for row in rows)),
        ),
        collection=Collection(method, raw.get("days_until_due") if method == "send_invoice" else None),
        discounts=_discounts(raw),
        keeps_drafts=(raw.get("pause_collection") or {}).get("behavior") == "keep_as_draft",
        cancel_at=None if cancel_at is None else instant(cancel_at),
        ended=raw["status"] in ("canceled", "incomplete_expired"),
    )


def _price(row: Mapping[str, Any]) -> str:
    return str(row["price"].get("lookup_key") or row["price"]["id"])


def _named(price: str) -> tuple[str, str] | None:
    return from_lookup_key(price) if price.startswith("settled.") and price.count(".") == 4 else None


def _discounts(raw: Mapping[str, Any]) -> frozenset[str]:
    """Coupons of the discounts; a discount that came as its id alone stands for itself."""
    return frozenset(
        one if isinstance(one, str) else str((one.get("source") or {}).get("coupon") or one["id"])
        for one in raw.get("discounts") or ()
    )
