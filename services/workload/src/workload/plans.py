"""What the generated customers have agreed to: a handful of plans, so that prices repeat as they do in life."""

from __future__ import annotations

from random import Random
from typing import Any

Contract = dict[str, Any]

# Published list prices in USD; the others are illustrative. Amounts are decimal strings in major units.
SEATS = {"essential_seat": "39", "advanced_seat": "99", "expert_seat": "139"}
SEAT_SHARES = [("essential_seat", 55), ("advanced_seat", 35), ("expert_seat", 10)]
CURRENCY_SHARES = [("USD", 80), ("EUR", 12), ("GBP", 5), ("JPY", 2), ("KWD", 1)]
PLACED = {12: "GBP", 13: "JPY", 14: "EUR", 17: "KWD"}  # so that the smallest size has every currency
SEAT_PRICES = {
    "USD": SEATS,
    "EUR": {"essential_seat": "36", "advanced_seat": "92", "expert_seat": "129"},
    "GBP": {"essential_seat": "31", "advanced_seat": "79", "expert_seat": "111"},
    "JPY": {"essential_seat": "5800", "advanced_seat": "14800", "expert_seat": "20800"},
    "KWD": {"essential_seat": "12.015", "advanced_seat": "30.5", "expert_seat": "42.750"},
}
METER_PRICES = {
    "USD": {
        "resolution": "0.99",
        "procedure_handoff": "0.99",
        "disqualification": "0.99",
        "qualification": "9.99",
        "voice_outcome": "1.99",
    },
    "EUR": {
        "resolution": "0.92",
        "procedure_handoff": "0.92",
        "disqualification": "0.92",
        "qualification": "9.29",
        "voice_outcome": "1.85",
    },
    "GBP": {
        "resolution": "0.79",
        "procedure_handoff": "0.79",
        "disqualification": "0.79",
        "qualification": "7.99",
        "voice_outcome": "1.59",
    },
    "JPY": {
        "resolution": "148.5",
        "procedure_handoff": "148.5",
        "disqualification": "148.5",
        "qualification": "1498",
        "voice_outcome": "298.5",
    },
    "KWD": {
        "resolution": "0.305",
        "procedure_handoff": "0.305",
        "disqualification": "0.305",
        "qualification": "3.075",
        "voice_outcome": "0.612",
    },
}
GRADUATED: list[tuple[int | None, str]] = [(1000, "0.99"), (5000, "0.89"), (None, "0.79")]
SMALL_STEPS: list[tuple[int | None, str]] = [(50, "0.95"), (100, "0.90"), (None, "0.85")]
SMS: list[tuple[int | None, str]] = [
    (500, "0.06"),
    (1000, "0.03"),
    (4000, "0.025"),
    (7000, "0.02"),
    (10000, "0.0175"),
    (100000, "0.015"),
    (None, "0.01"),
]
SMS_TABLES: dict[str, list[tuple[int | None, str]]] = {
    "USD": SMS,
    "EUR": SMS,
    "GBP": SMS,
    "JPY": [(500, "9"), (None, "4.5")],
    "KWD": [(None, "0.0185")],
}


def _weighted(rng: Random, shares: list[tuple[str, int]]) -> str:
    return rng.choices([name for name, _ in shares], [share for _, share in shares])[0]


def _tiers(table: list[tuple[int | None, str]]) -> dict[str, Any]:
    return {"scheme": "graduated", "tiers": [{"up_to": bound, "unit_price": price} for bound, price in table]}


def _table(meter: str, currency: str, place: int) -> list[tuple[int | None, str]] | None:
    """The tiers of a meter that has them: one customer in six, each of the two tables by turns."""
    if meter != "resolution" or currency not in ("USD", "EUR") or place % 6:
        return None
    return GRADUATED if place % 12 == 6 and currency == "USD" else SMALL_STEPS


def a_policy(rng: Random, place: int) -> dict[str, Any]:
    """A policy; one customer in ten departs from the standard, each kind of departure by turns."""
    policy: dict[str, Any] = {"version": "standard-1", "window_hours": {"default": 24}}
    if place % 10 == 3:
        policy |= {"version": "email-72", "window_hours": {"default": 24, "email": 72}}
    elif place % 20 == 6:
        policy |= {"version": "takeover-voids", "teammate_takeover_voids": True}
    elif place % 20 == 7:
        policy |= {"version": "horizon-14", "return_horizon_days": 14}
    elif place % 25 == 9:
        policy |= {"version": "product-decides", "decided_by": "product"}
    elif place % 20 == 11:
        policy |= {"version": "qualified", "type_precedence": ["resolution", "qualification"]}
    elif rng.random() < 0.02:
        policy |= {"version": "long-window", "window_hours": {"default": 48}}
    return policy


def a_contract(rng: Random, place: int, *, start: str, middle: str) -> Contract:
    """The contract of customer number `place`, in force from `start`; a few change their policy at `middle`."""
    currency = PLACED.get(place) or _weighted(rng, CURRENCY_SHARES)
    seat = _weighted(rng, SEAT_SHARES)
    timeline = [{"effective_from": start, "policy": a_policy(rng, place)}]
    if place % 40 == 19:
        changed = {"version": "changed-48", "window_hours": {"default": 48}}
        timeline.append({"effective_from": middle, "policy": changed})
    metered = []
    for meter, price in METER_PRICES[currency].items():
        table = _table(meter, currency, place)
        metered.append(
            {"meter": meter, "price": _tiers(table) if table else {"scheme": "per_unit", "unit_price": price}}
        )
    metered.append({"meter": "sms_segment", "price": _tiers(SMS_TABLES[currency])})
    seats = max(1, min(400, round(rng.lognormvariate(1.386, 1.1))))
    licensed = [{"item": seat, "quantity": seats, "unit_price": SEAT_PRICES[currency][seat]}]
    return {
        "customer": f"customer-{place:04d}",
        "name": f"Customer {place:04d}",
        "issuer": "settled-us" if currency in ("USD", "JPY") else "settled-ie",
        "channel": "sales_led" if seats > 20 else "self_serve",
        "currency": currency,
        "billing_anchor": start,
        "stripe_customer": None,
        "billing_email": f"billing@customer-{place:04d}.example",
        "revision": 1,
        "timeline": timeline,
        "metered": metered,
        "licensed": licensed if place % 15 or not place else [],  # some have usage only: no first invoice
    }
