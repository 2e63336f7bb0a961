"""What is agreed before any usage: first invoices, anchors, addresses, and calls that come twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from invoicing_sync.assumptions.bench import Bench, Body
from invoicing_sync.assumptions.trials.trial import Report, Trial
from invoicing_sync.stripe_door.convert import seconds
from invoicing_sync.stripe_door.errors import Refused

NUMBERS = ("A6", "A7", "A8", "A12", "A18")


async def agreements(bench: Bench, report: Report) -> None:
    """Three customers on one clock that is never advanced."""
    first, second = await bench.product_twice()
    made = "one object" if first == second else "two objects"
    report.say("A18", first == second, f"the same key twice makes {made} (not tried: 24 h, a stored 5xx)")
    clock = await bench.clock(bench.now)
    price = await bench.seat_price()
    await _first_invoice(bench, report, clock, price)
    await _anchor_ahead(bench, report, clock, price)
    await _no_address(bench, report, clock, price)


async def _first_invoice(bench: Bench, report: Report, clock: str, price: str) -> None:
    customer = await bench.customer(clock)
    made = await bench.subscription(customer, [{"price": price, "quantity": 2}])
    if made.latest_invoice is None:
        report.say("A6", False, "a subscription with seats that is sent has no first invoice")
        return
    invoice = await bench.invoice(made.latest_invoice)
    report.say("A6", invoice["status"] == "draft", f"the first invoice is {invoice['status']}")
    v1 = bench.v1
    update = partial(v1.invoices.update_async, made.latest_invoice)
    update_subscription = partial(v1.subscriptions.update_async, made.subscription_id)
    changes: tuple[Body, ...] = (
        {"collection_method": "charge_automatically"},
        {"collection_method": "send_invoice", "days_until_due": 30},
    )
    seen = []
    try:
        for change in changes:
            changed = await bench.ask("change_invoice", partial(update, change))
            changed_too = await bench.ask("change_subscription", partial(update_subscription, change))
            seen += [changed["collection_method"], changed_too["collection_method"]]
    except Refused as refused:
        report.say("A7", False, f"a change of how it is collected is refused: {refused.answer.detail}")
        return
    wanted = ["charge_automatically"] * 2 + ["send_invoice"] * 2
    report.say("A7", seen == wanted, f"draft and subscription, changed there and back, are {', '.join(seen)}")


async def _anchor_ahead(bench: Bench, report: Report, clock: str, price: str) -> None:
    customer = await bench.customer(clock)
    anchor = seconds(bench.now + timedelta(days=5))
    made = await bench.subscription(
        customer, [{"price": price, "quantity": 2}], billing_cycle_anchor=anchor, proration_behavior="none"
    )
    found = await bench.door.invoices.of_subscription(made.subscription_id)
    billed = sum(invoice.total_minor for invoice in found)
    report.say("A12", billed == 0, f"{len(found)} invoices of {billed} minor units before the anchor")


async def _no_address(bench: Bench, report: Report, clock: str, price: str) -> None:
    customer = await bench.customer(clock, email=None)
    try:
        await bench.subscription(customer, [{"price": price, "quantity": 2}])
    except Refused as refused:
        says_so = "email" in refused.answer.detail.lower()
        report.say("A8", True if says_so else None, f"without an address it is refused: {refused.answer.detail}")
    else:
        report.say("A8", False, "a subscription that is sent is made for a customer without an address")


TRIALS = (Trial("agreements", NUMBERS, agreements),)
