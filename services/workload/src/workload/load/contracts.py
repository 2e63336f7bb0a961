"""The contracts that the load needs: all customers alike, the standard policy, one price for each meter."""

from __future__ import annotations

from typing import Any

from workload.month import iso


def customer_name(place: int) -> str:
    """The name of load customer number `place`."""
    return f"load-{place:05d}"


def load_contracts(customers: int, *, start: int) -> list[dict[str, Any]]:
    """Contracts as `contracts apply` takes them, in force and billed from `start`: microseconds, a period's begin."""
    return [
        {
            "customer": customer_name(place),
            "name": f"Load {place:05d}",
            "issuer": "settled-us",
            "channel": "self_serve",
            "currency": "USD",
            "billing_anchor": iso(start),
            "stripe_customer": None,
            "billing_email": f"billing@{customer_name(place)}.example",
            "revision": 1,
            "timeline": [
                {"effective_from": iso(start), "policy": {"version": "load-1", "window_hours": {"default": 24}}}
            ],
            "metered": [
                {"meter": meter, "price": {"scheme": "per_unit", "unit_price": price}}
                for meter, price in (("resolution", "0.99"), ("procedure_handoff", "0.99"), ("qualification", "9.99"))
            ],
            "licensed": [],
        }
        for place in range(customers)
    ]
