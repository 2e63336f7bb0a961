"""Every operation in use, by the SDK: requests and answers hold against Stripe's OpenAPI document."""

from __future__ import annotations

import stripe

from sandbox.stripe.openapi import newer
from sandbox.stripe.operations import METER_EVENTS, OPERATIONS
from sandbox.testing import NOVEMBER, OCTOBER, Driver, Receiver


async def test_every_operation_holds_against_the_document(sandbox: Driver, receiver: Receiver) -> None:
    """
    All of them are called, each answer is checked, no violation is found, and each newer field has been seen.

    Seen to fail: a field taken out of `newer.RESPONSE_FIELDS`, a required field left out of an invoice line.
    """
    await _catalogue(sandbox)
    await _usage(sandbox)
    await _customers(sandbox)
    seen = await _invoices(sandbox)
    await _selling(sandbox)
    await _test_clocks(sandbox)
    await _notices(sandbox, receiver)

    report = await sandbox.control("GET", "conformance")

    called = {(operation["method"], operation["path"]) for operation in report["operations"]}
    assert {(op.method, op.path) for op in OPERATIONS} | {("POST", METER_EVENTS)} == called
    assert report["violations"] == []
    assert len(called) == 81
    assert seen == {(kind, name) for kind, names in newer.RESPONSE_FIELDS.items() for name in names}


async def _catalogue(sandbox: Driver) -> None:
    v1 = sandbox.v1
    product = await v1.products.create_async({"name": "P", "metadata": {"a": "b"}, "unit_label": "seat"})
    await v1.products.update_async(product.id, {"name": "Q", "active": True})
    await v1.products.retrieve_async(product.id)
    await v1.products.list_async({"active": True, "limit": 3})
    price = await sandbox.a_price(unit_amount_decimal="0.125", lookup_key="k", nickname="n")
    await v1.prices.update_async(price.id, {"active": True, "metadata": {"x": "y"}})
    await v1.prices.retrieve_async(price.id, {"expand": ["product", "tiers"]})
    await v1.prices.list_async({"lookup_keys": ["k"], "expand": ["data.product"]})


async def _usage(sandbox: Driver) -> None:
    meters = sandbox.v1.billing.meters
    meter = await sandbox.a_meter()
    customer = await sandbox.a_customer()
    await meters.update_async(meter.id, {"display_name": "new"})
    await meters.deactivate_async(meter.id)
    await meters.reactivate_async(meter.id)
    await meters.retrieve_async(meter.id)
    await meters.list_async({"status": "active"})
    await sandbox.use(customer.id, "1.5", identifier="i")
    await sandbox.quiet()
    window = {"customer": customer.id, "start_time": OCTOBER, "end_time": NOVEMBER, "value_grouping_window": "hour"}
    await meters.event_summaries.list_async(meter.id, window)
    cancel = {"event_name": "resolution", "type": "cancel", "cancel": {"identifier": "i"}}
    await sandbox.v1.billing.meter_event_adjustments.create_async(cancel)


async def _customers(sandbox: Driver) -> None:
    customers = sandbox.v1.customers
    customer = await sandbox.a_customer(address={"line1": "1 Way", "country": "US"}, phone="1")
    await customers.update_async(customer.id, {"metadata": {"a": "b"}, "tax_exempt": "exempt"})
    await customers.retrieve_async(customer.id)
    await customers.list_async({"email": "pay@acme.example"})
    await customers.delete_async(customer.id)
    await customers.retrieve_async(customer.id)


