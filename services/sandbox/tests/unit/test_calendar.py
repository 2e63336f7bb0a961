"""Billing cycles; expected instants are written out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.domain.calendar import cycle_number, cycle_start


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def starts(anchor: str, numbers: range, **every: object) -> list[str]:
    found = [cycle_start(at(anchor), number, **every) for number in numbers]  # type: ignore[arg-type]
    return [datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M") for instant in found]


def test_a_day_that_a_month_lacks_comes_back() -> None:
    """31 January, 28 February, 31 March."""
    assert starts("2027-01-31 10:00", range(4)) == [
        "2027-01-31 10:00",
        "2027-02-28 10:00",
        "2027-03-31 10:00",
        "2027-04-30 10:00",
    ]


def test_leap_years_and_turns_of_the_year() -> None:
    """29 February stands in 2028 and not in 2029."""
    assert starts("2028-02-29 00:00", range(0, 13, 12)) == ["2028-02-29 00:00", "2029-02-28 00:00"]
    assert starts("2026-11-30 23:59", range(-1, 4)) == [
        "2026-10-30 23:59",
        "2026-11-30 23:59",
        "2026-12-30 23:59",
        "2027-01-30 23:59",
        "2027-02-28 23:59",
    ]


@pytest.mark.parametrize(
    ("interval", "count", "second"),
    [("day", 1, "2026-10-02"), ("week", 2, "2026-10-15"), ("month", 3, "2027-01-01"), ("year", 1, "2027-10-01")],
)
def test_other_intervals(interval: str, count: int, second: str) -> None:
    """Days and weeks are seconds, months and years are calendar."""
    assert starts("2026-10-01 00:00", range(1, 2), interval=interval, count=count) == [f"{second} 00:00"]


instants = st.integers(at("2020-01-01"), at("2040-01-01"))


@given(instants, instants)
def test_every_instant_lies_in_one_cycle(anchor: int, instant: int) -> None:
    """start <= instant < next start."""
    number = cycle_number(anchor, instant)

    assert cycle_start(anchor, number) <= instant < cycle_start(anchor, number + 1)


@given(instants, st.integers(-200, 200))
def test_a_cycle_begins_where_the_last_one_ended(anchor: int, number: int) -> None:
    """Its own start belongs to it, the second before to its predecessor. Seen to fail with `<` for `<=` at the end."""
    start = cycle_start(anchor, number)

    assert cycle_number(anchor, start) == number
    assert cycle_number(anchor, start - 1) == number - 1
