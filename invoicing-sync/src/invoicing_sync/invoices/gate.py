"""
The gate: periods freeze, become complete, and go through two stages until their invoices are issued.

    1. freeze-committed     one transaction for each (customer, period); the next period starts with it
    2. complete-committed   every partition has passed the freeze, all deliveries are settled, the ledger's net is kept
    3. two stages           see `release.py`
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.contracts.domain.plan.ways import ends_at
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.domain.engine import cuts
from invoicing_sync.invoices.domain.gate import PeriodState, lagging, ledger_of
from invoicing_sync.invoices.release import Release
from invoicing_sync.invoices.store import periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.settings import Settings
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.store import entries

log = logging.getLogger(__name__)
BETWEEN = (PeriodState.COLLECTING, PeriodState.CHECKING, PeriodState.FINALISING, PeriodState.COMPLETE, PeriodState.HELD)


class Gate:
    """`wake` says that something it waits for may have come."""

    def __init__(self, pool: Pool, release: Release, clock: Clock, settings: Settings) -> None:
        self._pool, self._release = pool, release
        self._clock, self._settings = clock, settings
        self._woken = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.parallel_customers)

    def wake(self) -> None:
        """Look again soon."""
        self._woken.set()

    async def run(self) -> None:
        """Move periods on until cancelled. Those that are open freeze by the settings of this start."""
        await periods.refreeze(self._pool, self._settings.freeze)
        while True:
            self._woken.clear()
            await self.freeze_due()
            await self.complete_frozen()
            await self.release_complete()
            try:
                async with asyncio.timeout(self._settings.gate_s):
                    await self._woken.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(self._settings.gate_s / 10)  # many wakings, one round

    async def freeze_due(self) -> None:
        """Freeze the periods whose time has come; with each the next one starts, which may be due as well."""
        now = self._clock.now()
        while rows := await periods.due(self._pool, PeriodState.OPEN, now):
            accounts = await self._accounts(rows)
            for row in rows:
                await self._freeze(row, accounts[row.customer], now)

    async def _freeze(self, row: PeriodRow, account: Account, now: datetime) -> None:
        async with transaction(self._pool) as tx:
            if await periods.freeze(tx, row.customer, row.number, now=now) and not row.is_first_invoice:
                following = account.agreement.period_of(row.period.end)
                contract = account.agreement.version_2
                ends = None if contract is None else ends_at(contract)
                if ends is None or following.start < ends:
                    await contracts.add_period(
                        tx,
                        row.customer,
                        row.number + 1,
                        following,
                        freeze_after=self._settings.freeze.of(account.agreement.paying(now).issuer),
                    )
        failpoints.reach("freeze-committed")

    async def complete_frozen(self) -> None:
        """Complete the frozen periods whose set is whole and whose deliveries are settled."""
        now = self._clock.now()
        frozen = await periods.due(self._pool, PeriodState.FROZEN, now)
        if not frozen:
            return
        progress = await entries.read_progress(self._pool)
        whole = {
            freeze_at: not lagging(progress, partitions=self._settings.event_partitions, freeze_at=freeze_at)
            for freeze_at in {row.freeze_at for row in frozen}
        }
        ready = [row for row in frozen if row.is_first_invoice or whole[row.freeze_at]]
        ready = await periods.without_open_deliveries(self._pool, ready)
        accounts = await self._accounts(ready)
        for row in ready:
            agreement = accounts[row.customer].agreement
            parts = cuts(agreement.terms, row.period)
            used = await periods.used(self._pool, row.customer, row.period, parts)
            ledger = ledger_of([(each.meter, each.charged - each.reversed) for each in used], agreement.meters)
            await periods.complete(self._pool, row, ledger, used, revision=agreement.revision)
            failpoints.reach("complete-committed")

    async def release_complete(self) -> None:
        """Move on what is complete or held, and what is between the stages."""
        now = self._clock.now()
        rows: list[PeriodRow] = []
        for state in BETWEEN:
            rows += await periods.due(self._pool, state, now)
        rows = [row for row in rows if self._release.is_time(row)]
        accounts = await self._accounts(rows)
        await asyncio.gather(*(self._in_turn(row, accounts[row.customer]) for row in rows))
        metrics.held.set(await periods.count_held(self._pool))

    async def _in_turn(self, row: PeriodRow, account: Account) -> None:
        async with self._slots:
            try:
                await self._release.move_on(row, account)
            except TryLater as later:
                log.warning("a period waits", extra={"customer": row.customer, "why": str(later)})

    async def _accounts(self, rows: Sequence[PeriodRow]) -> dict[str, Account]:
        return await contracts.accounts_of(self._pool, sorted({row.customer for row in rows}))
