"""Deliveries that stayed unclear for too long to be sent again: Stripe's hourly sum decides."""

from __future__ import annotations

from datetime import datetime, timedelta

from chassis.store import transaction
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.usage.domain.states import State
from invoicing_sync.usage.domain.unclear import Verdict, judge
from invoicing_sync.usage.store import deliveries
from invoicing_sync.usage.store.deliveries import Claim, Result

HOUR = timedelta(hours=1)


async def resolve(claim: Claim, *, pool: Pool, door: StripeDoor, objects: Objects, now: datetime) -> Verdict:
    """
    Decide one unclear delivery by the summary of its hour, with it and without it; else open a case.

    Counted: it is delivered. Not counted: it is pending again, and may be sent, since Stripe does not hold it.
    """
    effect = claim.effect
    start = effect.effective_at.replace(minute=0, second=0, microsecond=0)
    meter_id = await objects.meter(claim.lane[1])
    sums = await door.usage.by_window(meter_id, claim.stripe_customer, start, start + HOUR, "hour")
    known = await deliveries.held_by_stripe(pool, claim.lane, start, start + HOUR)
    summed = sums.get(start, known * 0)
    verdict = judge(known=known, value=claim.value, summed=summed)
    await _store(claim, verdict, pool, now)
    if verdict is Verdict.UNDECIDED:
        await cases.open_case(
            pool,
            "unclear_delivery",
            effect.identifier,
            now=now,
            customer=claim.lane[0],
            meter=claim.lane[1],
            known=known,
            value=claim.value,
            summed=summed,
            hour=start.isoformat(),
        )
    else:
        await cases.close_case(pool, "unclear_delivery", effect.identifier, now=now)
    return verdict


async def _store(claim: Claim, verdict: Verdict, pool: Pool, now: datetime) -> None:
    effect = claim.effect
    states = {Verdict.COUNTED: State.DELIVERED, Verdict.NOT_COUNTED: State.PENDING, Verdict.UNDECIDED: State.UNCLEAR}
    cancelled = effect.reverses if effect.cancels and verdict is Verdict.COUNTED else None
    result = Result(effect.identifier, states[verdict], claim.attempt, 0, now, f"summary_{verdict.value}", cancelled)
    async with transaction(pool) as tx:
        await deliveries.settle(tx, [result])
