"""Where an entry belongs, at the edges of its period and of the freeze."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from event_schemas.times import Period
from invoicing_sync.usage.domain.placement import place
from invoicing_sync.usage.domain.states import Correction

ANCHOR = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
FREEZE = END + timedelta(minutes=30)
MICRO = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("effective_at", "recorded_at", "end", "correction"),
    [
        (ANCHOR, ANCHOR, END, None),
        (END - MICRO, FREEZE - MICRO, END, None),
        (END - MICRO, FREEZE, END, Correction.AFTER_FREEZE),
        (END, FREEZE, datetime(2026, 12, 1, tzinfo=UTC), None),
        (ANCHOR - MICRO, ANCHOR, ANCHOR, Correction.BEFORE_BILLING_ANCHOR),
    ],
)
def test_an_entry_is_placed_by_its_instant_and_corrected_by_when_it_was_recorded(
    effective_at: datetime, recorded_at: datetime, end: datetime, correction: Correction | None
) -> None:
    placed = place(
        billing_anchor=ANCHOR,
        billed_from=ANCHOR,
        effective_at=effective_at,
        recorded_at=recorded_at,
        freeze_after=timedelta(minutes=30),
    )

    assert (placed.period.end, placed.correction) == (end, correction)


def test_periods_end_on_the_last_day_of_a_month_that_lacks_the_anchors_day() -> None:
    anchor = datetime(2027, 1, 31, tzinfo=UTC)

    placed = place(
        billing_anchor=anchor,
        billed_from=anchor,
        effective_at=datetime(2027, 2, 28, tzinfo=UTC),
        recorded_at=datetime(2027, 2, 28, tzinfo=UTC),
        freeze_after=timedelta(minutes=30),
    )

    assert placed.period == Period(datetime(2027, 2, 28, tzinfo=UTC), datetime(2027, 3, 31, tzinfo=UTC))
