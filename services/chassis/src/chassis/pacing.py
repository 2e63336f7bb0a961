"""Waiting in process time: exponential back-off with jitter, and a token bucket."""

from __future__ import annotations

import asyncio
import random
import time


def backoff_s(attempt: int, *, base_s: float = 0.25, cap_s: float = 30.0, rng: random.Random | None = None) -> float:
    """Seconds to wait before try `attempt` + 1 (attempts count from 1): half to all of base * 2^(attempt-1)."""
    ceiling = min(cap_s, base_s * 2.0 ** min(attempt - 1, 20))
    return (rng or random).uniform(ceiling / 2, ceiling)


class TokenBucket:
    """At most `rate` passes a second with bursts of `burst`; callers queue in order of arrival."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = time.monotonic()
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Return when a token was free."""
        async with self._turn:
            self._refill()
            if self._tokens < 1:
                await asyncio.sleep((1 - self._tokens) / self.rate)
                self._refill()
            self._tokens -= 1

    def try_take(self, count: float = 1) -> float:
        """Take `count` tokens and return 0, or take none and return the seconds until they would be there."""
        self._refill()
        if self._tokens >= count:
            self._tokens -= count
            return 0.0
        return (count - self._tokens) / self.rate

    def _refill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
