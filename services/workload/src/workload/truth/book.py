"""The book that the services' results are held against: decisions, frozen quantities, invoices, corrections, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from workload.agreed import closings, policies
from workload.generate import Workload
from workload.month import Month, iso
from workload.script import Event
from workload.truth.billing import Units, Usage, by_meter, quantity_text, told, within
from workload.truth.outcome import Fact, fact, ledger, net, status
from workload.truth.usage import worth

Key = tuple[str, str]
Facts = Sequence[tuple[int, Event]]  # each with the step of its first arrival
Timeline = list[tuple[int, dict[str, Any]]]


def write_book(work: Workload) -> dict[str, Any]:
    """All expectations, as plain JSON; times as RFC 3339, quantities as strings, amounts in minor units."""
    month = work.month
    timelines = {contract["customer"]: policies(contract) for contract in work.contracts}
    usage = {contract["customer"]: Usage(closings(contract, month)) for contract in work.contracts}
    decisions: list[dict[str, Any]] = []
    statuses: Counter[str] = Counter()
    corrections: list[dict[str, str]] = []
    for (customer, subject), facts in work.facts.items():
        corrections += _count(usage[customer], facts, timelines[customer], month, (customer, subject))
        if facts[0][1]["type"] == "usage":
            continue
        everything = [fact(event) for _, event in facts]
        standing = status(everything, timelines[customer], month.last_step)
        statuses[standing] += 1
        decisions.append(_decision(work, (customer, subject), everything, timelines[customer], standing))
    return {
        "month": {
            "begins": iso(month.steps[0]),
            "start": iso(month.start),
            "end": iso(month.end),
            "frozen_at": iso(month.frozen_at),
        },
        "events": _counts(work),
        "conversations": {"seen": len(decisions), **dict(sorted(statuses.items()))},
        "customers": {
            contract["customer"]: told(contract, usage[contract["customer"]], month) for contract in work.contracts
        },
        "corrections": sorted(corrections, key=lambda c: (c["customer"], c["meter"], c["subject"], c["period"])),
        "decisions": sorted(decisions, key=lambda d: (d["customer"], d["conversation"])),
    }


def _count(usage: Usage, facts: Facts, timeline: Timeline, month: Month, key: Key) -> list[dict[str, str]]:
    """Add what a conversation or a record counts for; answers what became of frozen periods through it afterwards."""
    at_last = _units(facts, timeline, month.last_step)
    usage.final.update(at_last)
    corrections = []
    for place, closing in enumerate(usage.closings):
        on_time = within(_units(facts, timeline, closing.known_at), closing)
        usage.frozen[place].update(on_time)
        was, now = by_meter(on_time), by_meter(within(at_last, closing))
        corrections += [
            {
                "customer": key[0],
                "subject": key[1],
                "meter": meter,
                "period": iso(closing.start),
                "quantity": quantity_text(Fraction(now[meter]) - Fraction(was[meter])),
            }
            for meter in sorted({*was, *now})
            if was[meter] != now[meter]
        ]
    return corrections


def _units(facts: Facts, timeline: Timeline, step: int) -> Units:
    """What the facts that had arrived by a step were worth then."""
    events = [event for arrived, event in facts if arrived <= step]
    counted: Units = Counter()
    if not events:
        return counted
    if events[0]["type"] == "usage":
        found = worth(events)
        if found is not None:
            counted[events[0]["data"]["meter"], found[0]] = Fraction(found[1])  # type: ignore[assignment]
        return counted
    for entry in ledger([fact(event) for event in events], timeline, step):
        counted[entry.meter, entry.effective_at] += 1 if entry.op == "charge" else -1
    return counted


def _decision(work: Workload, key: Key, facts: list[Fact], timeline: Timeline, standing: str) -> dict[str, Any]:
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


def _counts(work: Workload) -> dict[str, Any]:
    counts = work.counts
    return {
        "deliveries": counts.deliveries,
        "applied": counts.applied,
        "duplicate": counts.duplicate,
        "conflicting": counts.conflicting,
        "quarantined": dict(sorted(counts.quarantined.items())),
    }
