"""Sentences that several checks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.parts import Dated, Entry
from event_schemas.times import iso, period_containing


def say(instant: datetime) -> str:
    """An instant, as a date where it is a midnight."""
    return iso(instant).removesuffix("T00:00:00Z")


def life(field: str, clause: Dated) -> Iterator[Flaw]:
    """What ends comes after its beginning."""
    if clause.until is not None and clause.until <= clause.start:
        sentence = f"ends at {say(clause.until)}, which is not after its start, {say(clause.start)}"
        yield Flaw("empty_life", f"{field}.until", sentence)


def sorted_timeline(field: str, timeline: Sequence[Entry]) -> Iterator[Flaw]:
    """By instant, and at one instant by revision."""
    for one, other in pairwise(timeline):
        if (one.at, one.agreed_in) >= (other.at, other.agreed_in):
            sentence = (
                f"{say(other.at)} of revision {other.agreed_in} stands after {say(one.at)} of revision {one.agreed_in}"
                "; sort the timeline, with one entry for each instant and revision"
            )
            yield Flaw("timeline_unsorted", field, sentence)


def keys(field: str, clauses: Iterable[Dated]) -> Iterator[Flaw]:
    """A key names one clause for ever, also where one begins when the other has ended."""
    seen: set[str] = set()
    for clause in clauses:
        if clause.key in seen:
            sentence = f"the key {clause.key} is used twice in {field}; each needs its own, for ever"
            yield Flaw("duplicate_key", f"{field}.{clause.key}", sentence)
        seen.add(clause.key)


def on_billing_days(field: str, anchor: datetime, instants: Iterable[datetime | None]) -> Iterator[Flaw]:
    """What is not prorated begins and ends with a period."""
    for instant in instants:
        if instant is not None and period_containing(anchor, instant).start != instant:
            sentence = f"{say(instant)} is no billing day, and what holds for whole periods changes only on one"
            yield Flaw("not_a_billing_day", field, sentence)


def overlap(one: Dated, other: Dated) -> bool:
    """Whether two lives have an instant in common."""
    return (other.until is None or one.start < other.until) and (one.until is None or other.start < one.until)
