"""The day of an instant: how exactly a row remembers its last signal."""

from __future__ import annotations

from usage_rating.domain.policy import DAY

FIRST, LAST = -(2**31), 2**31 - 1


def day_of(instant: int) -> int:
    """Whole days since 1970 of an instant in microseconds; kept within 32 bits."""
    return max(FIRST, min(instant // DAY, LAST))
