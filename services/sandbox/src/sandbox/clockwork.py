"""What business time brings about: periods end, drafts are finalised, usage is counted, each at its own instant."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime

from event_schemas.times import to_micros
from sandbox.business_time import NeverBack
from sandbox.journal import Journal
from sandbox.stripe.domain.usage import MeterEvent
from sandbox.stripe.resources.collection import finalise
from sandbox.stripe.resources.drafts import due
from sandbox.stripe.resources.periods import next_due
from sandbox.stripe.resources.renewals import renew
from sandbox.stripe.resources.test_clocks import KIND, arrived, delete_clock
from sandbox.stripe.resources.usage import count_waiting, report_refused
from sandbox.stripe.state import MICROS, Body, State

_BREATH = 20  # pieces of due work between two looks at other requests

_FINALISATION, _RENEWAL, _EXPIRY = range(3)
# (instant in seconds, rank at the same instant, order of creation, id): drafts are finalised before periods end, and
# test clocks whose days are over go last
Due = tuple[int, int, int, str]


class Clockwork:
    """The sandbox's business clock, and the work that becomes due by it."""

    def __init__(self, state: State, journal: Journal, *, processing_ms: int, report_ms: int) -> None:
        self._state = state
        self._journal = journal
        self._processing_s = processing_ms / 1000
        self._report_s = report_ms / 1000
        self._step = asyncio.Lock()
        self._moved = asyncio.Condition()
        self.refused: list[tuple[str | None, str, MeterEvent]] = []
        self._to_report = asyncio.Event()

    async def advance(self, to: datetime) -> None:
        """
        Move business time forward and do all that is due up to then, in order of time; durable on return.

        The first call only sets the clock, since there was none that could have passed.

        Raises:
            NeverBack: `to` lies before the present step.
        """
        async with self._step:
            state, micros = self._state, to_micros(to)
            if state.stepped_micros is not None and micros < state.stepped_micros:
                raise NeverBack
            self.count()
            if state.stepped_micros is not None:
                await self._run_up_to(micros // MICROS)
            state.move_clock(micros)
            state.shown_micros = micros
            state.clock_version += 1
            await self._journal.committed()
        async with self._moved:
            self._moved.notify_all()

    async def wait_for_version(self, newer_than: int, wait_s: float) -> None:
        """Return once the clock's version is newer, or the wait is over."""
        if self._state.clock_version > newer_than or wait_s <= 0:
            return
        async with self._moved:
            try:
                async with asyncio.timeout(wait_s):
                    await self._moved.wait_for(lambda: self._state.clock_version > newer_than)
            except TimeoutError:
                return

    def count(self) -> None:
        """Count the waiting meter events now."""
        if self._state.waiting:
            self.refused += count_waiting(self._state)
            if self.refused:
                self._to_report.set()

    async def run_counting(self) -> None:
        """Count accepted meter events a while after they were accepted, as Stripe does."""
        while True:
            await asyncio.sleep(self._processing_s or 0.001)
            self.count()

    async def run_reports(self) -> None:
        """Tell of refused meter events, gathered for a while."""
        while True:
            await self._to_report.wait()
            await asyncio.sleep(self._report_s)
            self._to_report.clear()
            refused, self.refused = self.refused, []
            report_refused(self._state, refused)
            await self._journal.committed()

    async def run_due(self) -> None:
        """Do what is due by real time, as long as business time has not been set."""
        while True:
            await asyncio.sleep(1.0)
            if self._state.stepped_micros is None:
                async with self._step:
                    await self._run_up_to(self._state.now)
                if self._state.is_dirty:
                    await self._journal.committed()

    async def run_test_clocks(self) -> None:
        """Do what is due on test clocks that advance; also on one that a crash has stopped on its way."""
        while True:
            await asyncio.sleep(self._processing_s or 0.001)
            for clock in [body for body in self._state.objects[KIND].values() if body["status"] == "advancing"]:
                async with self._step:
                    await self._advance_test_clock(clock)

    async def _advance_test_clock(self, clock: Body) -> None:
        """Only this clock's subscriptions and drafts, each by its time; the account's time stands aside."""
        state = self._state

        def reach(at: int) -> None:
            if at > clock["_now"]:
                clock["_now"] = at
                state.put(clock)

        def is_gone() -> bool:
            return state.objects[KIND].get(clock["id"]) is not clock or bool(clock.get("deleted"))

        self.count()
        await self._work_off(clock["frozen_time"], self._all_due(clock["id"]), reach, clock, is_gone)
        if not is_gone():
            arrived(state, clock)
        await self._journal.committed()

    async def _run_up_to(self, limit: int) -> None:
        def reach(at: int) -> None:
            if self._state.stepped_micros is not None and at * MICROS > self._state.stepped_micros:
                self._state.move_clock(at * MICROS)

        await self._work_off(limit, self._all_due(None), reach)

    async def _work_off(
        self,
        limit: int,
        heap: list[Due],
        reach: Callable[[int], None],
        clock: Body | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Do what is due up to `limit` in order of time, and what follows from it; `reach` moves the time that goes."""
        heapq.heapify(heap)
        done = 0
        while heap and heap[0][0] <= limit and not is_over():
            at, rank, _, id_ = heapq.heappop(heap)
            reach(at)
            with self._state.by_clock(clock):
                following = self._act(at, rank, id_)
            for one in following:
                heapq.heappush(heap, one)
            done += 1
            if done % _BREATH == 0:
                await asyncio.sleep(0)

    def _all_due(self, clock: str | None) -> list[Due]:
        """What will be due on a test clock; None: by the account's time."""
        state = self._state
        mine = [body for body in state.objects["subscription"].values() if body["test_clock"] == clock]
        found = [self._renewal(body) for body in mine]
        found += [self._finalisation(body) for body in state.drafts.values() if body["test_clock"] == clock]
        if clock is None:
            clocks = (body for body in state.objects[KIND].values() if not body.get("deleted"))
            found += [(body["deletes_after"], _EXPIRY, state.numbers[body["id"]], body["id"]) for body in clocks]
        return [one for one in found if one is not None]

    def _renewal(self, body: Body) -> Due | None:
        if body["status"] == "canceled":
            return None
        return next_due(body), _RENEWAL, self._state.numbers[body["id"]], body["id"]

    def _finalisation(self, body: Body) -> Due | None:
        at = due(self._state, body)
        return None if at is None else (at, _FINALISATION, self._state.numbers[body["id"]], body["id"])

    def _act(self, at: int, rank: int, id_: str) -> list[Due]:
        """Do one piece of due work, if it still is; what follows from it."""
        state = self._state
        if rank == _FINALISATION:
            invoice = state.drafts.get(id_)
            if invoice is not None and due(state, invoice) == at:
                finalise(state, invoice)
            return []
        if rank == _EXPIRY:
            clock = state.objects[KIND][id_]
            if not clock.get("deleted"):
                with state.by_clock(clock):
                    delete_clock(state, id_, {})
            return []
        subscription = state.objects["subscription"][id_]
        if subscription["status"] == "canceled" or next_due(subscription) != at:
            return []
        renew(state, subscription)
        follows = [self._renewal(subscription)]
        if subscription["latest_invoice"] in state.drafts:
            follows.append(self._finalisation(state.drafts[subscription["latest_invoice"]]))
        return [one for one in follows if one is not None]
