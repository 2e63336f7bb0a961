"""The breaker opens after failures in a row, lets one call try, and closes when that is answered."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.deliveries.domain.breaker import CLOSED, Breaker, Position, after_call, at
from chassis.deliveries.domain.policy import Policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy(breaker_failures=3, breaker_base_s=2, breaker_cap_s=16)


def called(breaker: Breaker, *healthy: bool, now: datetime = NOW) -> Breaker:
    for one in healthy:
        breaker = after_call(breaker, healthy=one, now=now, policy=POLICY, rng=random.Random(7))
    return breaker


def test_opens_at_the_third_failure_in_a_row_not_in_all() -> None:
    assert called(CLOSED, False, False).position is Position.CLOSED
    assert called(CLOSED, False, False, True, False, False).position is Position.CLOSED
    assert called(CLOSED, False, False, False).position is Position.OPEN


def test_is_half_open_once_its_time_has_passed_and_not_before() -> None:
    opened = called(CLOSED, False, False, False)
    assert opened.until is not None
    assert NOW + timedelta(seconds=1) <= opened.until <= NOW + timedelta(seconds=2)

    assert at(opened, opened.until - timedelta(microseconds=1)).position is Position.OPEN
    assert at(opened, opened.until).position is Position.HALF_OPEN


def test_one_good_answer_closes_it_and_one_failure_opens_it_for_longer() -> None:
    opened = called(CLOSED, False, False, False)
    assert opened.until is not None
    tried = at(opened, opened.until)

    assert called(tried, True) == CLOSED
    again = called(tried, False, now=opened.until)
    assert again.position is Position.OPEN
    assert again.until is not None
    assert timedelta(seconds=2) <= again.until - opened.until <= timedelta(seconds=4)


def test_answers_of_calls_from_before_change_nothing_while_it_is_open() -> None:
    opened = called(CLOSED, False, False, False)

    assert called(opened, True, False, True) == opened


MOSTLY_DOWN = st.sampled_from([False, False, False, False, True])


@given(st.lists(st.tuples(MOSTLY_DOWN, st.floats(0, 20)), max_size=60), st.integers())
def test_never_stays_open_longer_than_the_cap_nor_closes_without_a_good_answer(
    history: list[tuple[bool, float]], seed: int
) -> None:
    """Plants caught: a wait without the cap; closing when the time has passed; failures that are not reset."""
    breaker, now, rng, in_a_row = CLOSED, NOW, random.Random(seed), 0
    for healthy, passed_s in history:
        now += timedelta(seconds=passed_s)
        before = at(breaker, now)
        breaker = after_call(before, healthy=healthy, now=now, policy=POLICY, rng=rng)

        if before.position is not Position.OPEN:
            in_a_row = 0 if healthy else in_a_row + 1
        if breaker.position is Position.OPEN:
            assert breaker.until is not None
            assert breaker.until <= now + timedelta(seconds=16)
            assert in_a_row >= 3
        if breaker.position is Position.CLOSED:
            assert in_a_row < 3
            assert healthy or before.position is Position.CLOSED
