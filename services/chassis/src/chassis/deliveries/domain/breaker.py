"""A circuit breaker as a value: closed, open until an instant, half open with one call at a time."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.deliveries.domain.policy import Policy
from chassis.pacing import backoff_s


class Position(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row while closed; `openings` in a row without a good answer between them."""

    position: Position = Position.CLOSED
    failures: int = 0
    openings: int = 0
    until: datetime | None = None


CLOSED = Breaker()


def at(breaker: Breaker, now: datetime) -> Breaker:
    """The breaker as it stands now: what has been open for long enough is half open."""
    if breaker.position is Position.OPEN and breaker.until is not None and now >= breaker.until:
        return replace(breaker, position=Position.HALF_OPEN, until=None)
    return breaker


def after_call(breaker: Breaker, *, healthy: bool, now: datetime, policy: Policy, rng: random.Random) -> Breaker:
    """
    The breaker after a call's answer; a refusal is a healthy one.

    Answers that come while it is open belong to calls from before: they decide nothing.
    """
    if breaker.position is Position.OPEN:
        return breaker
    if healthy:
        return CLOSED
    failures = breaker.failures + 1
    if breaker.position is Position.CLOSED and failures < policy.breaker_failures:
        return replace(breaker, failures=failures)
    openings = breaker.openings + 1
    wait_s = backoff_s(openings, base_s=policy.breaker_base_s, cap_s=policy.breaker_cap_s, rng=rng)
    return Breaker(Position.OPEN, failures, openings, now + timedelta(seconds=wait_s))
