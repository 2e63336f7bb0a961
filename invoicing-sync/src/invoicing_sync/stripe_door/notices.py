"""Stripe's events: lists, thin events in full, webhook endpoints, signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import stripe

from event_schemas.times import iso
from invoicing_sync.stripe_door.client import API_VERSION, Client
from invoicing_sync.stripe_door.convert import from_wire_event, from_wire_thin_event, seconds
from invoicing_sync.stripe_door.errors import NotThere, Refused
from invoicing_sync.stripe_door.wire import Event

# What the bridges and this door need; everything else would only cost Stripe and us a request.
SNAPSHOT_TYPES = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.created",
    "invoice.updated",
    "invoice.deleted",
    "invoice.finalized",
    "invoice.finalization_failed",
    "invoice.sent",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
)
THIN_TYPES = ("v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found")
EVENTS = "/v1/events"
MARK = {"settled": "invoicing-sync"}


class Forged(Exception):
    """The signature does not fit, or its time is too far from ours."""


def verify(body: bytes, header: str | None, secrets: Sequence[str], *, tolerance: timedelta, now: datetime) -> None:
    """
    Check a webhook's signature by any of the secrets, and its time in both directions.

    The SDK checks the age only; a time ahead of ours would make a captured request usable for longer.

    Raises:
        Forged: no secret fits, or the time is off by more than the tolerance.
    """
    problem = "no webhook secret is known yet"
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body.decode(), header, secret, int(tolerance.total_seconds()))
            break
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            problem = str(error)
    else:
        raise Forged(problem)
    stamp = next((part[2:] for part in (header or "").split(",") if part.startswith("t=")), "0")
    if int(stamp) > now.timestamp() + tolerance.total_seconds():
        raise Forged("the signature's time is in the future")


class Notices:
    """What Stripe tells of itself."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def events(self, *, since: datetime, after: str | None) -> AsyncIterator[list[Event]]:
        """
        Pages of snapshot events, oldest first: those after the event `after`, or all made since `since`.

        An `after` that Stripe keeps no more (30 days) falls back to `since`.
        """
        cursor = after
        while cursor is not None:
            params = {"limit": 100, "types": list(SNAPSHOT_TYPES), "ending_before": cursor}
            try:
                page = await self._client.get("list_events", EVENTS, params)
            except (NotThere, Refused):
                cursor = None
                break
            found = [from_wire_event(row) for row in reversed(page["data"])]
            if found:
                yield found
                cursor = found[-1].event_id
            if not page["has_more"] or not found:
                return
        yield await self._all_since(since)

    async def _all_since(self, since: datetime) -> list[Event]:
        params = {"limit": 100, "types": list(SNAPSHOT_TYPES), "created": {"gte": seconds(since)}}
        newest_first = [from_wire_event(row) async for row in self._client.rows("list_events", EVENTS, params)]
        return newest_first[::-1]

    async def thin_events(self, *, since: datetime) -> list[Event]:
        """Thin events made since, oldest first. Stripe keeps them for 30 days."""
        params: Any = {"limit": 100, "types": list(THIN_TYPES), "created": {"gte": iso(since)}}
        newest_first = await self._client.ask("list_thin_events", partial(self._thin_rows, params))
        return [from_wire_thin_event(row) for row in reversed(newest_first)]

    async def _thin_rows(self, params: Any) -> list[Any]:
        page = await self._client.sdk.v2.core.events.list_async(params)
        return [row.to_dict(for_json=True) async for row in page.auto_paging_iter()]

    async def thin_event(self, event_id: str) -> dict[str, Any]:
        """A thin event in full, with its data. Raises NotThere."""
        retrieve = self._client.sdk.v2.core.events.retrieve_async
        event = await self._client.ask("thin_event", lambda: retrieve(event_id))
        return event.to_dict(for_json=True)

    async def find_endpoint(self, url: str) -> str | None:
        """The snapshot endpoint of this URL that we made."""
        list_endpoints = self._client.sdk.v1.webhook_endpoints.list_async
        page = await self._client.ask("find_endpoint", lambda: list_endpoints({"limit": 100}))
        return next((e.id for e in page.data if e.url == url and dict(e.to_dict()["metadata"]) == MARK), None)

    async def drop_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint whose secret is lost."""
        delete = self._client.sdk.v1.webhook_endpoints.delete_async
        await self._client.ask("drop_endpoint", lambda: delete(endpoint_id))

    async def make_endpoint(self, url: str, *, key: str) -> tuple[str, str]:
        """A snapshot endpoint: its id and its secret, which Stripe tells this once."""
        params: Any = {"url": url, "enabled_events": list(SNAPSHOT_TYPES), "api_version": API_VERSION, "metadata": MARK}
        create = self._client.sdk.v1.webhook_endpoints.create_async
        made = await self._client.ask("make_endpoint", lambda: create(params, {"idempotency_key": key}), write=True)
        return made.id, str(made.secret)

    async def find_destination(self, url: str) -> str | None:
        """The thin destination of this URL that we made."""
        list_destinations = self._client.sdk.v2.core.event_destinations.list_async
        params: Any = {"include": ["webhook_endpoint.url"]}
        page = await self._client.ask("find_destination", lambda: list_destinations(params))
        for row in (destination.to_dict() for destination in page.data):
            if row.get("name") == MARK["settled"] and (row.get("webhook_endpoint") or {}).get("url") == url:
                return str(row["id"])
        return None

    async def drop_destination(self, destination_id: str) -> None:
        """Remove a destination whose secret is lost."""
        delete = self._client.sdk.v2.core.event_destinations.delete_async
        await self._client.ask("drop_destination", lambda: delete(destination_id))

    async def make_destination(self, url: str, *, key: str) -> tuple[str, str]:
        """A destination of thin events: its id and its secret, which Stripe tells this once."""
        params: Any = {
            "name": MARK["settled"],
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": list(THIN_TYPES),
            "webhook_endpoint": {"url": url},
            "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        }
        create = self._client.sdk.v2.core.event_destinations.create_async
        made = await self._client.ask("make_destination", lambda: create(params, {"idempotency_key": key}), write=True)
        row = made.to_dict()
        return str(row["id"]), str(row["webhook_endpoint"]["signing_secret"])
