"""Meters, products, prices, customers and subscriptions: looked up, and made where they are missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from invoicing_sync.stripe_door.client import Client
from invoicing_sync.stripe_door.convert import from_wire_subscription, seconds
from invoicing_sync.stripe_door.errors import NotThere
from invoicing_sync.stripe_door.wire import Subscription


class Catalogue:
    """Every `make_` takes an Idempotency-Key and may raise Unsure; then `find_` tells before it is tried again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find_meter(self, event_name: str) -> str | None:
        """The id of the active meter of this event name."""
        fetch = self._client.sdk.v1.billing.meters.list_async
        async for meter in self._client.rows("find_meter", fetch, {"status": "active", "limit": 100}):
            if meter["event_name"] == event_name:
                return str(meter["id"])
        return None

    async def make_meter(self, event_name: str, *, key: str) -> str:
        """A meter that sums `value` by customer."""
        params: Any = {
            "display_name": event_name,
            "event_name": event_name,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "value"},
        }
        create = self._client.sdk.v1.billing.meters.create_async
        return (await self._client.ask("make_meter", lambda: create(params, {"idempotency_key": key}), write=True)).id

    async def find_product(self, product_id: str) -> str | None:
        """The product with the id that we give it."""
        retrieve = self._client.sdk.v1.products.retrieve_async
        try:
            return (await self._client.ask("find_product", lambda: retrieve(product_id))).id
        except NotThere:
            return None

    async def make_product(self, product_id: str, name: str, *, key: str) -> str:
        """A product under our own id."""
        params: Any = {"id": product_id, "name": name, "metadata": {"settled_item": name}}
        create = self._client.sdk.v1.products.create_async
        return (await self._client.ask("make_product", lambda: create(params, {"idempotency_key": key}), write=True)).id

    async def find_price(self, lookup_key: str) -> str | None:
        """The id of the active price that bears this lookup key."""
        params: Any = {"lookup_keys": [lookup_key], "active": True}
        list_prices = self._client.sdk.v1.prices.list_async
        found = (await self._client.ask("find_price", lambda: list_prices(params))).data
        return found[0].id if found else None

    async def make_price(self, params: Any, *, key: str) -> str:
        """A price; see `convert.to_wire_metered_price` and `to_wire_licensed_price`."""
        create = self._client.sdk.v1.prices.create_async
        return (await self._client.ask("make_price", lambda: create(params, {"idempotency_key": key}), write=True)).id

    async def has_customer(self, stripe_customer: str) -> bool:
        """Whether the customer exists and has not been deleted."""
        retrieve = self._client.sdk.v1.customers.retrieve_async
        try:
            found = await self._client.ask("read_customer", lambda: retrieve(stripe_customer))
        except NotThere:
            return False
        return not found.to_dict().get("deleted", False)

    async def find_customer(self, customer: str, *, made_since: datetime) -> str | None:
        """
        The customer whose metadata names ours, among those made since the intent to make it was stored.

        Lists are consistent at once; the search API lags and is not used.
        """
        fetch = self._client.sdk.v1.customers.list_async
        params = {"created": {"gte": seconds(made_since)}, "limit": 100}
        async for found in self._client.rows("find_customer", fetch, params):
            if (found.get("metadata") or {}).get("customer") == customer:
                return str(found["id"])
        return None

    async def make_customer(self, params: Any, *, key: str) -> str:
        """A customer whose metadata names ours; see `convert.to_wire_customer`."""
        create = self._client.sdk.v1.customers.create_async
        made = await self._client.ask("make_customer", lambda: create(params, {"idempotency_key": key}), write=True)
        return made.id

    async def mark_customer(self, stripe_customer: str, params: Any) -> None:
        """Write our id, name and address onto a customer; repeating it changes nothing."""
        update = self._client.sdk.v1.customers.update_async
        await self._client.ask("mark_customer", lambda: update(stripe_customer, params))

    async def find_subscription(self, stripe_customer: str, customer: str) -> Subscription | None:
        """The running subscription of this customer that we made."""
        params: Any = {"customer": stripe_customer, "limit": 100}
        list_subscriptions = self._client.sdk.v1.subscriptions.list_async
        page = await self._client.ask("find_subscription", lambda: list_subscriptions(params))
        rows: Iterable[dict[str, Any]] = (row.to_dict() for row in page.data)
        ours = (row for row in rows if (row.get("metadata") or {}).get("customer") == customer)
        return next((from_wire_subscription(row) for row in ours), None)

    async def read_subscription(self, subscription: str) -> Subscription:
        """A subscription as it is now. Raises NotThere."""
        retrieve = self._client.sdk.v1.subscriptions.retrieve_async
        raw = await self._client.ask("read_subscription", lambda: retrieve(subscription))
        return from_wire_subscription(raw.to_dict())

    async def change_subscription(self, subscription: str, params: Any) -> None:
        """Change what does not touch its items; repeating it changes nothing."""
        update = self._client.sdk.v1.subscriptions.update_async
        await self._client.ask("change_subscription", lambda: update(subscription, params))

    async def make_subscription(self, params: Any, *, key: str) -> Subscription:
        """A subscription; see `convert.to_wire_subscription`."""
        create = self._client.sdk.v1.subscriptions.create_async
        made = await self._client.ask("make_subscription", lambda: create(params, {"idempotency_key": key}), write=True)
        return from_wire_subscription(made.to_dict())
