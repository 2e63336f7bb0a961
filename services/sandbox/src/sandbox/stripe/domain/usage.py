"""Meter events as Stripe counts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

HOUR_S = 3_600
DAY_S = 86_400
FURTHEST_BACK_S = 35 * DAY_S
FURTHEST_AHEAD_S = 300
REMEMBERED_S = DAY_S  # identifiers are unique for a rolling day at least
CANCELLABLE_S = DAY_S
MOST_DIGITS = 15


@dataclass(slots=True)
class MeterEvent:
    """One accepted event. Instants in unix seconds of business time."""

    number: int
    identifier: str
    event_name: str
    customer: str
    value: Decimal
    timestamp: int
    received: int
    payload: str = "{}"
    state: str = "accepted"  # counted, cancelled, dropped, refused:<code>
    key: str | None = None  # the Idempotency-Key that it came with
    fingerprint: str = ""


@dataclass(slots=True)
class _Hour:
    total: Decimal = Decimal(0)
    events: list[MeterEvent] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """The counted events of one customer and meter, kept by UTC hour so that a month is summed from its hours."""

    hours: dict[int, _Hour] = field(default_factory=dict)

    def add(self, event: MeterEvent) -> None:
        """Count an event."""
        hour = self.hours.setdefault(event.timestamp // HOUR_S, _Hour())
        hour.events.append(event)
        hour.total += event.value

    def remove(self, event: MeterEvent) -> None:
        """Count an event no longer; nothing where it was not counted."""
        hour = self.hours.get(event.timestamp // HOUR_S)
        if hour is not None and event in hour.events:
            hour.events.remove(event)
            hour.total -= event.value

    def events(self, start: int, end: int) -> Iterator[MeterEvent]:
        """The events in [start, end), in no order."""
        for number, hour in self.hours.items():
            if number * HOUR_S < end and (number + 1) * HOUR_S > start:
                yield from (event for event in hour.events if start <= event.timestamp < end)

    def has(self, start: int, end: int) -> bool:
        """Whether anything was counted in [start, end)."""
        return next(self.events(start, end), None) is not None

    def total(self, start: int, end: int) -> Decimal:
        """The sum in [start, end)."""
        total = Decimal(0)
        for number, hour in self.hours.items():
            first, beyond = number * HOUR_S, (number + 1) * HOUR_S
            if start <= first and beyond <= end:
                total += hour.total
            elif first < end and beyond > start:
                total += sum((e.value for e in hour.events if start <= e.timestamp < end), Decimal(0))
        return total

    def aggregate(self, start: int, end: int, *, formula: str, window: str | None) -> Decimal:
        """
        What a meter makes of [start, end): `sum`, `count` or `last`.

        With a window of `hour` or `day` the sender has aggregated: the event received last in each window counts.
        """
        if formula == "sum" and window is None:
            return self.total(start, end)
        events = sorted(self.events(start, end), key=lambda event: event.number)
        if window is not None:
            width = HOUR_S if window == "hour" else DAY_S
            events = list({event.timestamp // width: event for event in events}.values())
        if formula == "count":
            return Decimal(len(events))
        if formula == "last":
            return max(events, key=lambda event: (event.timestamp, event.number)).value if events else Decimal(0)
        return sum((event.value for event in events), Decimal(0))


def value_flaw(text: str) -> str | None:
    """The code of what is wrong with a value, None where nothing is. Source: meter error codes."""
    digits = text.removeprefix("-")
    whole_part, dot, places = digits.partition(".")
    if not (whole_part.isascii() and whole_part.isdigit()):
        return "meter_event_invalid_value"
    if dot and not (places.isascii() and places.isdigit() and len(places) <= 12):
        return "meter_event_invalid_value"
    if len((whole_part + places).lstrip("0")) > MOST_DIGITS:
        return "meter_event_value_too_many_digits"
    return None