async def _invoices(sandbox: Driver) -> set[tuple[str, str]]:
    """All of subscriptions, invoices and their items; the newer fields that were seen on the way."""
    v1 = sandbox.v1
    price, customer = await sandbox.a_price(unit_amount=900), await sandbox.a_customer()
    tiers = [{"up_to": 5, "unit_amount": 9, "flat_amount": 100}, {"up_to": "inf", "unit_amount_decimal": "8.5"}]
    meter = (await v1.billing.meters.list_async({"status": "active"})).data[0]
    metered = await sandbox.a_price(meter.id, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    subscription = await sandbox.a_subscription(
        customer.id,
        {"price": price.id, "quantity": 2, "metadata": {"i": "1"}},
        {"price": metered.id},
        billing_mode={"type": "flexible"},
        metadata={"customer": "acme"},
        expand=["latest_invoice", "customer"],
    )
    await sandbox.use(customer.id, "7.25")
    pausing = {"pause_collection": {"behavior": "keep_as_draft"}, "cancel_at_period_end": False}
    await v1.subscriptions.update_async(subscription.id, pausing)
    await v1.subscriptions.retrieve_async(subscription.id)
    await v1.subscriptions.list_async({"customer": customer.id, "status": "all"})
    item = await v1.invoice_items.create_async({"customer": customer.id, "amount": 500, "currency": "usd"})
    gone = await v1.invoice_items.create_async(
        {"customer": customer.id, "unit_amount_decimal": "1.5", "quantity": 3, "currency": "usd"}
    )
    await v1.invoice_items.retrieve_async(item.id)
    await v1.invoice_items.list_async({"customer": customer.id, "pending": True})
    await v1.invoice_items.delete_async(gone.id)
    await sandbox.advance("2026-11-01T00:00:00Z")
    renewal, first = await sandbox.invoices(customer.id)
    await v1.invoices.update_async(renewal.id, {"auto_advance": False, "metadata": {"a": "b"}, "description": "d"})
    await v1.invoices.update_async(renewal.id, {"collection_method": "charge_automatically"})
    await v1.invoices.update_async(renewal.id, {"collection_method": "send_invoice", "days_until_due": 14})
    await v1.invoices.finalize_invoice_async(renewal.id, {"auto_advance": False})
    await v1.invoices.send_invoice_async(renewal.id)
    await v1.invoices.line_items.list_async(renewal.id, {"limit": 2})
    await v1.invoices.pay_async(renewal.id, {"paid_out_of_band": True})
    paid = await v1.invoices.retrieve_async(renewal.id, {"expand": ["customer", "lines.data.pricing"]})
    await v1.invoices.finalize_invoice_async(first.id) if first.status == "draft" else None
    await v1.invoices.mark_uncollectible_async(first.id)
    await v1.invoices.void_invoice_async(first.id)
    await v1.subscriptions.cancel_async(subscription.id, {"invoice_now": True})
    product = (await v1.products.list_async()).data[0]
    shown = [paid, item, product, subscription, subscription["items"].data[0]]
    return {(o.object, name) for o in shown for name in newer.RESPONSE_FIELDS.get(o.object, ()) if hasattr(o, name)}


async def _selling(sandbox: Driver) -> None:
    v1 = sandbox.v1
    coupon = await v1.coupons.create_async({"percent_off": 10, "duration": "repeating", "duration_in_months": 2})
    await v1.coupons.update_async(coupon.id, {"name": "n"})
    await v1.coupons.retrieve_async(coupon.id, {"expand": ["applies_to"]})
    await v1.coupons.list_async({"limit": 1})
    package = {"divide_by": 10, "round": "up"}
    price, other = (
        await sandbox.a_price(unit_amount=900, transform_quantity=package),
        await sandbox.a_price(unit_amount=7),
    )
    customer, off = await sandbox.a_customer(), [{"coupon": coupon.id}]
    made = await sandbox.a_subscription(customer.id, {"price": price.id, "discounts": off}, discounts=off)
    await sandbox.advance("2026-11-03T00:00:00Z")
    asked = {"subscription": made.id, "price": other.id, "proration_behavior": "always_invoice"}
    item = await v1.subscription_items.create_async(asked)
    await v1.subscription_items.update_async(item.id, {"quantity": 3})
    await v1.subscription_items.retrieve_async(item.id)
    await v1.subscription_items.list_async({"subscription": made.id})
    await v1.subscription_items.delete_async(item.id, {"proration_behavior": "create_prorations"})
    pending = await v1.invoice_items.list_async({"customer": customer.id, "pending": True})
    await v1.invoice_items.update_async(pending.data[0].id, {"description": "d", "metadata": {"a": "b"}})
    for invoice in await sandbox.invoices(customer.id):
        await v1.invoices.retrieve_async(invoice.id, {"expand": ["discounts.source.coupon", "lines.data.discounts"]})
    await v1.subscriptions.retrieve_async(made.id, {"expand": ["discounts", "items.data.discounts"]})
    trial = await sandbox.a_subscription(customer.id, {"price": price.id}, trial_period_days=7)
    await v1.subscriptions.update_async(trial.id, {"trial_end": "now", "cancel_at": "max_period_end"})
    await v1.coupons.delete_async(coupon.id)
    await _corrections(sandbox, customer.id, made.id, item=made["items"].data[0].id)


async def _corrections(sandbox: Driver, customer: str, subscription: str, *, item: str) -> None:
    v1, notes = sandbox.v1, sandbox.v1.credit_notes
    ledger = v1.customers.balance_transactions
    entry = await ledger.create_async(customer, {"amount": -50, "currency": "usd", "description": "d"})
    await ledger.update_async(customer, entry.id, {"metadata": {"a": "b"}})
    await ledger.retrieve_async(customer, entry.id)
    change = {"items": [{"id": item, "quantity": 2}], "proration_behavior": "always_invoice"}
    await v1.invoices.create_preview_async({"subscription": subscription})
    await v1.invoices.create_preview_async({"subscription": subscription, "subscription_details": change})
    first = (await sandbox.invoices(customer))[-1]
    await v1.invoices.finalize_invoice_async(first.id) if first.status == "draft" else None
    line = {"type": "invoice_line_item", "invoice_line_item": first.lines.data[0].id, "amount": 100}
    own = {"type": "custom_line_item", "description": "d", "quantity": 2, "unit_amount": 5}
    asked = {"invoice": first.id, "lines": [line, own], "reason": "order_change", "memo": "m"}
    await notes.preview_async(asked)
    await notes.preview_lines.list_async({**asked, "limit": 1})
    note = await notes.create_async({**asked, "expand": ["invoice", "customer"]})
    await notes.update_async(note.id, {"memo": "n", "metadata": {"a": "b"}})
    await notes.retrieve_async(note.id)
    await notes.line_items.list_async(note.id)
    await notes.list_async({"invoice": first.id})
    await notes.void_credit_note_async(note.id)
    await v1.invoices.pay_async(first.id, {"paid_out_of_band": True})
    await notes.create_async({"invoice": first.id, "amount": 30, "credit_amount": 20, "out_of_band_amount": 10})
    await ledger.list_async(customer, {"limit": 10})


async def _test_clocks(sandbox: Driver) -> None:
    clocks = sandbox.v1.test_helpers.test_clocks
    clock = await clocks.create_async({"frozen_time": OCTOBER, "name": "n"})
    await sandbox.a_customer(test_clock=clock.id)
    await sandbox.v1.customers.list_async({"test_clock": clock.id})
    await clocks.advance_async(clock.id, {"frozen_time": OCTOBER + 60})
    await clocks.list_async({"limit": 3})
    await sandbox.quiet()
    await clocks.retrieve_async(clock.id)
    await clocks.delete_async(clock.id)


async def _notices(sandbox: Driver, receiver: Receiver) -> None:
    v1, core = sandbox.v1, sandbox.sdk.v2.core
    endpoint = await v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["*"]})
    await v1.webhook_endpoints.retrieve_async(endpoint.id)
    await v1.webhook_endpoints.list_async({"limit": 2})
    await v1.webhook_endpoints.delete_async(endpoint.id)
    event = (await v1.events.list_async({"types": ["invoice.paid"], "limit": 1})).data[0]
    await v1.events.retrieve_async(event.id)
    destination = await core.event_destinations.create_async(
        {
            "name": "n",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": sorted(newer.THIN_EVENTS),
            "webhook_endpoint": {"url": receiver.url},
        }
    )
    await sandbox.use("cus_nobody")
    await sandbox.quiet()
    await core.event_destinations.retrieve_async(destination.id)
    await core.event_destinations.list_async()
    thin = [event async for event in (await core.events.list_async({"limit": 1})).auto_paging_iter()]
    await core.events.retrieve_async(thin[0].id)
    await core.event_destinations.delete_async(destination.id)
    assert isinstance(thin[0], stripe.v2.core.Event)
