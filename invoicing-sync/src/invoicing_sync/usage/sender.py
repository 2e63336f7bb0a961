"""
Sends usage to Stripe: lanes side by side, each lane one call at a time.

    1. leases, routing, intents   one transaction for many lanes            failpoint intent-committed
    2. calls                      one at a time in a lane, nothing overtakes an unclear one
    3. results                    one transaction for many lanes            failpoint result-stored

If we die after 1 or 2, the next owner finds the delivery in flight and sends it with the same identifier.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.gaps import failpoints
from invoicing_sync.instance import Instance
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases, leases
from invoicing_sync.store.pool import Connection, Pool, steer
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused
from invoicing_sync.usage.calls import Outcome, deliver
from invoicing_sync.usage.domain import refusals
from invoicing_sync.usage.domain.routing import Do, Step, plan_lane
from invoicing_sync.usage.domain.states import State
from invoicing_sync.usage.domain.unclear import Verdict
from invoicing_sync.usage.doubts import resolve
from invoicing_sync.usage.recorder import Recorder
from invoicing_sync.usage.store import deliveries
from invoicing_sync.usage.store.deliveries import Claim, Lane

log = logging.getLogger(__name__)
UNDECIDED_WAIT_S = 60.0
LATER_S = 5.0  # a lane whose meter could not be made sure of
GRACE_S = 3.0  # calls under way at SIGTERM; shorter than any supervisor's patience


class Sender:
    """`wake` says which lanes have work; the scan finds those that nobody woke."""

    def __init__(
        self, pool: Pool, door: StripeDoor, objects: Objects, clock: Clock, instance: Instance, settings: Settings
    ) -> None:
        self._pool, self._door, self._objects, self._clock = pool, door, objects, clock
        self._instance, self._settings = instance, settings
        self._recorder = Recorder(pool, gather_s=settings.record_ms / 1000)
        self._ready: dict[Lane, float] = {}  # woken at, in order
        self._busy: dict[Lane, asyncio.Task[None]] = {}
        self._again: set[Lane] = set()  # more is known to wait behind what was claimed
        self._blocked: dict[Lane, float] = {}  # until, monotonic
        self._leased: dict[Lane, float] = {}  # until, monotonic
        self._woken = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None

    def wake(self, lanes: Iterable[Lane]) -> None:
        """These lanes have work."""
        now = time.monotonic()
        for lane in lanes:
            self._ready.setdefault(lane, now)
        self._woken.set()

    @property
    def settled(self) -> int:
        """Results stored by this process; it grows while sending moves."""
        return self._recorder.stored

    @property
    def busy(self) -> int:
        """Lanes that are being worked on or wait for it."""
        return len(self._busy) + len(self._ready)

    async def run(self) -> None:
        """Send until cancelled; calls under way get a moment to end, what is left is found in flight by the next."""
        self._failed = asyncio.get_running_loop().create_future()
        recorder = asyncio.create_task(self._recorder.run(), name="recorder")
        feeders = [asyncio.create_task(self._scan(), name="scan"), asyncio.create_task(self._pick(), name="pick")]
        try:
            done, _ = await asyncio.wait([recorder, *feeders, self._failed], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(feeders)
            if self._busy:
                await asyncio.wait(self._busy.values(), timeout=GRACE_S)
            await _end(list(self._busy.values()))
            await _end([recorder])

    async def _scan(self) -> None:
        """Find lanes that nobody woke: after a start, a take-over, a wait. Under load the woken ones are enough."""
        most = 4 * self._settings.lanes_at_once
        while True:
            if self.busy < most:
                found = await deliveries.lanes_with_work(self._pool, self._clock.now(), limit=most)
                self.wake(lane for lane in found if lane not in self._busy)
            await asyncio.sleep(self._settings.scan_s)

    async def _pick(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(self._settings.wake_ms / 1000)
            while lanes := self._take_ready():
                await self._claim(lanes)

    def _take_ready(self) -> list[Lane]:
        room = self._settings.lanes_at_once - len(self._busy)
        now = time.monotonic()
        taken: list[Lane] = []
        for lane in list(self._ready):
            if len(taken) >= room:
                break
            if lane in self._busy:
                continue
            if self._blocked.get(lane, 0.0) > now:
                del self._ready[lane]  # the scan wakes it again
                continue
            self._blocked.pop(lane, None)
            metrics.lane_wait.observe(now - self._ready.pop(lane))
            taken.append(lane)
        return taken

    async def _claim(self, lanes: list[Lane]) -> None:
        """Lease, route and store intents for many lanes in one transaction; then start their calls."""
        now = self._clock.now()
        async with transaction(self._pool) as tx:
            await steer(tx)
            ours = await self._lease(tx, lanes)
            claims = await deliveries.open_of(tx, ours, now=now, each=self._settings.lane_batch)
            work = await self._route(tx, claims)
        if not work:
            return
        failpoints.reach("intent-committed")
        for lane, claimed in work.items():
            task = asyncio.create_task(self._work(lane, claimed), name=f"lane {lane}")
            self._busy[lane] = task
            task.add_done_callback(partial(self._done, lane))

    def _done(self, lane: Lane, task: asyncio.Task[None]) -> None:
        self._busy.pop(lane, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
        if self._ready:
            self._woken.set()

    async def _lease(self, tx: Connection, lanes: list[Lane]) -> list[Lane]:
        """Those of the lanes that are ours; the database is asked only for leases that run out soon."""
        asked_at = time.monotonic()
        lease_s = self._settings.lease_s
        stale = [lane for lane in lanes if self._leased.get(lane, 0.0) < asked_at + lease_s / 2]
        if stale:
            taken = await leases.take_lanes(tx, stale, self._instance.name, self._instance.epoch, self._instance.lease)
            for lane in stale:
                self._leased.pop(lane, None)
            self._leased.update(dict.fromkeys(taken, asked_at + lease_s * 0.9))
        return [lane for lane in lanes if lane in self._leased]

    async def _route(self, tx: Connection, claims: list[Claim]) -> dict[Lane, list[tuple[Step, Claim]]]:
        """Decide what becomes of the claims, and store it."""
        now, limits = self._clock.now(), self._settings.limits
        wanted = {claim.effect.reverses for claim in claims if claim.effect.reverses is not None}
        charges = await deliveries.effects(tx, sorted(wanted))
        by_lane: dict[Lane, list[Claim]] = {}
        for claim in claims:
            by_lane.setdefault(claim.lane, []).append(claim)
        by_id = {claim.effect.identifier: claim for claim in claims}
        steps: list[Step] = []
        for lane, of_lane in by_lane.items():
            planned = plan_lane([claim.effect for claim in of_lane], charges, now=now, limits=limits)
            steps += planned
            if len(of_lane) >= self._settings.lane_batch or len(planned) < len(of_lane):
                self._again.add(lane)
        allowed = await self._store(tx, steps, by_id)
        work: dict[Lane, list[tuple[Step, Claim]]] = {}
        for step in steps:
            if step.identifier in allowed or step.do is Do.ASK:
                claim = by_id[step.identifier]
                claim = replace(
                    claim, effect=replace(claim.effect, cancels=step.do is Do.CANCEL or claim.effect.cancels)
                )
                work.setdefault(claim.lane, []).append((step, claim))
        return work

    async def _store(self, tx: Connection, steps: list[Step], by_id: dict[str, Claim]) -> set[str]:
        netted = [step.identifier for step in steps if step.do is Do.NET]
        if netted:
            await deliveries.net(tx, netted)
        corrected = [(step.identifier, step.correction) for step in steps if step.correction is not None]
        if corrected:
            await deliveries.turn_into_corrections(tx, corrected)
            for identifier, reason in corrected:
                claim = by_id[identifier]
                await cases.open_case(
                    tx,
                    "recorded_in_time_and_not_sent",
                    identifier,
                    now=self._clock.now(),
                    customer=claim.lane[0],
                    meter=claim.lane[1],
                    value=claim.value,
                    why=reason.value,
                )
        intents = [(step.identifier, step.do is Do.CANCEL) for step in steps if step.do in (Do.SEND, Do.CANCEL)]
        if not intents:
            return set()
        return await deliveries.intend(
            tx, intents, now=self._clock.now(), owner=self._instance.name, epoch=self._instance.epoch
        )

    async def _work(self, lane: Lane, claimed: list[tuple[Step, Claim]]) -> None:
        """One lane's calls in order; stops at the first that does not settle."""
        storing: list[asyncio.Task[None]] = []
        wait_s: float | None = 0.0
        try:
            await self._objects.meter(lane[1])
            for step, claim in claimed:
                wait_s = await self._one(step, claim, storing)
                if wait_s != 0.0:
                    break
        except (TryLater, Refused) as error:
            log.warning("a lane waits", extra={"customer": lane[0], "meter": lane[1], "why": str(error)})
            wait_s = LATER_S
        if storing:
            await asyncio.gather(*storing)
        if wait_s:
            self._blocked[lane] = time.monotonic() + wait_s
        elif wait_s == 0.0 and lane in self._again:
            self._again.discard(lane)
            self._ready.setdefault(lane, time.monotonic())

    async def _one(self, step: Step, claim: Claim, storing: list[asyncio.Task[None]]) -> float | None:
        """One delivery; how long the lane must wait then, None when it is not ours any more."""
        lane = claim.lane
        if step.do is Do.ASK:
            now = self._clock.now()
            verdict = await resolve(claim, pool=self._pool, door=self._door, objects=self._objects, now=now)
            return UNDECIDED_WAIT_S if verdict is Verdict.UNDECIDED else 0.0
        outcome = await deliver(
            claim, door=self._door, now=self._clock.now, still_ours=lambda: self._leased.get(lane, 0) > time.monotonic()
        )
        if outcome is None:
            return None
        result = outcome.result
        if claim.effect.cancels and result.state is State.REFUSED:
            numbers = refusals.of_cancelling(result.result, in_doubt=outcome.in_doubt)
            if not numbers:
                await self._send_negative_instead(claim, outcome.answer.detail)
                return 0.0
            result = replace(result, state=State.DELIVERED, cancelled=claim.effect.reverses, assumptions=numbers)
        elif result.state is State.REFUSED:
            numbers = refusals.of_event(result.result, claim.value, in_doubt=outcome.in_doubt)
            await self._say_refused(claim, outcome, numbers)
            result = replace(result, assumptions=numbers)
        storing.append(asyncio.create_task(self._recorder.store(result)))
        return outcome.wait_s

    async def _send_negative_instead(self, claim: Claim, why: str) -> None:
        log.warning("an adjustment was refused", extra={"identifier": claim.effect.identifier, "why": why})
        async with transaction(self._pool) as tx:
            await deliveries.route_again(tx, claim.effect.identifier)

    async def _say_refused(self, claim: Claim, outcome: Outcome, numbers: Sequence[str]) -> None:
        meter, code = claim.lane[1], outcome.result.result
        await cases.open_case(
            self._pool,
            "meter_event_refused",
            ":".join((meter, code, *numbers)),
            now=self._clock.now(),
            customer=None,
            meter=meter,
            code=code,
            sentence=outcome.answer.detail,
            sample=claim.effect.identifier,
            assumptions=list(numbers),
        )


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
