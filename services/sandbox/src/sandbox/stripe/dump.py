"""What the sandbox holds, flat, for tests and the demo's comparison."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from sandbox.stripe.domain.calendar import cycle_number, cycle_start
from sandbox.stripe.resources.drafts import reread
from sandbox.stripe.resources.lines import plain
from sandbox.stripe.state import Body, State


def dump(state: State, customer: str | None) -> dict[str, Any]:
    """Invoices with their lines, usage by customer, meter and period, counts; of one customer or all."""
    invoices = [
        _invoice(reread(state, body))
        for body in state.objects["invoice"].values()
        if customer in (None, body["customer"])
    ]
    events = Counter(event.state.partition(":")[0] for event in state.identifiers.values())
    return {
        "customers": {
            body["metadata"].get("customer", id_): id_
            for id_, body in state.objects["customer"].items()
            if customer in (None, id_)
        },
        "invoices": invoices,
        "subscriptions": [_subscription(body) for body in _of(state, "subscription", customer)],
        "invoice_items": [_item(body) for body in _of(state, "invoiceitem", customer)],
        "credit_notes": [_credit_note(body) for body in _of(state, "credit_note", customer)],
        "balances": [
            {"customer": body["id"], "currency": body["currency"], "balance": body["balance"]}
            for body in state.objects["customer"].values()
            if customer in (None, body["id"]) and body["balance"]
        ],
        "balance_transactions": [
            _pick(body, "id", "customer", "type", "amount", "ending_balance", "currency", "invoice", "credit_note")
            for body in _of(state, "customer_balance_transaction", customer)
        ],
        "coupons": [_coupon(body) for body in state.objects["coupon"].values()],
        "discounts": [_discount(body) for body in _of(state, "discount", customer)],
        "totals": _totals(state, customer),
        "usage": _usage(state, customer) if customer is not None else [],
        "meter_events": {
            "accepted": state.accepted,
            "duplicates_refused": state.refused_duplicates,
            "by_state": dict(events),
        },
        "objects": {kind: len(rows) for kind, rows in state.objects.items()},
    }


def _invoice(body: Body) -> Body:
    names = (
        "id",
        "number",
        "customer",
        "currency",
        "status",
        "billing_reason",
        "subtotal",
        "total",
        "amount_due",
        "amount_paid",
        "amount_remaining",
        "starting_balance",
        "ending_balance",
        "pre_payment_credit_notes_amount",
        "post_payment_credit_notes_amount",
        "total_discount_amounts",
        "period_start",
        "period_end",
        "auto_advance",
        "metadata",
    )
    lines = [
        {
            "id": line["id"],
            "amount": line["amount"],
            "quantity": line["quantity_decimal"],
            "description": line["description"],
            "price": ((line["pricing"] or {}).get("price_details") or {}).get("price"),
            "unit": (line["pricing"] or {}).get("unit_amount_decimal"),
            "meter": line.get("_usage"),
            "period": line["period"],
            "discounts": line["discount_amounts"],
            "proration": _is_proration(line),
            "invoice_item": line.get("_item"),
            "metadata": line["metadata"],
        }
        for line in body["lines"]["data"]
    ]
    return {**{name: body[name] for name in names}, "lines": lines}


def _of(state: State, kind: str, customer: str | None) -> list[Body]:
    rows = state.objects[kind].values()
    return [body for body in rows if customer in (None, body["customer"]) and not body.get("deleted")]


def _pick(body: Body, *names: str) -> Body:
    return {name: body[name] for name in names}


def _is_proration(line: Body) -> bool:
    return bool(((line["parent"] or {}).get("subscription_item_details") or {}).get("proration"))


def _subscription(body: Body) -> Body:
    names = ("id", "customer", "status", "currency", "billing_cycle_anchor", "trial_end", "cancel_at", "ended_at")
    items = [
        {
            **_pick(item, "id", "current_period_start", "current_period_end", "discounts", "metadata"),
            "price": item["price"]["id"],
            "quantity": item.get("quantity"),
        }
        for item in body["items"]["data"]
    ]
    return {**_pick(body, *names, "discounts", "metadata"), "items": items}


def _item(body: Body) -> Body:
    names = ("id", "customer", "invoice", "amount", "currency", "description", "period", "proration", "metadata")
    return {**_pick(body, *names), "subscription": body["_subscription"]}


def _credit_note(body: Body) -> Body:
    names = ("id", "number", "customer", "invoice", "status", "currency", "total", "type", "reason", "metadata")
    amounts = ("pre_payment_amount", "post_payment_amount", "out_of_band_amount", "refunds")
    lines = [
        {**_pick(line, "type", "amount", "quantity", "discount_amount"), "line": line.get("invoice_line_item")}
        for line in body["lines"]["data"]
    ]
    return {**_pick(body, *names, *amounts), "credited": body["_credit"], "lines": lines}


def _coupon(body: Body) -> Body:
    names = ("id", "name", "percent_off", "amount_off", "currency", "duration", "duration_in_months", "times_redeemed")
    return {**_pick(body, *names), "products": (body.get("applies_to") or {}).get("products")}


def _discount(body: Body) -> Body:
    names = ("id", "customer", "subscription", "subscription_item", "invoice", "invoice_item", "start", "end")
    return {**_pick(body, *names), "coupon": body["source"]["coupon"]}


def _totals(state: State, customer: str | None) -> list[Body]:
    """The counted usage by customer, meter and period of the customer's subscription."""
    anchors = {body["customer"]: body for body in state.objects["subscription"].values()}
    rows = []
    for (who, meter), tally in sorted(state.tallies.items()):
        if customer not in (None, who) or who not in anchors:
            continue
        anchor = anchors[who]["billing_cycle_anchor"]
        interval, count = anchors[who]["_interval"]
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for event in tally.events(0, 2**62):
            sums[cycle_number(anchor, event.timestamp, interval=interval, count=count)] += event.value
        rows += [
            {
                "customer": who,
                "meter": meter,
                "value": plain(total),
                "start": cycle_start(anchor, number, interval=interval, count=count),
                "end": cycle_start(anchor, number + 1, interval=interval, count=count),
            }
            for number, total in sorted(sums.items())
        ]
    return rows


def _usage(state: State, customer: str) -> list[Body]:
    return [
        {
            "meter": event.event_name,
            "at": event.timestamp,
            "value": plain(event.value),
            "state": event.state,
            "identifier": event.identifier,
            "received": event.received,
        }
        for event in state.identifiers.values()
        if event.customer == customer
    ]
