"""One customer's contract of version 2, as JSON has it: what was agreed from the start, and what changed since."""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from workload.mix import prices
from workload.mix.calendar import DAY, SECOND, iso, within
from workload.mix.clauses import clauses
from workload.mix.shares import LIVELY, Shares
from workload.month import micros

Contract = dict[str, Any]
# Before a short February, two long months, a leap day, and on one.
FIRST_MONTHS = [(2026, 1), (2026, 8), (2027, 11), (2028, 1), (2028, 2)]
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD")
MONTHS = 3  # within which changes happen
OUTCOMES = ("procedure_handoff", "disqualification", "qualification", "voice_outcome")


def contracts(seed: int, customers: int, shares: Shares = LIVELY) -> Iterator[Contract]:
    """So many contracts; the same arguments give the same ones, and a customer's does not hang on the others."""
    for place in range(customers):
        yield a_contract(Random(f"{seed}/{place}"), place, shares)


def a_contract(
    rng: Random, place: int, shares: Shares = LIVELY, *, anchor: int | None = None, currency: str | None = None
) -> Contract:
    """The contract of customer number `place`; anchor and currency are drawn where they are not given."""
    currency = currency or rng.choices(CURRENCIES, shares.currencies)[0]
    anchor = _anchor(rng, shares) if anchor is None else anchor
    trial = rng.random() < shares.trial
    start = anchor - 14 * DAY if trial else anchor
    seats = max(1, min(400, round(rng.lognormvariate(math.log(4), 1.1))))
    items = _items(rng, shares, currency, start, anchor, seats)
    contract: Contract = {
        "schema_version": 2,
        "customer": f"customer-{place:04d}",
        "channel": "sales_led" if seats > 20 else "self_serve",
        "currency": currency,
        "billing_anchor": iso(anchor),
        "revision": 1,
        "history": [
            {
                "revision": 1,
                "agreed_at": iso(start - DAY),
                "effective_at": iso(start),
                "actor": "person:anna" if seats > 20 else "self-serve",
                "reason": "signed up",
                "channel": "sales_led" if seats > 20 else "self_serve",
            }
        ],
        "billing": [
            {
                "at": iso(start),
                "agreed_in": 1,
                "name": f"Customer {place:04d}",
                "issuer": "settled-us" if currency in ("USD", "JPY") else "settled-ie",
                "billing_email": f"billing@customer-{place:04d}.example",
            }
        ],
        "policies": [
            {
                "at": iso(start),
                "agreed_in": 1,
                "policy": {"version": "standard-1", "window_hours": {"default": 24}},
                "charges": ["resolution", *OUTCOMES],
            }
        ],
        "items": items,
        "proration": rng.choices(["second", "day", "none"], [94, 4, 2])[0],
    }
    if trial:
        contract["trial"] = {
            "from": iso(start),
            "until": iso(anchor),
            "allowances": [{"key": "trial-resolutions", "meter": "resolution", "quantity": 20}],
        }
    return contract | clauses(rng, shares, contract, anchor)


def _anchor(rng: Random, shares: Shares) -> int:
    year, number = rng.choice(FIRST_MONTHS)
    day = rng.choice([29, 30, 31]) if rng.random() < shares.late_anchor else rng.randint(1, 28)
    day = min(day, calendar.monthrange(year, number)[1])
    midnight = micros(datetime(year, number, day, tzinfo=UTC))
    return midnight + (rng.randrange(86_400) * SECOND if rng.random() < 0.5 else 0)


