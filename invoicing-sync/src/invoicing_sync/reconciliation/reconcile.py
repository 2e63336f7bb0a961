"""Compares ledger and Stripe by customer, meter and UTC day, and names the cause of each difference."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.reconciliation.domain.drift import Cause, Evidence, cause_of
from invoicing_sync.reconciliation.store import reconciliations
from invoicing_sync.reconciliation.store.reconciliations import Drift
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused

log = logging.getLogger(__name__)


class Reconciler:
    """One run at a time; customers side by side."""

    def __init__(self, pool: Pool, door: StripeDoor, objects: Objects, clock: Clock, settings: Settings) -> None:
        self._pool, self._door, self._objects = pool, door, objects
        self._clock, self._settings = clock, settings
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self, customer: str | None, from_day: datetime, to_day: datetime) -> int:
        """Begin a run over [from_day, to_day), whole UTC days; its id."""
        run = await reconciliations.start(self._pool, customer, from_day, to_day, now=self._clock.now())
        task = asyncio.create_task(self._run(run, customer, from_day, to_day), name=f"reconciliation {run}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return run

    async def _run(self, run: int, customer: str | None, from_day: datetime, to_day: datetime) -> None:
        compared, failure = 0, None
        try:
            async with self._turn:
                slots = asyncio.Semaphore(self._settings.parallel_customers)
                chosen = [a for a in await contracts.accounts(self._pool) if customer in (None, a.customer)]
                counts = await asyncio.gather(*(self._in_turn(slots, run, a, from_day, to_day) for a in chosen))
                compared = sum(counts)
        except (TryLater, Refused) as error:
            failure = str(error)
            log.warning("a reconciliation failed", extra={"run": run, "why": failure})
        await reconciliations.finish(self._pool, run, compared=compared, now=self._clock.now(), failure=failure)

    async def _in_turn(
        self, slots: asyncio.Semaphore, run: int, account: Account, start: datetime, end: datetime
    ) -> int:
        async with slots:
            return await self._customer(run, account, start, end)

    async def _customer(self, run: int, account: Account, start: datetime, end: datetime) -> int:
        settle = timedelta(seconds=self._settings.settle_s)
        meters = {*terms_of(account.contract).meters, *await reconciliations.meters_of(self._pool, account.customer)}
        compared = 0
        for meter in sorted(meters):
            meter_id = await self._objects.meter(meter)
            # our rows first: what is sent between the two readings shows as "lately", never as extra
            ours = await reconciliations.evidence_of(self._pool, account.customer, meter, start, end, settle=settle)
            theirs = await self._door.usage.by_window(meter_id, account.stripe_customer, start, end, "day")
            days = compare(ours, theirs)
            compared += len(days)
            found = [
                Drift(account.customer, meter, day, evidence, cause)
                for day, evidence in days.items()
                if (cause := cause_of(evidence)) is not None
            ]
            await reconciliations.add_drift(self._pool, run, found)
            await self._open_cases(run, found)
        return compared

    async def _open_cases(self, run: int, found: list[Drift]) -> None:
        for drift in found:
            if drift.cause is Cause.STILL_SETTLING:
                continue
            await cases.open_case(
                self._pool,
                "drift",
                f"{drift.customer}/{drift.meter}/{drift.day.date()}",
                now=self._clock.now(),
                customer=drift.customer,
                meter=drift.meter,
                day=drift.day.date().isoformat(),
                cause=drift.cause.value,
                ledger=drift.evidence.ledger,
                stripe=drift.evidence.stripe,
                reconciliation=run,
            )


def compare(ours: Mapping[datetime, Evidence], theirs: Mapping[datetime, Decimal]) -> dict[datetime, Evidence]:
    """Both sides by day; a day that one side does not have is 0 there."""
    nothing = Evidence(ledger=Decimal(0), stripe=Decimal(0))
    days = sorted({*ours, *theirs})
    return {day: replace(ours.get(day, nothing), stripe=theirs.get(day, Decimal(0))) for day in days}
