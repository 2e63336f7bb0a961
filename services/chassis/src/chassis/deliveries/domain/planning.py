"""Desired state, not commands: what should be there, less what is known to be there, is what to deliver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.deliveries.domain.states import State


@dataclass(frozen=True, slots=True)
class Desired:
    """
    The state of a record that the far side should hold.

    `version` orders the states of a record: that of the fact it follows from, which never goes back. `parents` are
    records of the same destination that must be there before. `caused_at` is business time. `content` is JSON; an
    amount in it is an integer or a string, never a float.
    """

    record: str
    version: int
    content: Mapping[str, Any]
    caused_at: datetime
    kind: str = "record"  # the door's own word, for lists and metrics
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The newest state of a record that was handed over for delivery, or was read from the far side."""

    version: int
    content: Mapping[str, Any]
    state: State = State.DONE


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deliver, parents first, and what only a person can judge."""

    deliver: tuple[Desired, ...] = ()
    same: int = 0  # records that are as they should be, or on their way
    outdated: tuple[str, ...] = ()  # records of which something newer is known than what is wanted
    conflicting: tuple[str, ...] = ()  # the same version with other content: a rule of the door has changed
    unwanted: tuple[str, ...] = ()  # known, and wanted no more: nothing is taken away without being told


def plan(desired: Iterable[Desired], known: Mapping[str, Known], *, whole: bool = False) -> Plan:
    """
    Compare what should be there with what is known.

    Backfill, repair and everyday differ only in how much of both they hand in; planning again after the plan was
    carried out gives an empty one.

    Args:
        whole: `desired` is everything that should be there, so that what is missing in it is `unwanted`.

    Raises:
        ValueError: a record is wanted twice, or is its own ancestor.
    """
    found = _Found()
    wanted: dict[str, Desired] = {}
    for one in desired:
        if one.record in wanted:
            raise ValueError(f"{one.record} is wanted twice in one plan")
        wanted[one.record] = one
        found.sort(one, known.get(one.record))
    unwanted = sorted(known.keys() - wanted.keys()) if whole else []
    return Plan(
        tuple(_parents_first(found.deliver)),
        found.same,
        tuple(found.outdated),
        tuple(found.conflicting),
        tuple(unwanted),
    )


@dataclass(slots=True)
class _Found:
    deliver: dict[str, Desired] = field(default_factory=dict)
    same: int = 0
    outdated: list[str] = field(default_factory=list)
    conflicting: list[str] = field(default_factory=list)

    def sort(self, one: Desired, there: Known | None) -> None:
        if there is None:
            self.deliver[one.record] = one
        elif one.version < there.version:
            self.outdated.append(one.record)
        elif one.content == there.content:
            self.same += 1
        elif one.version == there.version:
            self.conflicting.append(one.record)
        else:
            self.deliver[one.record] = one


def _parents_first(wanted: Mapping[str, Desired]) -> list[Desired]:
    """In an order in which no record comes before a parent of it."""
    ordered: list[Desired] = []
    placed: set[str] = set()
    open_now: dict[str, None] = {}  # the records whose parents are being placed, in order
    stack = [(record, False) for record in reversed(list(wanted))]
    while stack:
        record, parents_placed = stack.pop()
        if parents_placed:
            del open_now[record]
            placed.add(record)
            ordered.append(wanted[record])
        elif record in open_now:
            raise ValueError(f"{record} is its own ancestor: {' > '.join(open_now)}")
        elif record in wanted and record not in placed:
            open_now[record] = None
            stack.append((record, True))
            stack += [(parent, False) for parent in reversed(wanted[record].parents)]
    return ordered
