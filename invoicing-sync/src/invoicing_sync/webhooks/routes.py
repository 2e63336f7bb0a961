"""
`POST /v1/webhooks/stripe`: verified on the raw bytes, stored, answered; everything else happens after the answer.

An answer of 200 says that the event is stored. Failpoint webhook-stored lies between the two.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request

from chassis import problems
from chassis.access_rules import guarded_by
from chassis.problems import Problem
from invoicing_sync import metrics
from invoicing_sync.gaps import failpoints
from invoicing_sync.settings import Settings
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import created_of
from invoicing_sync.stripe_door.notices import Forged, verify
from invoicing_sync.webhooks.endpoints import PATH, Endpoints
from invoicing_sync.webhooks.store import webhooks as store
from invoicing_sync.webhooks.store.webhooks import StoredEvent


def router(pool: Pool, endpoints: Endpoints, settings: Settings, stored: Callable[[], None]) -> APIRouter:
    """The route; `stored` is called after an event was stored."""
    routes = APIRouter(tags=["webhooks"])

    @routes.post(PATH, responses=problems.responses(400, 413))
    @guarded_by("Stripe's signature")
    async def receive(request: Request) -> dict[str, str]:
        """Take one event of Stripe, a snapshot or a thin notification."""
        body = await _bounded(request, settings.webhook_max_bytes)
        tolerance = timedelta(seconds=settings.webhook_tolerance_s)
        header = request.headers.get("stripe-signature")
        try:
            verify(body, header, await endpoints.secrets(), tolerance=tolerance, now=datetime.now(UTC))
        except Forged as forged:
            metrics.webhooks.labels("forged").inc()
            raise Problem(400, "bad_signature", f"The signature is not Stripe's: {forged}") from forged
        event = _event(body)
        new = await store.store_once(pool, [event], came_by="webhook")
        failpoints.reach("webhook-stored")
        metrics.webhooks.labels("new" if new else "repeated").inc()
        stored()
        return {"received": event.event_id}

    return routes


async def _bounded(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Problem(413, "too_large", f"An event has at most {most} bytes.")
        parts.append(part)
    return b"".join(parts)


def _event(body: bytes) -> StoredEvent:
    """The event in a body whose signature fits: Stripe's own, and still read with care."""
    try:
        raw: Any = json.loads(body)
        thin = raw["object"] == "v2.core.event"
        if raw["object"] not in ("event", "v2.core.event"):
            raise ValueError("neither a snapshot nor a thin event")
        return StoredEvent(str(raw["id"])[:255], str(raw["type"])[:255], thin, created_of(raw), raw)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise Problem(400, "malformed_event", "The body is not an event of Stripe.") from error
