"""Meters, products, prices, customers and subscriptions: looked up, and made where they are missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote

from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.convert import from_wire_subscription, seconds
from invoicing_sync.stripe_door.errors import NotThere
from invoicing_sync.stripe_door.wire import Subscription

_LISTS: dict[str, tuple[str, Row]] = {
    "meter": ("/v1/billing/meters", {}),
    "product": ("/v1/products", {}),
    "price": ("/v1/prices", {"expand": ["data.tiers"]}),
    "coupon": ("/v1/coupons", {}),
}


class Catalogue:
    """Every `make_` takes an Idempotency-Key and may raise Unsure; then `find_` tells before it is tried again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find_meter(self, event_name: str) -> str | None:
        """The id of the active meter of this event name."""
        params = {"status": "active", "limit": 100}
        async for meter in self._client.rows("find_meter", "/v1/billing/meters", params):
            if meter["event_name"] == event_name:
                return str(meter["id"])
        return None

    async def make_meter(self, event_name: str, *, key: str) -> str:
        """A meter that sums `value` by customer."""
        params = {
            "display_name": event_name,
            "event_name": event_name,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "value"},
        }
        return _id(await self._client.post("make_meter", "/v1/billing/meters", params, key=key))

    async def all_of(self, kind: str) -> AsyncIterator[Row]:
        """Every meter, product, price or coupon of the account, in use or not."""
        path, expand = _LISTS[kind]
        async for row in self._client.rows(f"list_{kind}s", path, {"limit": 100, **expand}):
            yield row

    async def find_product(self, product_id: str) -> str | None:
        """The product with the id that we give it."""
        try:
            return _id(await self._client.get("find_product", f"/v1/products/{quote(product_id, safe='')}"))
        except NotThere:
            return None

    async def make_product(self, product_id: str, name: str, *, key: str) -> str:
        """A product under our own id."""
        params = {"id": product_id, "name": name, "metadata": {"settled_item": name}}
        return _id(await self._client.post("make_product", "/v1/products", params, key=key))

    async def find_price(self, lookup_key: str) -> str | None:
        """The id of the active price that bears this lookup key."""
        params = {"lookup_keys": [lookup_key], "active": True}
        found = (await self._client.get("find_price", "/v1/prices", params))["data"]
        return _id(found[0]) if found else None

    async def make_price(self, params: Row, *, key: str) -> str:
        """A price; see `convert.to_wire_metered_price` and `to_wire_licensed_price`."""
        return _id(await self._client.post("make_price", "/v1/prices", params, key=key))

    async def has_customer(self, stripe_customer: str) -> bool:
        """Whether the customer exists and has not been deleted."""
        try:
            found = await self._client.get("read_customer", _customer(stripe_customer))
        except NotThere:
            return False
        return not found.get("deleted", False)

    async def find_customer(self, customer: str, *, made_since: datetime) -> str | None:
        """
        The customer whose metadata names ours, among those made since the intent to make it was stored.

        Lists are consistent at once; the search API lags and is not used.
        """
        params = {"created": {"gte": seconds(made_since)}, "limit": 100}
        async for found in self._client.rows("find_customer", "/v1/customers", params):
            if (found.get("metadata") or {}).get("customer") == customer:
                return str(found["id"])
        return None

    async def make_customer(self, params: Row, *, key: str) -> str:
        """A customer whose metadata names ours; see `convert.to_wire_customer`."""
        return _id(await self._client.post("make_customer", "/v1/customers", params, key=key))

    async def mark_customer(self, stripe_customer: str, params: Row) -> None:
        """Write our id, name and address onto a customer; repeating it changes nothing."""
        await self._client.post("mark_customer", _customer(stripe_customer), params)

    async def find_subscription(self, stripe_customer: str, customer: str) -> Subscription | None:
        """The running subscription of this customer that we made."""
        params = {"customer": stripe_customer, "limit": 100}
        rows = (await self._client.get("find_subscription", "/v1/subscriptions", params))["data"]
        ours = (row for row in rows if (row.get("metadata") or {}).get("customer") == customer)
        return next((from_wire_subscription(row) for row in ours), None)

    async def read_subscription(self, subscription: str) -> Subscription:
        """A subscription as it is now. Raises NotThere."""
        return from_wire_subscription(await self._client.get("read_subscription", _subscription(subscription)))

    async def change_subscription(self, subscription: str, params: Row) -> None:
        """Change what does not touch its items; repeating it changes nothing."""
        await self._client.post("change_subscription", _subscription(subscription), params)

    async def change_items(self, subscription: str, params: Row, *, key: str) -> None:
        """Change a subscription's items. Raises Unsure after a 5xx: read it before it is tried again, Refused."""
        await self._client.post("change_items", _subscription(subscription), params, key=key)

    async def end_subscription(self, subscription: str) -> None:
        """End it now, with a last invoice for what was used; one that has ended is fine."""
        try:
            await self._client.delete("end_subscription", _subscription(subscription))
        except NotThere:
            return

    async def make_subscription(self, params: Row, *, key: str) -> Subscription:
        """A subscription; see `convert.to_wire_subscription`."""
        made = await self._client.post("make_subscription", "/v1/subscriptions", params, key=key)
        return from_wire_subscription(made)


def _id(row: Row) -> str:
    return str(row["id"])


def _customer(stripe_customer: str) -> str:
    return f"/v1/customers/{quote(stripe_customer, safe='')}"


def _subscription(subscription: str) -> str:
    return f"/v1/subscriptions/{quote(subscription, safe='')}"
