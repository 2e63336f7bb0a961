"""How events travel: late, out of order, twice, in storms, and some of them broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from workload.month import MINUTE, Month, iso
from workload.script import DAY, HOUR, SECOND, Event

SOURCES = ("urn:product:messenger", "urn:product:mail", "urn:product:voice")


@dataclass(slots=True)
class Delivery:
    """One arrival: the event as it is sent (any JSON), the step in which it comes, and how it should be taken."""

    step: int
    order: int
    body: Any
    fate: str = "accepted"  # or the reason of its quarantine


@dataclass(slots=True)
class Counts:
    """What the two equations should say at the end."""

    deliveries: int = 0
    applied: int = 0
    duplicate: int = 0
    conflicting: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)


def sent(event: Event, customer: str, subject: str, source: str, id_: str) -> Event:
    """The CloudEvent of a generated event."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": event["type"],
        "subject": subject,
        "time": iso(event["at"]),
        "customer": customer,
        "data": event["data"],
    }


def delay(rng: Random) -> int:
    """98 % under 5 s, 1.5 % under 10 minutes, 0.4 % under a day, 0.09 % under 3 days, 0.01 % up to 30 days."""
    dice = rng.random()
    if dice < 0.98:
        return int(rng.random() * 5 * SECOND)
    if dice < 0.995:
        return int(rng.random() * 10 * MINUTE)
    if dice < 0.999:
        return int(rng.random() * DAY)
    if dice < 0.9999:
        return int(rng.random() * 3 * DAY)
    return int(rng.random() * 30 * DAY)


@dataclass(frozen=True, slots=True)
class Storms:
    """Hours in which a product service repeats much of what it sends: 12 % of its events instead of 0.5 %."""

    hours: frozenset[int]  # whole hours since 1970

    @classmethod
    def of(cls, rng: Random, month: Month, count: int = 6) -> Storms:
        """A few working hours of the month."""
        days = (month.end - month.start) // DAY
        start = month.start // HOUR
        return cls(frozenset(start + rng.randrange(days) * 24 + rng.randrange(8, 18) for _ in range(count)))

    def copies(self, rng: Random, at: int) -> int:
        """How often an event of that instant is sent."""
        dice = rng.random()
        if dice < (0.12 if at // HOUR in self.hours else 0.005):
            return 2
        return rng.randrange(3, 12) if dice > 0.9998 else 1


def arrivals(
    rng: Random, month: Month, at: int, body: Any, *, storms: Storms, held_until: int = 0, arrives: int = 0
) -> Iterable[Delivery]:
    """
    The deliveries of one event: once, or more often; never after the last step.

    Never before it happened either, except where `arrives` says so: a producer's clock may run ahead.
    """
    travel = 0 if body["subject"].startswith("shaped-") else delay(rng)
    first = arrives or max(at + travel, held_until)
    for number in range(storms.copies(rng, at)):
        comes = first + number * rng.randrange(1, 3600) * SECOND
        step = month.step_of(comes)
        if number == 0 and step is None:
            step = month.last_step if at <= month.last_step else None
        if step is None:
            return
        order = comes + (rng.randrange(-30, 30) * SECOND if rng.random() < 0.02 else 0)
        yield Delivery(step, order, body)


def broken(rng: Random, month: Month, customers: list[str], count: int) -> list[Delivery]:
    """Events that belong into the quarantine, each kind by turns; the same one never twice."""
    made = []
    for number in range(count):
        step = rng.choice(month.steps)
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"broken-{number}",
            "source": SOURCES[0],
            "type": "conversation.signal",
            "subject": f"broken-{number}",
            "time": iso(step - HOUR),
            "customer": rng.choice(customers),
            "data": {"signal": "ai_answer"},
        }
        fate = _break(body, number, step)
        made.append(Delivery(step, step, body, fate))
    return made


def _break(body: dict[str, Any], number: int, step: int) -> str:
    """Break a sound event, every other one by its customer; answers the reason for its quarantine."""
    ways: list[tuple[str, dict[str, Any]]] = [
        ("too_old", {"time": iso(step - 401 * DAY)}),
        ("in_the_future", {"time": iso(step + 16 * MINUTE)}),
        ("unknown_type", {"type": "conversation.rating"}),
        ("unknown_field", {"data": {"signal": "ai_answer", "transcript": "never"}}),
        ("malformed", {"time": None}),
        ("malformed", {"data": {"signal": "customer_message"}}),
        ("malformed", {"subject": "two words"}),
        ("malformed", {"id": 12345 + number}),
        ("malformed", {"data": {"signal": "flagged", "flag": "ugly"}}),
        ("malformed", {"subject": "gespräch-\u200b7"}),
        ("malformed", {"id": "x" * 201}),
        ("malformed", {"type": "usage", "data": {"meter": "sms_segment", "quantity": "-1"}}),
        ("malformed", {"type": "usage", "data": {"meter": "sms_segment", "quantity": "1e3"}}),
        ("malformed", {"type": "usage", "data": {"meter": "SMS", "quantity": "1"}}),
        ("malformed", {"time": "yesterday"}),
        ("malformed", {"specversion": "0.3"}),
        ("malformed", {"type": "resolution", "data": {"state": "perhaps"}}),
        ("malformed", {"data": "ai_answer"}),
    ]
    place, odd = divmod(number, 2)
    reason, changed = ways[place % len(ways)]
    if odd:
        reason, changed = "unknown_customer", {"customer": f"customer-gone-{place % 7}"}
    body |= changed
    if body["time"] is None:
        del body["time"]
    return reason
