"""Months as a contract counts them, in microseconds since 1970, UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from random import Random

from workload.month import iso, micros
from workload.script import DAY, SECOND

__all__ = ["DAY", "SECOND", "at", "iso", "month", "number_at", "within"]


def at(text: str) -> int:
    """An instant as it is written, with an offset."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    return micros(moment) + moment.microsecond


def month(anchor: int, number: int) -> int:
    """The start of a period: so many months after the anchor, on its day, or the last where a month lacks it."""
    moment = datetime.fromtimestamp(anchor // SECOND, UTC)
    months = moment.year * 12 + moment.month - 1 + number
    year, place = months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, place)[1])
    return micros(moment.replace(year=year, month=place, day=day))


def number_at(anchor: int, instant: int) -> int:
    """The number of the period that holds an instant, found by walking from the anchor."""
    number = 0
    while month(anchor, number) > instant:
        number -= 1
    while month(anchor, number + 1) <= instant:
        number += 1
    return number


def within(rng: Random, anchor: int, months: int) -> int:
    """Some second in so many months after the anchor."""
    return rng.randrange(anchor // SECOND + 1, month(anchor, months) // SECOND) * SECOND
