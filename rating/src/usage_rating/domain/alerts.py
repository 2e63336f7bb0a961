"""At which quantities a contract wants somebody told, and which crossings a count of usage makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["threshold", "limit"]
State = Literal["reached", "taken_back"]
Level = tuple[Kind, int]  # its units


@dataclass(frozen=True, slots=True)
class Mark:
    """One threshold or hard limit of a meter, in force in [start, until) (microseconds; None: no end)."""

    meter: str
    kind: Kind
    units: int
    start: int
    until: int | None = None

    def holds_at(self, instant: int) -> bool:
        """Whether it is in force at an instant."""
        return self.start <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class Crossing:
    """The usage has reached these units, or has fallen below them again; `ordinal` counts both."""

    kind: Kind
    units: int
    ordinal: int
    used: Decimal

    @property
    def state(self) -> State:
        """Odd ones are reached, even ones taken back."""
        return "reached" if self.ordinal % 2 else "taken_back"


def judged_at(now: int, start: int, end: int) -> int:
    """The instant whose marks a period [start, end) is held against: now, or its edge where now lies outside."""
    return min(max(now, start), end - 1)


def marks_at(marks: Iterable[Mark], meter: str, instant: int) -> frozenset[Level]:
    """What is in force for a meter; the same units agreed in two clauses are one."""
    return frozenset((mark.kind, mark.units) for mark in marks if mark.meter == meter and mark.holds_at(instant))


def limit_at(marks: Iterable[Mark], meter: str, instant: int) -> int | None:
    """The hard limit in force for a meter; None where there is none."""
    return min((units for kind, units in marks_at(marks, meter, instant) if kind == "limit"), default=None)


def next_change(marks: Iterable[Mark], after: int) -> int | None:
    """The first instant behind `after` at which a mark begins or ends; None where none does."""
    edges = (edge for mark in marks for edge in (mark.start, mark.until) if edge is not None and edge > after)
    return min(edges, default=None)


def crossings(used: Decimal, in_force: frozenset[Level], told: Mapping[Level, int]) -> tuple[Crossing, ...]:
    """
    What is to be told of one customer, meter and period, lowest units first.

    A mark in force is told when `used` reaches it, once. What was told is taken back when `used` falls below, also
    where its clause has ended meanwhile; an end alone takes nothing back. Crossing again after that is told again.

    Args:
        used: charges less reversals of the period.
        told: the last ordinal of each mark of this period; without 0.
    """
    found = []
    for level in sorted({*in_force, *told}, key=lambda each: (each[1], each[0])):
        kind, units = level
        last = told.get(level, 0)
        stands = last % 2 == 1
        rises = used >= units and not stands and level in in_force
        falls = used < units and stands
        if rises or falls:
            found.append(Crossing(kind, units, last + 1, used))
    return tuple(found)
