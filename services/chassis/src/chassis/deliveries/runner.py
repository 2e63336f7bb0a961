"""
Sends what is due to one destination: as many replicas as there are, each with this loop.

    1. one transaction: answers that came are stored, lanes that are due are leased with the intent of their calls
       failpoints: delivery-stored, delivery-intended, look-up-intended
    2. the calls, side by side, each in its own lane
       failpoints: delivery-answered, look-up-answered

If we die after 1, the delivery is in flight and whoever takes its lane looks up first. If we die after 2, likewise.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

import asyncpg

from chassis.deliveries import metrics
from chassis.deliveries.domain import budget as budgeting
from chassis.deliveries.domain.answers import Act, Answer, Kind, checked
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import OPEN
from chassis.deliveries.store import budgets, claiming, results
from chassis.deliveries.store.claiming import Claim
from chassis.deliveries.store.results import Ended, Stored
from chassis.deliveries.vendor import Vendor
from chassis.errors import TryLater
from chassis.failpoints import Failpoints
from chassis.pacing import backoff_s
from chassis.store import AWAY, HotConnection, Pool, raise_if_ours, transaction

log = logging.getLogger(__name__)
GRACE_S = 3.0  # calls under way at SIGTERM; shorter than any supervisor's patience
WAITS: tuple[type[Exception], ...] = (*AWAY, asyncpg.DeadlockDetectedError)  # nothing was stored: once more
POLL_S = 0.5  # a look for lanes that nobody woke: other replicas' hand-overs, leases that ended
GATHER_S = 0.004  # answers that come close together are stored together


class Runner:
    """One destination's sender. `owner` names this replica in leases and journal."""

    def __init__(
        self,
        pool: Pool,
        destination: str,
        vendor: Vendor,
        policy: Policy,
        failpoints: Failpoints,
        *,
        owner: str,
        rng: random.Random | None = None,
    ) -> None:
        self.destination = destination
        self._pool, self._vendor, self._policy, self._failpoints = pool, vendor, policy, failpoints
        self._owner, self._rng = owner, rng or random.Random()
        self._ended: list[Ended] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._failure: BaseException | None = None

    def wake(self) -> None:
        """Something was handed over, after the commit."""
        self._failpoints.reach("delivery-enqueued")
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; calls under way get a moment to end, and what is left is looked up by the next."""
        await budgets.ensure_destination(self._pool, self.destination)
        away = 0
        try:
            while True:
                self._woken.clear()
                try:
                    wait_s = await self._cycle()
                    away = 0
                except WAITS as error:
                    raise_if_ours(error)
                    away += 1
                    wait_s = backoff_s(away, cap_s=5, rng=self._rng)
                    log.warning("deliveries wait for the database", extra={"error": type(error).__name__})
                    await asyncio.sleep(wait_s)
                    continue
                await self._rest(wait_s)
        finally:
            await self._stop()

    async def _rest(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._woken.wait()
                await asyncio.sleep(GATHER_S)
        except TimeoutError:
            pass
        if self._failure is not None:
            raise self._failure

    async def _stop(self) -> None:
        if self._calls:
            await asyncio.wait(self._calls, timeout=GRACE_S)
        for task in self._calls:
            task.cancel()
        for error in await asyncio.gather(*self._calls, return_exceptions=True):
            if isinstance(error, Exception):
                log.error("a call failed while stopping", exc_info=error)
        if self._ended:
            try:
                await self._cycle(claiming_too=False)
            except AWAY as error:
                raise_if_ours(error)
                log.warning("answers are not stored: looked up after the start", extra={"error": type(error).__name__})

    async def _cycle(self, *, claiming_too: bool = True) -> float:
        """Store what has ended, begin what may begin; seconds until there may be more to do."""
        began = time.monotonic()
        if not self._ended and (due_s := await self._due_in()) > 0:
            return due_s
        ended, self._ended = self._ended, []
        try:
            async with transaction(self._pool) as tx:
                stored, claims, wait_s = await self._decide(tx, ended, claiming_too=claiming_too)
        except BaseException:
            self._ended = ended + self._ended
            raise
        self._say(ended, stored)
        if stored:
            self._failpoints.reach("delivery-stored")
        if any(claim.act is Act.SEND for claim in claims):
            self._failpoints.reach("delivery-intended")
        if any(claim.act is Act.LOOK_UP for claim in claims):
            self._failpoints.reach("look-up-intended")
        for claim in claims:
            task = asyncio.create_task(self._call(claim, until=began + self._policy.lease_s))
            self._calls.add(task)
            task.add_done_callback(self._call_ended)
        return wait_s

    async def _due_in(self) -> float:
        async with self._pool.acquire() as connection:
            due_s = await claiming.next_due(connection, self.destination)  # type: ignore[arg-type]
        return POLL_S if due_s is None else min(due_s, POLL_S)

    async def _decide(
        self, tx: HotConnection, ended: list[Ended], *, claiming_too: bool
    ) -> tuple[list[Stored], list[Claim], float]:
        destination, policy = self.destination, self._policy
        budget, now = await budgets.lock(tx, destination)
        stored = await results.store(tx, destination, ended, now=now, owner=self._owner, policy=policy, rng=self._rng)
        for one in stored:
            budget = budgeting.after_answer(
                budget, one.ended.answer.kind, wait_s=one.next.wait_s, now=now, policy=policy, rng=self._rng
            )
        in_use = await budgets.in_use(tx, destination, now)
        allowed = budgeting.allowance(budget, in_use=in_use, now=now, policy=policy)
        claims: list[Claim] = []
        if allowed.calls and claiming_too:
            claims = await claiming.claim(tx, destination, allowed.calls, now=now, owner=self._owner, policy=policy)
        await budgets.save(tx, destination, budgeting.spent(allowed.budget, len(claims)), answers=len(ended))
        wait_s = allowed.wait_s
        if allowed.calls:
            wait_s = 0.0 if len(claims) == allowed.calls else await claiming.next_due(tx, destination)
        return stored, claims, POLL_S if wait_s is None else min(POLL_S, max(GATHER_S, wait_s))

    async def _call(self, claim: Claim, *, until: float) -> None:
        """One call; not begun where it could outlive its lease."""
        if time.monotonic() + self._policy.call_timeout_s > until:
            log.warning("a lease is too old to call in", extra={"delivery": claim.delivery.key})
            return
        began = time.monotonic()
        answer = checked(claim.act, await self._answer(claim))
        self._failpoints.reach("delivery-answered" if claim.act is Act.SEND else "look-up-answered")
        metrics.call_seconds.labels(self.destination, claim.act.value).observe(time.monotonic() - began)
        metrics.calls.labels(self.destination, claim.act.value, answer.kind.value).inc()
        self._ended.append(Ended(claim, answer))

    async def _answer(self, claim: Claim) -> Answer:
        ask = self._vendor.send if claim.act is Act.SEND else self._vendor.look_up
        try:
            async with asyncio.timeout(self._policy.call_timeout_s):
                return await ask(claim.delivery)
        except TimeoutError:
            kind = Kind.UNCLEAR if claim.act is Act.SEND else Kind.UNAVAILABLE
            return Answer(kind, f"no answer within {self._policy.call_timeout_s:g} s")
        except TryLater as error:
            return Answer(Kind.UNAVAILABLE, str(error), after_s=error.after_s)

    def _call_ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
        self._woken.set()

    def _say(self, ended: list[Ended], stored: list[Stored]) -> None:
        for one in stored:
            if one.next.state not in OPEN:
                metrics.settled.labels(self.destination, one.next.state.value).inc()
        if fenced := len(ended) - len(stored):
            metrics.fenced.labels(self.destination).inc(fenced)
            log.warning("answers are not ours to store any more", extra={"count": fenced, "owner": self._owner})
