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


def arrivals(rng: Random, month: Month, at: int, body: Any, *, held_until: int = 0) -> Iterable[Delivery]:
    """The deliveries of one event: once, or more often; never before it happened, never after the last step."""
    travel = 0 if body["subject"].startswith("shaped-") else delay(rng)
    copies = 1
    dice = rng.random()
    if dice < 0.005:
        copies = 2
    elif dice < 0.0052:
        copies = rng.randrange(3, 12)  # a retry storm
    for number in range(copies):
        arrives = max(at + travel, held_until) + number * rng.randrange(1, 3600) * SECOND
        step = month.step_of(arrives)
        if number == 0 and step is None:
            step = month.last_step if at <= month.last_step else None
        if step is None:
            return
        order = arrives + (rng.randrange(-30, 30) * SECOND if rng.random() < 0.02 else 0)
        yield Delivery(step, order, body)


def broken(rng: Random, month: Month, customers: list[str], count: int) -> list[Delivery]:
    """Events that belong into the quarantine, each kind by turns; the same one never twice."""
    made = []
    for number in range(count):
        step = rng.choice(month.steps)
        body: dict[str, Any] = {
            "specversion": "1.0", "id": f"broken-{number}", "source": SOURCES[0], "type": "conversation.signal",
            "subject": f"broken-{number}", "time": iso(step - HOUR), "customer": rng.choice(customers),
            "data": {"signal": "ai_answer"},
        }  # fmt: skip
        fate = _break(body, number, step)
        made.append(Delivery(step, step, body, fate))
    return made


def _break(body: dict[str, Any], number: int, step: int) -> str:
    kind = number % 10
    if kind == 0:
        body["customer"] = "customer-unknown"
        return "unknown_customer"
    if kind == 1:
        body["time"] = iso(step - 401 * DAY)
        return "too_old"
    if kind == 2:
        body["time"] = iso(step + 16 * MINUTE)
        return "in_the_future"
    if kind == 3:
        body["type"] = "conversation.rating"
        return "unknown_type"
    if kind == 4:
        body["data"]["transcript"] = "never"
        return "unknown_field"
    if kind == 5:
        del body["time"]
    elif kind == 6:
        body["data"] = {"signal": "customer_message"}
    elif kind == 7:
        body["subject"] = "two words"
    elif kind == 8:
        body["id"] = 12345
    else:
        body["data"] = {"signal": "flagged", "flag": "ugly"}
    return "malformed"
