"""Instants and billing periods: UTC everywhere, microseconds at rest, half-open periods."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

# As the fast structs take it too: msgspec allows a blank for the T and an offset without its colon.
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)


def _as_written(value: object) -> object:
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError("no calendar has this instant: look at its day, its hours and its offset") from None
    if isinstance(value, datetime):
        return value
    raise ValueError("write an instant as RFC 3339 with an offset, such as 2026-10-01T00:00:00Z")


# What a stranger gives us as a time. pydantic alone would take the number 7 for seven seconds after 1970.
Instant = Annotated[AwareDatetime, BeforeValidator(_as_written)]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant; exact, no float in between."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC instant of a count of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def iso(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`; fractions only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """
    Read an RFC 3339 instant with an offset.

    Raises:
        ValueError: not of that form, or without an offset.
    """
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset, such as Z")
    return instant.astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A billing period, half-open: `start` belongs to it, `end` to the next one."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def month_after(anchor: datetime, months: int) -> datetime:
    """
    The anchor moved by whole months of UTC; a day that the month lacks becomes its last (31 Jan, 28 Feb, 31 Mar).

    An anchor written with another offset counts by its UTC day, as Stripe's does, which is a count of seconds.
    """
    anchor = anchor.astimezone(UTC)
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def period_number(anchor: datetime, number: int) -> Period:
    """The monthly period `number` (0 is the one that the anchor starts)."""
    return Period(month_after(anchor, number), month_after(anchor, number + 1))


def period_containing(anchor: datetime, instant: datetime) -> Period:
    """
    The monthly period, counted from the anchor, that holds `instant`; it may lie before the anchor.

    Source: stripe.md, billing_cycle_anchor with calendar months.
    """
    anchor, instant = anchor.astimezone(UTC), instant.astimezone(UTC)
    number = (instant.year - anchor.year) * 12 + instant.month - anchor.month
    if month_after(anchor, number) > instant:
        number -= 1
    return period_number(anchor, number)
