"""The official SDK cannot tell: catalogue, usage, a month and its invoice over real HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stripe

from embedded_stack.processes import Services

SDK = stripe.StripeClient
OCTOBER, NOVEMBER = 1_790_812_800, 1_793_491_200  # 2026-10-01 and 2026-11-01, UTC


async def quiet(url: str) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(20):
        now = (await http.get(f"{url}/_sandbox/clock")).json()["now"]
        while not (await http.get(f"{url}/quiet", params={"at": now})).json()["quiet"]:
            await asyncio.sleep(0.02)


async def advance(url: str, to: str) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        (await http.post(f"{url}/_sandbox/clock/advance", json={"to": to})).raise_for_status()


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[bytes, str]]]]:
    """A real HTTP server that keeps the webhooks it gets: body and signature."""
    got: list[tuple[bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()


async def a_plan(client: SDK, name: str) -> tuple[str, list[dict[str, Any]]]:
    """A meter called `name`, and the items of a plan: 3 seats at 39.00, units at 0.99 and then 0.89 above 10."""
    v1 = client.v1
    meter = await v1.billing.meters.create_async(
        {"display_name": name, "event_name": name, "default_aggregation": {"formula": "sum"}}
    )
    product = await v1.products.create_async({"name": name})
    seat = await v1.prices.create_async(
        {"currency": "usd", "product": product.id, "unit_amount": 3900, "recurring": {"interval": "month"}}
    )
    metered = await v1.prices.create_async(
        {
            "currency": "usd",
            "product": product.id,
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 10, "unit_amount_decimal": "99"}, {"up_to": "inf", "unit_amount_decimal": "89"}],
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter.id},
            "lookup_key": f"{name}-metered",
        }
    )
    return meter.id, [{"price": seat.id, "quantity": 3}, {"price": metered.id}]


def usage(name: str, customer: str, identifier: str, value: str = "1", at: int = OCTOBER + 60) -> dict[str, Any]:
    return {
        "event_name": name,
        "payload": {"stripe_customer_id": customer, "value": value},
        "identifier": identifier,
        "timestamp": at,
    }


async def test_a_month_becomes_the_invoice_computed_by_hand(
    client: SDK, url: str, services: Services, receiver: tuple[str, list[tuple[bytes, str]]]
) -> None:
    """3 seats in advance twice; 12 units in October: 10 at 0.99 and 2 at 0.89; late usage on no invoice."""
    hook, got = receiver
    v1 = client.v1
    endpoint = await v1.webhook_endpoints.create_async({"url": hook, "enabled_events": ["invoice.*"]})
    meter, items = await a_plan(client, "resolution")
    customer = await v1.customers.create_async({"name": "Acme", "metadata": {"customer": "acme"}})
    subscription = await v1.subscriptions.create_async(
        {"customer": customer.id, "items": items, "collection_method": "send_invoice", "days_until_due": 30}  # type: ignore[typeddict-item]
    )
    first = await v1.invoices.retrieve_async(str(subscription.latest_invoice))
    assert (first.billing_reason, first.status, first.total) == ("subscription_create", "draft", 11_700)
    await v1.invoices.finalize_invoice_async(first.id)
    for number in range(11):
        await v1.billing.meter_events.create_async(usage("resolution", customer.id, f"r{number}"))  # type: ignore[arg-type]
    await v1.billing.meter_events.create_async(usage("resolution", customer.id, "r-three", "3"))  # type: ignore[arg-type]
    await v1.billing.meter_events.create_async(usage("resolution", customer.id, "r-minus", "-2"))  # type: ignore[arg-type]
    await quiet(url)
    services.kill("sandbox")  # it is durable: nothing of this is lost
    services.restart("sandbox")
    services.wait_ready("sandbox")

    await advance(url, "2026-11-01T00:00:00Z")
    await quiet(url)
    (renewal, _) = (await v1.invoices.list_async({"customer": customer.id})).data
    await v1.invoices.update_async(renewal.id, {"auto_advance": False})
    await advance(url, "2026-11-01T03:00:00Z")
    draft = await v1.invoices.retrieve_async(renewal.id)
    assert draft.status == "draft"
    final = await v1.invoices.finalize_invoice_async(renewal.id)
    late = usage("resolution", customer.id, "late", at=NOVEMBER - 60)
    await v1.billing.meter_events.create_async(late)  # type: ignore[arg-type]
    await quiet(url)

    assert (final.status, final.total) == ("open", 11_700 + 990 + 178)
    after = await v1.invoices.retrieve_async(renewal.id)
    assert [line.amount for line in after.lines.data] == [11_700, 990, 178]
    assert [str(line.quantity_decimal) for line in after.lines.data] == ["3", "10", "2"]
    rows = await v1.billing.meters.event_summaries.list_async(
        meter, {"customer": customer.id, "start_time": OCTOBER, "end_time": NOVEMBER}
    )
    assert rows.data[0].aggregated_value == 13
    events = [client.construct_event(body, signature, endpoint.secret or "") for body, signature in got]
    assert {event.type for event in events} >= {"invoice.created", "invoice.updated", "invoice.finalized"}


async def test_a_known_identifier_is_refused_in_stripes_words(client: SDK, url: str) -> None:
    """400 without a code, not to be retried, and counted once."""
    _, _ = await a_plan(client, "twice")
    customer = await client.v1.customers.create_async({"name": "Twice"})
    await client.v1.billing.meter_events.create_async(usage("twice", customer.id, "same", at=NOVEMBER))  # type: ignore[arg-type]

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.billing.meter_events.create_async(usage("twice", customer.id, "same", at=NOVEMBER))  # type: ignore[arg-type]

    assert "An event already exists with identifier same" in str(refused.value.user_message)
    assert refused.value.code is None
    assert refused.value.headers["Stripe-Should-Retry"] == "false"


async def test_an_idempotency_key_replays_even_a_500(client: SDK, url: str) -> None:
    """The stored 500 comes back for the same key; a new key performs."""
    async with httpx.AsyncClient() as http:
        await http.post(f"{url}/_sandbox/faults", json={"kind": "error_500_before_commit", "count": 1})
    with pytest.raises(stripe.APIError):
        await client.v1.customers.create_async({"name": "K"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.APIError) as replayed:
        await client.v1.customers.create_async({"name": "K"}, {"idempotency_key": "k1"})
    created = await client.v1.customers.create_async({"name": "K"}, {"idempotency_key": "k2"})
    again = await client.v1.customers.create_async({"name": "K"}, {"idempotency_key": "k2"})

    assert replayed.value.headers["Idempotent-Replayed"] == "true"
    assert created.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.customers.create_async({"name": "other"}, {"idempotency_key": "k2"})


async def test_what_cannot_be_counted_shows_only_in_a_thin_report(
    client: SDK, url: str, receiver: tuple[str, list[tuple[bytes, str]]]
) -> None:
    """An unknown customer is answered 200; a thin event names the code and a sample."""
    hook, got = receiver
    await client.v2.core.event_destinations.create_async(
        {
            "name": "thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.billing.meter.error_report_triggered"],
            "webhook_endpoint": {"url": hook},
        }
    )
    await a_plan(client, "reported")
    await client.v1.billing.meter_events.create_async(usage("reported", "cus_nobody", "lost-1", at=NOVEMBER))  # type: ignore[arg-type]
    await quiet(url)

    notice = json.loads(got[-1][0])
    report = await client.v2.core.events.retrieve_async(notice["id"])
    (kind,) = report.to_dict()["data"]["reason"]["error_types"]
    assert "data" not in notice
    assert (kind["code"], kind["error_count"]) == ("meter_event_customer_not_found", 1)
    assert kind["sample_errors"][0]["request"]["identifier"] == "lost-1"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"timestamp": OCTOBER - 40 * 86_400}, "timestamp_too_far_in_past"),
        ({"timestamp": NOVEMBER + 40 * 86_400}, "timestamp_in_future"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "1e3"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "1" * 16}}, "meter_event_value_too_many_digits"),
        ({"colour": "blue"}, "parameter_unknown"),
    ],
)
async def test_refuses_what_stripe_would_refuse(client: SDK, params: dict[str, Any], code: str) -> None:
    """Each with Stripe's code."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.billing.meter_events.create_async({**usage("resolution", "cus_1", "x"), **params})  # type: ignore[arg-type,typeddict-item]

    assert refused.value.code == code


async def test_unknown_paths_and_keys_are_refused(url: str) -> None:
    """404 with Stripe's sentence, 401 for a foreign key."""
    async with httpx.AsyncClient() as http:
        nowhere = await http.get(f"{url}/v1/nowhere", headers={"Authorization": "Bearer sk_test_x"})
        nobody = await http.get(f"{url}/v1/customers", headers={"Authorization": "Bearer sk_live_x"})

    assert nowhere.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/nowhere)")
    assert (nowhere.status_code, nobody.status_code) == (404, 401)
