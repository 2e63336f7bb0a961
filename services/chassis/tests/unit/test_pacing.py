"""Waiting stays within its bounds, and a bucket never lets more through than its rate and burst."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import pacing
from chassis.pacing import TokenBucket, backoff_s


class ProcessTime:
    """A monotonic clock that a test moves; sleeping moves it too."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def process_time(monkeypatch: pytest.MonkeyPatch) -> ProcessTime:
    made = ProcessTime()
    monkeypatch.setattr(pacing.time, "monotonic", made.monotonic)
    monkeypatch.setattr(pacing.asyncio, "sleep", made.sleep)
    return made


class TestBackoff:
    @given(st.integers(1, 10_000), st.integers())
    def test_waits_between_half_and_all_of_a_ceiling_that_never_passes_the_cap(self, attempt: int, seed: int) -> None:
        seconds = backoff_s(attempt, base_s=0.25, cap_s=30.0, rng=random.Random(seed))

        assert 0.125 <= seconds <= 30.0

    @pytest.mark.parametrize(("attempt", "ceiling"), [(1, 0.25), (2, 0.5), (3, 1.0), (7, 16.0), (8, 30.0), (999, 30.0)])
    def test_the_ceiling_doubles_up_to_the_cap(self, attempt: int, ceiling: float) -> None:
        waits = [backoff_s(attempt, rng=random.Random(seed)) for seed in range(200)]

        assert ceiling / 2 <= min(waits) < ceiling * 0.55
        assert ceiling * 0.95 < max(waits) <= ceiling


class TestTokenBucket:
    async def test_a_burst_passes_at_once_and_the_next_waits_for_its_token(self, process_time: ProcessTime) -> None:
        bucket = TokenBucket(rate=10, burst=3)

        for _ in range(3):
            await bucket.take()
        assert process_time.now == 100.0

        await bucket.take()
        assert process_time.now == pytest.approx(100.1)

    async def test_a_long_rest_saves_up_no_more_than_a_burst(self, process_time: ProcessTime) -> None:
        bucket = TokenBucket(rate=10, burst=3)
        process_time.now += 3600

        for _ in range(5):
            await bucket.take()

        assert process_time.now == pytest.approx(3700.2)

    async def test_taking_more_than_there_is_takes_none_and_tells_the_wait(self, process_time: ProcessTime) -> None:
        bucket = TokenBucket(rate=10, burst=5)

        assert bucket.try_take(4) == 0.0
        assert bucket.try_take(2) == pytest.approx(0.1)
        assert bucket.try_take(1) == 0.0

        process_time.now += 0.11
        assert bucket.try_take(1) == 0.0

    @given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 8)), max_size=60))
    def test_never_more_than_burst_and_rate_allow(self, asked: list[tuple[float, int]]) -> None:
        process_time = ProcessTime()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pacing.time, "monotonic", process_time.monotonic)
            bucket = TokenBucket(rate=4, burst=8)
            passed = 0
            for rest, count in asked:
                process_time.now += rest
                passed += count if bucket.try_take(count) == 0 else 0

        assert passed <= 8 + 4 * (process_time.now - 100.0) + 1e-6
