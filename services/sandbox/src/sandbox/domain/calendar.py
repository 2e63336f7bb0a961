"""Monthly billing cycles from an anchor, in unix seconds, UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime


def cycle_start(anchor: int, number: int) -> int:
    """The start of cycle `number` (0 starts at the anchor); a day that a month lacks becomes the month's last."""
    first = datetime.fromtimestamp(anchor, UTC)
    years, month0 = divmod(first.month - 1 + number, 12)
    year, month = first.year + years, month0 + 1
    last_day = calendar.monthrange(year, month)[1]
    return int(first.replace(year=year, month=month, day=min(first.day, last_day)).timestamp())


def cycle_number(anchor: int, instant: int) -> int:
    """The cycle that holds an instant; negative before the anchor."""
    number = 0
    while cycle_start(anchor, number) > instant:
        number -= 1
    while cycle_start(anchor, number + 1) <= instant:
        number += 1
    return number
