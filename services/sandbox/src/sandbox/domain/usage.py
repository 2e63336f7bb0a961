"""Meter events as Stripe counts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

DAY_S = 86_400
FURTHEST_BACK_S = 35 * DAY_S
FURTHEST_AHEAD_S = 300
REMEMBERED_S = DAY_S  # identifiers are unique for a rolling day at least
CANCELLABLE_S = DAY_S


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
    state: str = "accepted"  # counted, cancelled, refused:<code>


@dataclass(slots=True)
class Tally:
    """The counted events of one customer and meter."""

    events: list[MeterEvent] = field(default_factory=list)

    def total(self, start: int, end: int) -> Decimal:
        """The sum in [start, end)."""
        return sum(
            (event.value for event in self.events if start <= event.timestamp < end and event.state == "counted"),
            Decimal(0),
        )


def value_flaw(text: str) -> str | None:
    """The code of what is wrong with a value, None where nothing is. Source: meter error codes."""
    digits = text.removeprefix("-")
    whole_part, _, places = digits.partition(".")
    if not (whole_part.isascii() and whole_part.isdigit()) or ("." in digits and not places.isdigit()):
        return "meter_event_invalid_value"
    if len(whole_part.lstrip("0")) + len(places) > 15:
        return "meter_event_value_too_many_digits"
    return None
