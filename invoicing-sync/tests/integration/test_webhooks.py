"""Webhooks at the running door: what is forged, stale, doubled, lost or out of order."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest
import stripe

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
END = START.replace(month=11)
PATH = "/v1/webhooks/stripe"


async def post(world: Any, body: bytes, header: str | None) -> Any:
    headers = {"Stripe-Signature": header} if header is not None else {}
    return await world.http.post(f"{world.door_url}{PATH}", content=body, headers=headers)


async def secret_of(world: Any) -> str:
    [row] = await world.rows("SELECT secret FROM invoicing.stripe_links WHERE kind = 'webhook_endpoint'")
    return str(row["secret"])


def event(**changes: Any) -> bytes:
    fields = {
        "id": "evt_own",
        "object": "event",
        "type": "customer.updated",
        "created": int(START.timestamp()),
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }
    return json.dumps(fields | changes).encode()


async def test_forged_stale_absurd_and_doubled_events(world: Any) -> None:
    await world.start_door()
    await world.until(lambda: _has_secret(world))
    secret, now = await secret_of(world), int(time.time())

    def sign(body: bytes, at: int = now) -> str:
        return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)

    body = event()
    for header in (None, "t=1,v1=0", sign(body, now - 400), sign(body, now + 400), sign(event(id="evt_other"))):
        refused = await post(world, body, header)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_signature")
        assert refused.headers["content-type"] == "application/problem+json"
    for absurd in (b"[]", b"null", b'{"object":"event"}', event(created="soon"), event(created=10**30), b"[" * 5000):
        refused = await post(world, absurd, sign(absurd))
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed_event")
    assert (await post(world, b" " * 800_001, "t=1,v1=0")).status_code == 413
    assert await world.rows("SELECT 1 FROM invoicing.webhooks WHERE event_id LIKE 'evt_o%'") == []

    for _ in range(3):
        assert (await post(world, body, sign(body))).status_code == 200
    await world.quiet(START)
    [row] = await world.rows("SELECT deliveries, handled_at FROM invoicing.webhooks WHERE event_id = 'evt_own'")
    assert row["deliveries"] == 3
    assert row["handled_at"] is not None


async def _has_secret(world: Any) -> bool:
    rows = await world.rows("SELECT 1 FROM invoicing.stripe_links WHERE kind = 'webhook_endpoint' AND secret <> ''")
    return bool(rows)


@pytest.mark.parametrize("fault", ["webhook_lost", "webhook_doubled", "webhook_backwards"])
async def test_a_month_comes_out_the_same_whatever_happens_to_webhooks(world: Any, fault: str) -> None:
    await world.fault(fault)
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + timedelta(days=2))
    await world.rate(a_charge("e1", seq=1, at=START + timedelta(days=1)))
    await world.move(START + timedelta(days=3))
    await world.move(END)
    await world.move(END + timedelta(minutes=32))

    invoices = (await world.ask("/v1/invoices", customer="acme"))["invoices"]
    assert sorted((i["billing_reason"], i["status"], i["total_minor"]) for i in invoices) == [
        ("subscription_create", "open", 11700),
        ("subscription_cycle", "open", 11799),
    ]
    listed = (await world.stripe("/v1/events", limit=100, type="invoice.finalized"))["data"]
    async with asyncio.timeout(20):  # what no webhook brought, the sweep does
        while {e["id"] for e in listed} - {
            row["event_id"] for row in await world.rows("SELECT event_id FROM invoicing.webhooks")
        }:
            await asyncio.sleep(0.1)


async def test_a_thin_report_that_no_webhook_brought_opens_its_case(world: Any) -> None:
    """Thin events have a list of their own, which the sweep reads: an error of a meter is told nowhere else."""
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await world.fault("webhook_lost")
    payload = {"event_name": "resolution", "payload[stripe_customer_id]": "cus_nobody", "payload[value]": "1"}
    for number in range(2):
        answer = await world.stripe_post("/v1/billing/meter_events", identifier=f"lost-{number}", **payload)
        assert answer.status_code == 200
    await world.move(START + timedelta(hours=1))

    async def told() -> bool:
        return [case["count"] for case in await world.ask("/v1/cases") if case["kind"] == "meter_error"] == [2]

    await world.until(told)
    swept = await world.rows("SELECT came_by, body ? 'data' AS full FROM invoicing.webhooks WHERE thin")
    assert {(row["came_by"], row["full"]) for row in swept} == {("sweep", False)}
