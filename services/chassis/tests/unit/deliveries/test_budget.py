"""How many calls may begin: never more than tokens and slots allow, whoever asks and however often."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.deliveries.domain.answers import Kind
from chassis.deliveries.domain.breaker import Breaker, Position
from chassis.deliveries.domain.budget import Budget, after_answer, allowance, spent
from chassis.deliveries.domain.policy import Policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy(rate=10, burst=5, concurrency=4, breaker_failures=3)
FULL = Budget(5.0, NOW)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_the_slots_bound_it_then_the_tokens() -> None:
    assert allowance(FULL, in_use=0, now=NOW, policy=POLICY).calls == 4
    assert allowance(FULL, in_use=3, now=NOW, policy=POLICY).calls == 1
    assert allowance(Budget(2.5, NOW), in_use=0, now=NOW, policy=POLICY).calls == 2


def test_says_when_the_next_token_is_there_and_nothing_where_a_slot_must_come_free() -> None:
    assert allowance(Budget(0.5, NOW), in_use=0, now=NOW, policy=POLICY).wait_s == 0.05
    assert allowance(FULL, in_use=4, now=NOW, policy=POLICY).wait_s is None


def test_nobody_calls_while_the_far_side_wants_none() -> None:
    told = after_answer(FULL, Kind.RATE_LIMITED, wait_s=3, now=NOW, policy=POLICY, rng=random.Random(1))

    assert allowance(told, in_use=0, now=NOW + seconds(2), policy=POLICY).calls == 0
    assert allowance(told, in_use=0, now=NOW + seconds(2), policy=POLICY).wait_s == 1.0
    assert allowance(told, in_use=0, now=NOW + seconds(3), policy=POLICY).calls == 4


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    told = FULL
    for wait_s in (3, 1):
        told = after_answer(told, Kind.RATE_LIMITED, wait_s=wait_s, now=NOW, policy=POLICY, rng=random.Random(1))

    assert allowance(told, in_use=0, now=NOW + seconds(2), policy=POLICY).calls == 0


def test_a_refusal_is_no_outage() -> None:
    told = FULL
    for _ in range(9):
        told = after_answer(told, Kind.REFUSED, wait_s=0, now=NOW, policy=POLICY, rng=random.Random(1))

    assert told.breaker.position is Position.CLOSED


def test_one_call_at_a_time_tries_a_breaker_that_is_half_open() -> None:
    tried = Budget(5.0, NOW, breaker=Breaker(Position.OPEN, 3, 1, NOW))

    assert allowance(tried, in_use=0, now=NOW, policy=POLICY).calls == 1
    assert allowance(tried, in_use=1, now=NOW, policy=POLICY).calls == 0
    assert allowance(tried, in_use=0, now=NOW - seconds(1), policy=POLICY).wait_s == 1.0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 6)), max_size=60))
def test_in_any_span_no_more_calls_begin_than_burst_and_rate_allow(asked: list[tuple[float, int]]) -> None:
    """Plants caught: a bucket above its burst; `refilled_at` left behind; taking what is not there."""
    budget, now, begun = FULL, NOW, []
    for passed_s, in_use in asked:
        now += seconds(passed_s)
        allowed = allowance(budget, in_use=in_use, now=now, policy=POLICY)
        assert 0 <= allowed.calls <= max(0, 4 - in_use)
        budget = spent(allowed.budget, allowed.calls)
        begun.append((now, allowed.calls))

    for first in range(len(begun)):
        total = 0
        for at, calls in begun[first:]:
            total += calls
            assert total <= 5 + 10 * (at - begun[first][0]).total_seconds() + 1e-6
