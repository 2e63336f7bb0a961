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
        "total",
        "amount_due",
        "amount_paid",
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
        }
        for line in body["lines"]["data"]
    ]
    return {**{name: body[name] for name in names}, "lines": lines}


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
