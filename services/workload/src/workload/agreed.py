"""What a generated contract says, of whichever version, in the words that the generator and its truth ask in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workload.mix.calendar import at, month
from workload.month import Month

Contract = dict[str, Any]


def is_version_2(contract: Contract) -> bool:
    """Whether it is of version 2."""
    return contract.get("schema_version") == 2


def begins(contract: Contract) -> int:
    """The first instant at which anything is charged under it: of its trial, where it has one."""
    trial = contract.get("trial")
    return at(trial["from"] if trial else contract["billing_anchor"])


def policies(contract: Contract) -> list[tuple[int, dict[str, Any]]]:
    """(from, policy), in order of time."""
    if is_version_2(contract):
        return [(at(entry["at"]), entry["policy"]) for entry in contract["policies"]]
    return [(at(entry["effective_from"]), entry["policy"]) for entry in contract["timeline"]]


def free_meters(contract: Contract) -> list[str]:
    """Meters that are agreed to be on no invoice."""
    found = contract.get("free_meters", [])
    return [free["meter"] for free in found] if is_version_2(contract) else list(found)


@dataclass(frozen=True, slots=True)
class Closing:
    """
    A period whose invoice is made in the month's business time. All instants in microseconds.

    Attributes:
        end: its billing day; entries of [start, end) are on its invoice.
        known_at: the last step before its freeze: what is written by then is on the invoice, all else a correction.
    """

    start: int
    end: int
    known_at: int


def billing_days(contract: Contract, span: Month) -> list[int]:
    """The days from the anchor on whose invoices are made within the span's business time, its freeze included."""
    anchor = at(contract["billing_anchor"])
    days = (month(anchor, number) for number in range(3))
    return [day for day in days if day + span.freeze_after <= span.last_step]


def closings(contract: Contract, span: Month) -> list[Closing]:
    """The periods that end on these days, in order: a trial ends on the anchor."""
    anchor, days = at(contract["billing_anchor"]), billing_days(contract, span)
    starts = [begins(contract), *(month(anchor, number) for number in range(len(days)))]
    return [
        Closing(start, day, span.last_step_before(day + span.freeze_after))
        for start, day in zip(starts, days, strict=False)
        if start < day
    ]
