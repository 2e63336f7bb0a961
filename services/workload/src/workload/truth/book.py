"""The book that the services' results are held against: decisions, frozen quantities, invoices, corrections, counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from workload.generate import Workload
from workload.month import Month, iso, micros
from workload.truth.money import minor, tiers_reached, usage_amounts
from workload.truth.outcome import Fact, fact, ledger, net, status
from workload.truth.usage import worth

Key = tuple[str, str]


def timeline_of(contract: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """(from, policy) of a contract, in microseconds."""
    return [
        (micros(datetime.fromisoformat(entry["effective_from"].replace("Z", "+00:00"))), entry["policy"])
        for entry in contract["timeline"]
    ]


def write_book(work: Workload) -> dict[str, Any]:
    """All expectations, as plain JSON; times as RFC 3339, quantities as strings, amounts in minor units."""
    month = work.month
    timelines = {contract["customer"]: timeline_of(contract) for contract in work.contracts}
    frozen: dict[str, Counter[Any]] = defaultdict(Counter)
    final: dict[str, Counter[Any]] = defaultdict(Counter)
    decisions: list[dict[str, Any]] = []
    statuses: Counter[str] = Counter()
    corrections: list[dict[str, str]] = []
    for (customer, subject), facts in work.facts.items():
        if facts[0][1]["type"] == "usage":
            on_time, at_last = (_worth_by_period(month, events) for events in _known(month, facts))
        else:
            timeline = timelines[customer]
            on_time, at_last = (
                _net_by_period(month, events, timeline, as_of)
                for events, as_of in zip(_known(month, facts), (month.last_open_step, month.last_step), strict=True)
            )
        frozen[customer].update(on_time)
        final[customer].update(at_last)
        corrections += _corrections(month, (customer, subject), on_time, at_last)
        if facts[0][1]["type"] == "usage":
            continue
        everything = [fact(event) for _, event in facts]
        standing = status(everything, timeline, month.last_step)
        statuses[standing] += 1
        decisions.append(_decision(work, (customer, subject), everything, timeline, standing))
    return {
        "month": {"start": iso(month.start), "end": iso(month.end), "frozen_at": iso(month.frozen_at)},
        "events": _counts(work),
        "conversations": {"seen": len(decisions), **dict(sorted(statuses.items()))},
        "customers": {
            contract["customer"]: _customer(contract, frozen[contract["customer"]], final[contract["customer"]])
            for contract in work.contracts
        },
        "corrections": sorted(corrections, key=lambda c: (c["customer"], c["meter"], c["subject"])),
        "decisions": sorted(decisions, key=lambda d: (d["customer"], d["conversation"])),
    }


def _net_by_period(month: Month, events: list[Any], timeline: Any, as_of: int) -> Counter[Any]:
    """Net per (meter, whether its moment lies in the month or after it)."""
    counted: Counter[Any] = Counter()
    for entry in ledger([fact(event) for event in events], timeline, as_of):
        place = _place(month, entry.effective_at)
        counted[(entry.meter, place)] += 1 if entry.op == "charge" else -1
    return counted


def _place(month: Month, at: int) -> str:
    return "before" if at < month.start else "month" if at < month.end else "after"


def _known(month: Month, facts: list[tuple[int, Any]]) -> tuple[list[Any], list[Any]]:
    """The events that had arrived when the month froze, and those that had at the end."""
    return [event for step, event in facts if step <= month.last_open_step], [event for _, event in facts]


def _worth_by_period(month: Month, reports: list[Any]) -> Counter[Any]:
    counted: Counter[Any] = Counter()
    found = worth(reports)
    if found is not None:
        counted[(reports[0]["data"]["meter"], _place(month, found[0]))] = Fraction(found[1])  # type: ignore[assignment]
    return counted


def _corrections(month: Month, key: Key, on_time: Counter[Any], at_last: Counter[Any]) -> list[dict[str, str]]:
    """What became of the frozen month afterwards, through one conversation or record."""
    return [
        {
            "customer": key[0],
            "subject": key[1],
            "meter": meter,
            "period": iso(month.start),
            "quantity": _text(Fraction(at_last[(meter, place)]) - Fraction(on_time[(meter, place)])),
        }
        for meter, place in sorted({*on_time, *at_last})
        if place == "month" and at_last[(meter, place)] != on_time[(meter, place)]
    ]


def _decision(work: Workload, key: Key, facts: list[Fact], timeline: Any, standing: str) -> dict[str, Any]:
    entries = ledger(facts, timeline, work.month.last_step)
    return {
        "customer": key[0],
        "conversation": key[1],
        "tag": work.tags.get(key, ""),
        "status": standing,
        "net": net(entries),
        "entries": [
            {
                "op": e.op,
                "meter": e.meter,
                "effective_at": iso(e.effective_at),
                "caused_at": iso(e.caused_at),
                "how": e.how,
            }
            for e in entries
        ],
    }


def _customer(contract: dict[str, Any], frozen: Counter[Any], final: Counter[Any]) -> dict[str, Any]:
    currency = contract["currency"]
    advance = [
        minor(Fraction(item["quantity"]), item["unit_price"], currency)
        for item in contract["licensed"]
        if item["quantity"]
    ]
    usage: dict[str, list[int]] = {}
    quantities: dict[str, str] = {}
    corrections: dict[str, str] = {}
    priced: dict[str, int] = {}
    coming: dict[str, str] = {}
    for metered in contract["metered"]:
        meter = metered["meter"]
        quantity = Fraction(frozen[(meter, "month")])
        amounts = usage_amounts(metered["price"], quantity, currency)
        if amounts:
            usage[meter] = amounts
        if quantity:
            quantities[meter] = _text(quantity)
        if difference := Fraction(final[(meter, "month")]) - quantity:
            corrections[meter] = _text(difference)
            at_last = usage_amounts(metered["price"], quantity + difference, currency)
            if worth_more := sum(at_last) - sum(amounts):
                priced[meter] = worth_more
        if after := Fraction(final[(meter, "after")]):
            coming[meter] = _text(after)
    closing = sum(advance) + sum(sum(amounts) for amounts in usage.values())
    return {
        "currency": currency,
        "quantities": quantities,
        "corrections": corrections,
        "priced": priced,
        "coming": coming,
        "first_invoice": {"lines": advance, "total": sum(advance)} if advance else None,
        "closing_invoice": {
            "advance": advance,
            "usage": usage,
            "total": closing,
            "lines": [*_seat_lines(contract, advance), *_usage_lines(contract, frozen, usage)],
        },
    }


def _seat_lines(contract: dict[str, Any], amounts: list[int]) -> list[dict[str, Any]]:
    """The licensed lines in words; beside the first invoice they are all there is."""
    licensed = [item for item in contract["licensed"] if item["quantity"]]
    return [
        {
            "item": item["item"],
            "kind": "advance",
            "quantity": str(item["quantity"]),
            "unit_price": item["unit_price"],
            "amount": amount,
        }
        for item, amount in zip(licensed, amounts, strict=True)
    ]


def _usage_lines(contract: dict[str, Any], frozen: Counter[Any], amounts: dict[str, list[int]]) -> list[dict[str, Any]]:
    """The metered lines in words, one for each tier reached."""
    lines = []
    for metered in contract["metered"]:
        meter = metered["meter"]
        parts = tiers_reached(metered["price"], Fraction(frozen[(meter, "month")]))
        lines += [
            {
                "item": meter,
                "kind": "usage",
                "tier": part.name,
                "quantity": _text(part.quantity),
                "unit_price": part.unit_price,
                "amount": amount,
            }
            for part, amount in zip(parts, amounts.get(meter, []), strict=True)
        ]
    return lines


def _text(value: Fraction) -> str:
    whole, rest = divmod(abs(value) * 10**6, 10**6)
    digits = f"{int(whole)}.{int(rest):06d}".rstrip("0").rstrip(".")
    return f"-{digits}" if value < 0 else digits


def _counts(work: Workload) -> dict[str, Any]:
    counts = work.counts
    return {
        "deliveries": counts.deliveries,
        "applied": counts.applied,
        "duplicate": counts.duplicate,
        "conflicting": counts.conflicting,
        "quarantined": dict(sorted(counts.quarantined.items())),
    }
