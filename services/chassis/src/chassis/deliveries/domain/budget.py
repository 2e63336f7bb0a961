"""How many calls may begin now: a token bucket, a number of slots, a pause that the far side asked for, the breaker."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.deliveries.domain import breaker as breakers
from chassis.deliveries.domain.answers import FAILURES, Kind
from chassis.deliveries.domain.breaker import CLOSED, Breaker, Position
from chassis.deliveries.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Budget:
    """What all replicas share about a destination: one row. `paused_until`: the far side wants no call before."""

    tokens: float
    refilled_at: datetime
    paused_until: datetime | None = None
    breaker: Breaker = CLOSED


@dataclass(frozen=True, slots=True)
class Allowance:
    """`calls` may begin now; where that is none, not before `wait_s` (None: when a call has ended)."""

    calls: int
    wait_s: float | None
    budget: Budget


def allowance(budget: Budget, *, in_use: int, now: datetime, policy: Policy) -> Allowance:
    """
    How many calls may begin at `now`, and the budget as it stands then; `spent` takes them out of it.

    Args:
        in_use: calls of all replicas that are under way; the slots of a dead one are free when its leases end.
    """
    elapsed_s = max(0.0, (now - budget.refilled_at).total_seconds())
    tokens = min(policy.burst, budget.tokens + elapsed_s * policy.rate)
    breaker = breakers.at(budget.breaker, now)
    budget = replace(budget, tokens=tokens, refilled_at=max(now, budget.refilled_at), breaker=breaker)
    if breaker.position is Position.OPEN and breaker.until is not None:
        return Allowance(0, (breaker.until - now).total_seconds(), budget)
    if budget.paused_until is not None and now < budget.paused_until:
        return Allowance(0, (budget.paused_until - now).total_seconds(), budget)
    slots = (1 if breaker.position is Position.HALF_OPEN else policy.concurrency) - in_use
    if slots <= 0:
        return Allowance(0, None, budget)
    if tokens < 1:
        return Allowance(0, (1 - tokens) / policy.rate, budget)
    return Allowance(min(slots, int(tokens)), None, budget)


def spent(budget: Budget, calls: int) -> Budget:
    """The budget after so many calls have begun. A call that never went out, since we died, is spent all the same."""
    return replace(budget, tokens=budget.tokens - calls)


def paused(budget: Budget, now: datetime, wait_s: float) -> Budget:
    """The budget after the far side said that there were too many calls: nobody calls for so long."""
    until = now + timedelta(seconds=wait_s)
    return replace(budget, paused_until=max(until, budget.paused_until or until))


def after_answer(
    budget: Budget, answer: Kind, *, wait_s: float, now: datetime, policy: Policy, rng: random.Random
) -> Budget:
    """The budget after a call has ended; `wait_s` is what its own lane waits for."""
    if answer is Kind.RATE_LIMITED:  # neither health nor an outage: nobody calls for a while
        return paused(budget, now, wait_s)
    breaker = breakers.after_call(budget.breaker, healthy=answer not in FAILURES, now=now, policy=policy, rng=rng)
    return replace(budget, breaker=breaker)
