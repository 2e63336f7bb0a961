"""What a contract wants watched, and how much was used of it: what this process knows, in memory."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from event_schemas.contract_v2 import AnyContract, ContractV2
from event_schemas.contract_v2.parts import living
from event_schemas.times import Period, from_micros, period_containing, to_micros
from usage_rating.domain.alerts import Kind, Mark, next_change

KEPT_PERIODS = 3  # in memory, of each customer and meter: the running one, and the last for what comes late
STALE_S = 5.0  # real time: counting happens several times a second, so this means that it does not happen


@dataclass(frozen=True, slots=True)
class Watch:
    """The thresholds and hard limits of one customer; periods are months counted from `anchor`."""

    customer: str
    revision: int
    anchor: datetime
    marks: tuple[Mark, ...]

    @property
    def since(self) -> datetime:
        """The start of the first period that has to be counted."""
        return self.period_of(min(mark.start for mark in self.marks)).start

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters that have a mark, at whatever time."""
        return tuple(sorted({mark.meter for mark in self.marks}))

    def period_of(self, instant: int) -> Period:
        """The billing period that holds an instant (microseconds)."""
        return period_containing(self.anchor, from_micros(instant))

    def changes_after(self, instant: int) -> int:
        """The next instant at which another count or another mark is to be looked at, whatever is used until then."""
        ends = to_micros(self.period_of(instant).end)
        return min(ends, next_change(self.marks, instant) or ends)


def watch_of(contract: AnyContract) -> Watch | None:
    """What a contract wants watched; None where that is nothing, as in every contract of version 1."""
    if not isinstance(contract, ContractV2):
        return None
    marks = [
        _mark(clause.meter, "threshold", units, clause.start, clause.until)
        for clause in living(contract.alerts)
        for units in clause.thresholds
    ]
    marks += [
        _mark(clause.meter, "limit", clause.quantity, clause.start, clause.until) for clause in living(contract.limits)
    ]
    return Watch(contract.customer, contract.revision, contract.billing_anchor, tuple(marks)) if marks else None


def _mark(meter: str, kind: Kind, units: int, start: datetime, until: datetime | None) -> Mark:
    return Mark(meter, kind, units, to_micros(start), None if until is None else to_micros(until))


@dataclass(frozen=True, slots=True)
class Count:
    """Net usage of one customer and meter in one period, as of the latest of its entries."""

    customer: str
    meter: str
    start: datetime
    end: datetime
    used: Decimal
    counted_to: datetime | None


class Board:
    """Counts of the customers that are watched, as the database held them at round `round` of counting."""

    def __init__(self) -> None:
        self.round = -1  # nothing is known yet
        self.since: dict[str, datetime] = {}  # customers that are counted, each from this period on
        self.as_of: datetime | None = None
        self._confirmed_at = 0.0
        self._counts: dict[tuple[str, str], dict[datetime, Count]] = {}

    def put(self, counts: Iterable[Count]) -> None:
        """Take counts over, in place of earlier ones of the same period; the oldest periods are forgotten."""
        for count in counts:
            periods = self._counts.setdefault((count.customer, count.meter), {})
            periods[count.start] = count
            while len(periods) > KEPT_PERIODS:
                del periods[min(periods)]

    def confirm(self, now: datetime) -> None:
        """Everything that was committed before `now` (business time) is counted here."""
        self.as_of = now if self.as_of is None else max(self.as_of, now)
        self._confirmed_at = time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether `as_of` has not been confirmed for longer than STALE_S of real time."""
        return time.monotonic() - self._confirmed_at > STALE_S

    def used(self, customer: str, meter: str, start: datetime) -> Decimal:
        """What was used of a meter in the period that begins at `start`."""
        count = self._counts.get((customer, meter), {}).get(start)
        return count.used if count is not None else Decimal(0)

    def knows(self, watch: Watch) -> bool:
        """Whether all is counted that a customer's contract wants watched."""
        since = self.since.get(watch.customer)
        return since is not None and since <= watch.since
