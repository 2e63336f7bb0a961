"""The month that is generated, and the instants at which business time steps through it."""

from __future__ import annotations

import calendar
from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from workload.script import DAY, HOUR, SECOND

MINUTE = 60 * SECOND
FREEZE_AFTER = 30 * MINUTE


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of a UTC instant on a whole second."""
    return calendar.timegm(instant.utctimetuple()) * SECOND


def iso(at: int) -> str:
    """RFC 3339 in UTC, with fractions only where there are any."""
    seconds, rest = divmod(at, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}Z" if rest else f"{text}Z"


@dataclass(frozen=True, slots=True)
class Month:
    """
    A calendar month in UTC. All instants in microseconds; `steps` are those at which business time stands.

    Some steps may lie before the month: contracts that began earlier are agreed at the first one.
    """

    start: int
    end: int
    steps: tuple[int, ...]
    freeze_after: int = FREEZE_AFTER

    @classmethod
    def of(cls, text: str, *, step_hours: int = 12, days_after: int = 4, freeze_after: int = FREEZE_AFTER) -> Month:
        """
        The month `2026-10`, stepped by hours, finer around end and freeze, and four days on for what comes late.

        `freeze_after` lies between 2 minutes and the days after.
        """
        year, month = (int(part) for part in text.split("-"))
        start = micros(datetime(year, month, 1, tzinfo=UTC))
        length = calendar.monthrange(year, month)[1]
        end = start + length * DAY
        steps = {start + hours * HOUR for hours in range(0, length * 24, step_hours)}
        freeze = end + freeze_after
        steps |= {end - HOUR, end, freeze - MINUTE, freeze, freeze + MINUTE, end + 2 * HOUR}
        steps |= {end + day * DAY + hour * HOUR for day in range(days_after) for hour in (12, 24)}
        return cls(start, end, tuple(sorted(steps)), freeze_after)

    def stopping_at(self, instants: Iterable[int], *, freezing: Iterable[int] = ()) -> Month:
        """The same month, where business time also stands at these instants, and around the freezes of these days."""
        steps = {*self.steps, *instants}
        for day in freezing:
            freeze = day + self.freeze_after
            steps |= {day, *(at for at in (freeze - MINUTE, freeze + MINUTE) if at <= self.last_step)}
        return replace(self, steps=tuple(sorted(steps)))

    @property
    def frozen_at(self) -> int:
        """Entries recorded at or after this instant are corrections."""
        return self.end + self.freeze_after

    @property
    def last_step(self) -> int:
        """Where business time ends."""
        return self.steps[-1]

    @property
    def last_open_step(self) -> int:
        """The last step before the freeze: what is delivered by then is on the invoice."""
        return self.last_step_before(self.frozen_at)

    def last_step_before(self, at: int) -> int:
        """The last step that lies before an instant."""
        return self.steps[bisect_left(self.steps, at) - 1]

    def step_of(self, at: int) -> int | None:
        """The step in which something that arrives at an instant is delivered; None after the last."""
        place = bisect_left(self.steps, at)
        return self.steps[place] if place < len(self.steps) else None

    def ambiguous(self, window_end: int, deciding: Collection[int] = ()) -> bool:
        """
        Whether a window that ends there could be charged in either of two steps: the generator avoids it.

        `deciding`: the steps after which it matters, beside the last; the last one before the month's freeze, if none.
        """
        steps = (*(deciding or (self.last_open_step,)), self.last_step)
        return any(step - MINUTE <= window_end <= step for step in steps)
