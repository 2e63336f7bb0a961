"""One delivery's calls: made, repeated while repeating is safe, and summed up in one result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Answered, Kind
from invoicing_sync.stripe_door.wire import MeterEvent
from invoicing_sync.usage.domain.states import MAYBE_SENT, State
from invoicing_sync.usage.store.deliveries import Claim, Result

TRIES = 6  # in one go; the lane then waits and begins again

_SETTLED = {
    Kind.ACCEPTED: State.DELIVERED,
    Kind.DUPLICATE: State.DELIVERED,
    Kind.ALREADY_CANCELLED: State.DELIVERED,
    Kind.REFUSED: State.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The result to store, and how long the lane must wait (seconds of process time; 0: go on).

    `in_doubt`: a call before the answered one may have been carried out.
    """

    result: Result
    wait_s: float
    answer: Answered
    in_doubt: bool


async def deliver(
    claim: Claim, *, door: StripeDoor, now: Callable[[], datetime], still_ours: Callable[[], bool]
) -> Outcome | None:
    """
    Call Stripe for one delivery until it answers for good or the tries are used up.

    The identifier never changes. The Idempotency-Key changes after an answered 5xx, which Stripe would replay. A call
    without an answer leaves the delivery unclear; one that was surely not made leaves it pending. None: the lane's
    lease ran out, and another instance goes on.
    """
    maybe_sent = claim.effect.state in MAYBE_SENT
    attempt = claim.attempt
    answer = Answered(Kind.NOT_SENT)
    for tried in range(1, TRIES + 1):
        if not still_ours():
            return None
        answer = await _call(door, claim, attempt)
        state = _SETTLED.get(answer.kind)
        if state is not None:
            return Outcome(_result(claim, state, attempt, tried, answer, now()), 0.0, answer, maybe_sent)
        if answer.kind is Kind.FAILED:
            attempt += 1
        maybe_sent = maybe_sent or answer.kind in (Kind.FAILED, Kind.UNCLEAR)
        if answer.kind is Kind.BARRED:
            break
        await asyncio.sleep(max(answer.after_s or 0.0, door.client.backoff_s(tried)))
    state = State.UNCLEAR if maybe_sent else State.PENDING
    wait_s = 30.0 if answer.kind is Kind.BARRED else door.client.backoff_s(TRIES)
    return Outcome(_result(claim, state, attempt, TRIES, answer, now()), wait_s, answer, maybe_sent)


async def _call(door: StripeDoor, claim: Claim, attempt: int) -> Answered:
    effect, (_, meter) = claim.effect, claim.lane
    if effect.cancels:
        assert effect.reverses is not None
        key = f"{effect.identifier}:cancel:{attempt}"
        return await door.usage.cancel_meter_event(meter, effect.reverses, key=key)
    event = MeterEvent(effect.identifier, meter, claim.stripe_customer, claim.value, effect.effective_at)
    return await door.usage.send_meter_event(event, key=f"{effect.identifier}:{attempt}")


def _result(claim: Claim, state: State, attempt: int, calls: int, answer: Answered, at: datetime) -> Result:
    effect = claim.effect
    return Result(
        identifier=effect.identifier,
        state=state,
        attempt=attempt,
        calls=calls,
        at=at,
        result=answer.code or answer.kind.value,
        cancelled=effect.reverses if effect.cancels and state is State.DELIVERED else None,
    )