def _items(rng: Random, shares: Shares, currency: str, start: int, anchor: int, seats: int) -> list[dict[str, Any]]:
    plan = rng.choices([name for name, _ in prices.PLANS], [share for _, share in prices.PLANS])[0]
    yearly = rng.random() < shares.yearly
    legacy = rng.random() < shares.legacy
    switch = within(rng, anchor, MONTHS) if rng.random() < shares.plan_switch else None
    timeline = {start: seats}
    for _ in range(_poisson(rng, shares.seat_changes * MONTHS)):
        timeline[within(rng, anchor, MONTHS)] = max(0, seats + rng.randint(-3, 5))
    if legacy:
        first = _licensed(
            "seat",
            "legacy_2023",
            "legacy_seat",
            {"scheme": "per_unit", "unit_price": prices.LEGACY_SEAT[currency]},
            currency,
        )
    else:
        first = _seat(plan, currency, yearly=yearly, key="seat")
    items = _over(first, timeline, start, switch)
    old = _resolution(rng, currency, start, legacy=legacy)
    items.append(old)
    if switch is not None:
        others = [name for name, _ in prices.PLANS if legacy or name != plan]
        following = _seat(rng.choice(others), currency, yearly=rng.random() < shares.yearly, key="seat-2")
        items += _over(following, timeline, switch, None)
        if legacy:
            old["until"] = iso(switch)
            price = prices.resolutions(currency, "per_unit")
            items.append(_metered("resolution-2", "resolution", price, currency, switch))
    items += [_metered(meter, meter, prices.outcome(meter, currency), currency, start) for meter in OUTCOMES]
    items.append(_metered("sms_segment", "sms_segment", prices.segments(currency), currency, start))
    if rng.random() < shares.add_on:
        items += _add_on(rng, shares, currency, start, anchor, seats)
    return items


def _seat(plan: str, currency: str, *, yearly: bool, key: str) -> dict[str, Any]:
    rhythm = "yearly" if yearly else "monthly"
    item = _licensed(key, f"{plan}_{rhythm}", f"{plan}_seat", prices.seat(plan, currency, yearly=yearly), currency)
    return item | {"rhythm": "year" if yearly else "month"}


def _resolution(rng: Random, currency: str, start: int, *, legacy: bool) -> dict[str, Any]:
    scheme = "per_unit" if legacy else rng.choices(["per_unit", "graduated", "volume", "package"], [60, 20, 10, 10])[0]
    return _metered("resolution", "resolution", prices.resolutions(currency, scheme), currency, start)


def _add_on(rng: Random, shares: Shares, currency: str, start: int, anchor: int, seats: int) -> list[dict[str, Any]]:
    """Copilot by the seat, or messages with a packet included; half of them come or go within a month."""
    begins = start if rng.random() < 0.5 else within(rng, anchor, MONTHS)
    ends = None if rng.random() < 0.6 else begins + rng.randrange(1, 60 * 86_400) * SECOND
    item = _licensed("copilot", None, "copilot", _each(prices.ADD_ON[currency]), currency)
    items = _over(item, {begins: rng.randint(1, max(1, seats))}, begins, ends)
    message = _each(prices.MESSAGE[currency])
    if rng.random() < shares.odd_message_price:
        message = rng.choice([{"scheme": "flat", "amount": prices.ADD_ON[currency]}, {"scheme": "included"}])
    items.append(_metered("proactive_message", "proactive_message", message, currency, start))
    return items


def _each(price: str) -> prices.Price:
    return {"scheme": "per_unit", "unit_price": price}


def _licensed(key: str, plan: str | None, product: str, price: prices.Price, currency: str) -> dict[str, Any]:
    item = {"kind": "licensed", "key": key, "product": product, "currency": currency, "price": price, "agreed_in": 1}
    return item | {"price_version": f"{product}/1"} | ({"plan": plan} if plan else {})


def _over(item: dict[str, Any], timeline: dict[int, int], begins: int, ends: int | None) -> list[dict[str, Any]]:
    """The item over its life, at the quantities of a timeline that may begin earlier and end later."""
    at_start = timeline[max(when for when in timeline if when <= begins)]
    inside = {when: count for when, count in timeline.items() if when > begins and (ends is None or when < ends)}
    held = sorted(({begins: at_start} | inside).items())
    quantities = [{"at": iso(when), "quantity": count, "agreed_in": 1} for when, count in held]
    return [item | {"from": iso(begins), "quantities": quantities} | ({} if ends is None else {"until": iso(ends)})]


def _metered(key: str, meter: str, price: prices.Price, currency: str, start: int) -> dict[str, Any]:
    return {
        "kind": "metered",
        "key": key,
        "product": meter,
        "meter": meter,
        "currency": currency,
        "price": price,
        "price_version": f"{meter}/1",
        "from": iso(start),
        "agreed_in": 1,
    }


def _poisson(rng: Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1.0)
    return count
