"""Billing cycles from an anchor, in unix seconds, UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

_SECONDS = {"day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "year": 12}


def cycle_start(anchor: int, number: int, *, interval: str = "month", count: int = 1) -> int:
    """
    The start of cycle `number`; cycle 0 starts at the anchor, negative ones lie before it.

    A day that a month lacks becomes the month's last, and comes back in the next month that has it.
    """
    if interval in _SECONDS:
        return anchor + number * count * _SECONDS[interval]
    first = datetime.fromtimestamp(anchor, UTC)
    years, month0 = divmod(first.month - 1 + number * count * _MONTHS[interval], 12)
    year, month = first.year + years, month0 + 1
    last_day = calendar.monthrange(year, month)[1]
    return int(first.replace(year=year, month=month, day=min(first.day, last_day)).timestamp())


def cycle_number(anchor: int, instant: int, *, interval: str = "month", count: int = 1) -> int:
    """The cycle that holds an instant: start <= instant < next start. Negative before the anchor."""
    length = cycle_start(anchor, 1, interval=interval, count=count) - anchor
    number = (instant - anchor) // length
    while cycle_start(anchor, number, interval=interval, count=count) > instant:
        number -= 1
    while cycle_start(anchor, number + 1, interval=interval, count=count) <= instant:
        number += 1
    return number
