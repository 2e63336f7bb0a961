"""Compares ledger and Stripe by customer, meter and UTC day, and names the cause of each difference."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.clock import Clock
from chassis.errors import TryLater
from event_schemas.values import decimal_text
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.reconciliation.domain.drift import Cause, Evidence, cause_of
from invoicing_sync.reconciliation.store import reconciliations
from invoicing_sync.reconciliation.store.reconciliations import Drift, Patience
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused

log = logging.getLogger(__name__)
DAY = timedelta(days=1)


class Reconciler:
    """One run at a time; customers side by side."""

    def __init__(self, pool: Pool, door: StripeDoor, objects: Objects, clock: Clock, settings: Settings) -> None:
        self._pool, self._door, self._objects = pool, door, objects
        self._clock, self._settings = clock, settings
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()
        self._open_drift: set[str] = set()  # cases that were open when the run began

    def furthest_back(self) -> datetime:
        """The earliest instant of which every delivery is still kept: before it nothing can be compared."""
        return self._clock.now() - timedelta(days=self._settings.keep_deliveries_days)

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
                self._open_drift = await cases.open_keys(self._pool, "drift")
                chosen = [a for a in await contracts.accounts(self._pool) if customer in (None, a.customer)]
                counts = await asyncio.gather(*(self._in_turn(slots, run, a, from_day, to_day) for a in chosen))
                compared = sum(counts)
        except (TryLater, Refused) as error:
            failure = str(error)
            log.warning("a reconciliation failed", extra={"run": run, "why": failure})
        except Exception as error:  # a bug, but one that is told: the run must not look as if it went on
            failure = f"a bug: {type(error).__name__}"
            log.exception("a reconciliation broke off", extra={"run": run})
        await reconciliations.finish(self._pool, run, compared=compared, now=self._clock.now(), failure=failure)

    async def _in_turn(
        self, slots: asyncio.Semaphore, run: int, account: Account, start: datetime, end: datetime
    ) -> int:
        async with slots:
            return await self._customer(run, account, start, end)

    async def _customer(self, run: int, account: Account, start: datetime, end: datetime) -> int:
        agreement = account.agreement
        charged = await reconciliations.meters_of(self._pool, account.customer)
        meters = {*agreement.meters, *charged} - set(agreement.free)  # Stripe does not hear of free meters
        compared = 0
        for meter in sorted(meters):
            meter_id = await self._objects.meter(meter)
            ours = await self._ours(account, meter, start, end)
            theirs = await self._door.usage.by_window(meter_id, account.stripe_customer, start, end, "day")
            days = compare(ours, theirs)
            compared += len(days)
            found = differences(account.customer, meter, days)
            if found:
                found = unmoved(found, before=ours, after=await self._ours(account, meter, start, end))
                await reconciliations.add_drift(self._pool, run, found)
            await self._settle_cases(account.customer, meter, start, end, found)
            await self._open_cases(run, found)
        return compared

    async def _ours(self, account: Account, meter: str, start: datetime, end: datetime) -> dict[datetime, Evidence]:
        patience = Patience(
            settle=timedelta(seconds=self._settings.settle_s),
            turn=timedelta(seconds=self._settings.overdue_s),
            now=self._clock.now(),
        )
        return await reconciliations.evidence_of(self._pool, account.customer, meter, start, end, patience=patience)

    async def _settle_cases(
        self, customer: str, meter: str, start: datetime, end: datetime, found: Sequence[Drift]
    ) -> None:
        """Close the cases of the days that agree now."""
        days = {start + number * DAY for number in range((end - start) // DAY)} - {drift.day for drift in found}
        agree = self._open_drift & {case_key(customer, meter, day) for day in days}
        if agree:
            await cases.close_cases(self._pool, "drift", agree, now=self._clock.now())

    async def _open_cases(self, run: int, found: Sequence[Drift]) -> None:
        """Open a case for each finding, but for those that a person has accepted with these very numbers."""
        findings = {case_key(d.customer, d.meter, d.day): d for d in found if d.cause is not Cause.STILL_SETTLING}
        if not findings:
            return
        accepted = await cases.accepted(self._pool, "drift", findings)
        for key, drift in findings.items():
            detail: dict[str, Any] = {
                "meter": drift.meter,
                "day": drift.day.date().isoformat(),
                "cause": drift.cause.value,
                "ledger": decimal_text(drift.evidence.ledger),
                "stripe": decimal_text(drift.evidence.stripe),
            }
            if key in accepted and accepted[key].items() >= detail.items():
                continue
            await cases.open_case(
                self._pool, "drift", key, now=self._clock.now(), customer=drift.customer, reconciliation=run, **detail
            )


def case_key(customer: str, meter: str, day: datetime) -> str:
    """The natural key of a drift case."""
    return f"{customer}/{meter}/{day.date()}"


def differences(customer: str, meter: str, days: Mapping[datetime, Evidence]) -> list[Drift]:
    """The days whose numbers differ, each with its cause."""
    return [
        Drift(customer, meter, day, evidence, cause)
        for day, evidence in days.items()
        if (cause := cause_of(evidence)) is not None
    ]


def unmoved(
    found: Sequence[Drift], *, before: Mapping[datetime, Evidence], after: Mapping[datetime, Evidence]
) -> list[Drift]:
    """The same differences; where our own rows moved while Stripe was read, nothing is proven: still settling."""
    return [
        drift if before.get(drift.day) == after.get(drift.day) else replace(drift, cause=Cause.STILL_SETTLING)
        for drift in found
    ]


def compare(ours: Mapping[datetime, Evidence], theirs: Mapping[datetime, Decimal]) -> dict[datetime, Evidence]:
    """Both sides by day; a day that one side does not have is 0 there."""
    nothing = Evidence(ledger=Decimal(0), stripe=Decimal(0))
    days = sorted({*ours, *theirs})
    return {day: replace(ours.get(day, nothing), stripe=theirs.get(day, Decimal(0))) for day in days}
