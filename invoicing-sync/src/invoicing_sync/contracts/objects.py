"""Makes sure that an object exists at Stripe, once, whatever dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync.gaps import failpoints
from invoicing_sync.store import links
from invoicing_sync.store.links import Link
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import key_of
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused, Unsure

ATTEMPTS = 5  # keys for one object in one go; after that the worker comes back later

Find = Callable[[datetime], Awaitable[str | None]]  # the instant from which the object may have been made
Make = Callable[[str], Awaitable[str]]  # the Idempotency-Key


class Objects:
    """
    Objects at Stripe by (kind, natural key). What is known is answered without a call.

    Order of effects: intent, look-up, call, link. A new intent is looked up only where others may have made the
    object (`shared`); an old one always, since its call may have been made.
    """

    def __init__(self, pool: Pool, door: StripeDoor, clock: Clock) -> None:
        self._pool = pool
        self._door = door
        self._clock = clock
        self._known: dict[tuple[str, str], str] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def ensure(
        self, kind: str, key: str, params: Mapping[str, Any], *, find: Find, make: Make, shared: bool = True
    ) -> str:
        """The object's id, made if it is missing. Raises Refused when Stripe will not have it."""
        known = self._known.get((kind, key))
        if known is not None:
            return known
        async with self._turns.setdefault((kind, key), asyncio.Lock()):
            link = await links.intend_once(self._pool, kind, key, now=self._clock.now())
            stripe_id = link.stripe_id or await self._found_or_made(kind, key, params, link, find, make, shared)
            self._known[(kind, key)] = stripe_id
            return stripe_id

    async def _found_or_made(
        self, kind: str, key: str, params: Mapping[str, Any], link: Link, find: Find, make: Make, shared: bool
    ) -> str:
        failpoints.reach("link-intended")
        look, attempt = shared or not link.fresh, link.attempt
        for _ in range(ATTEMPTS):
            stripe_id = await find(link.intended_at) if look else None
            try:
                stripe_id = stripe_id or await make(key_of(kind, key, params, attempt))
            except Unsure:
                attempt, look = await links.next_attempt(self._pool, kind, key), True
                await asyncio.sleep(self._door.client.backoff_s(1))
                continue
            except Refused:
                await links.next_attempt(self._pool, kind, key)  # Stripe would replay the refusal of this key for 24 h
                raise
            failpoints.reach("object-made")
            await links.link(self._pool, kind, key, stripe_id)
            return stripe_id
        raise TryLater(f"Stripe answers 5xx to {kind} {key}", after_s=5.0)

    async def meter(self, name: str) -> str:
        """The meter whose event name is `name`."""
        catalogue = self._door.catalogue
        return await self.ensure(
            "meter",
            name,
            {"event_name": name},
            find=lambda _: catalogue.find_meter(name),
            make=lambda key: catalogue.make_meter(name, key=key),
        )

    async def product(self, kind: str, item: str) -> str:
        """The product of a meter (`usage`) or a licensed item (`advance`)."""
        catalogue, product = self._door.catalogue, f"settled-{kind}-{item}"
        return await self.ensure(
            "product",
            product,
            {"id": product},
            find=lambda _: catalogue.find_product(product),
            make=lambda key: catalogue.make_product(product, item, key=key),
        )

    async def subscription(
        self, customer: str, stripe_customer: str, params: Mapping[str, Any], *, shared: bool
    ) -> str:
        """A customer's subscription; `shared`: others may have made it for the Stripe customer that was named."""
        catalogue = self._door.catalogue

        async def find(_: datetime) -> str | None:
            found = await catalogue.find_subscription(stripe_customer, customer)
            return None if found is None else found.subscription_id

        async def make(key: str) -> str:
            return (await catalogue.make_subscription(dict(params), key=key)).subscription_id

        return await self.ensure("subscription", customer, params, find=find, make=make, shared=shared)

    async def price(self, params: Mapping[str, Any]) -> str:
        """The price with these parameters, by its lookup key."""
        catalogue, lookup_key = self._door.catalogue, str(params["lookup_key"])
        return await self.ensure(
            "price",
            lookup_key,
            params,
            find=lambda _: catalogue.find_price(lookup_key),
            make=lambda key: catalogue.make_price(dict(params), key=key),
        )
