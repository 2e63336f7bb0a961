"""
The gate: periods freeze, become complete, are compared with Stripe, and their invoices are finalised.

    1. freeze-committed     one transaction for each (customer, period); the next period starts with it
    2. complete-committed   every partition has passed the freeze, all deliveries are settled, the ledger's net is kept
    3. comparison           summaries and lines; a difference holds the invoice, a lasting one opens a case
    4. finalise-intended    the intent is stored
    5. finalise-answered    Stripe has finalised
    6. finalised-stored     our row says so

Dying after 4 or 5: the invoice is read first, and finalised only if it is a draft.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.comparison import Comparison
from invoicing_sync.invoices.domain.gate import PeriodState, is_a_finding, lagging, ledger_of
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.invoices.store import invoices, periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice
from invoicing_sync.usage.store import entries

log = logging.getLogger(__name__)


class Gate:
    """`wake` says that something it waits for may have come."""

    def __init__(
        self, pool: Pool, door: StripeDoor, holder: Holder, comparison: Comparison, clock: Clock, settings: Settings
    ) -> None:
        self._pool, self._door, self._holder, self._comparison = pool, door, holder, comparison
        self._clock, self._settings = clock, settings
        self._woken = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.parallel_customers)
        self._look_again: dict[tuple[str, int], float] = {}  # held rows: not before, monotonic

    def wake(self) -> None:
        """Look again soon."""
        self._woken.set()

    async def run(self) -> None:
        """Move periods on until cancelled."""
        while True:
            self._woken.clear()
            await self.freeze_due()
            await self.complete_frozen()
            await self.finalise_complete()
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
                following = account.contract.period_of(row.period.end)
                await contracts.add_period(
                    tx, row.customer, row.number + 1, following, freeze_after=self._settings.freeze_after
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
            meters = terms_of(accounts[row.customer].contract).meters
            values = await periods.frozen_ledger(self._pool, row.customer, row.period, row.period)
            await periods.complete(self._pool, row, ledger_of(values, meters))
            failpoints.reach("complete-committed")

    async def finalise_complete(self) -> None:
        """Compare what is complete or held, and finalise what agrees."""
        now = self._clock.now()
        rows: list[PeriodRow] = []
        for state in (PeriodState.FINALISING, PeriodState.COMPLETE, PeriodState.HELD):
            rows += await periods.due(self._pool, state, now)
        rows = [row for row in rows if self._look_again.get((row.customer, row.number), 0.0) <= time.monotonic()]
        accounts = await self._accounts(rows)
        await asyncio.gather(*(self._in_turn(self._move_on, row, accounts[row.customer]) for row in rows))
        metrics.held.set(await periods.count_held(self._pool))

    async def _in_turn(
        self, move: Callable[[PeriodRow, Account], Awaitable[None]], row: PeriodRow, account: Account
    ) -> None:
        async with self._slots:
            try:
                await move(row, account)
            except TryLater as later:
                log.warning("a period waits", extra={"customer": row.customer, "why": str(later)})

    async def _move_on(self, row: PeriodRow, account: Account) -> None:
        invoice_id = row.invoice_id or await self._invoice_of(row, account)
        if invoice_id is None:
            await self._hold(row, ("Stripe has made no invoice for this period",), None)
            return
        problems: list[str] = []
        if row.state is not PeriodState.FINALISING:
            problems += await self._comparison.usage(account, row)
        invoice = None if problems else await self._holder.look_at(invoice_id)
        if invoice is None:
            await self._hold(row, problems or (f"invoice {invoice_id} is gone",), invoice_id)
            return
        if invoice.status != "draft" or row.state is PeriodState.FINALISING:
            await self._finish(row, account, invoice)
            return
        problems += await self._comparison.lines(account, row, invoice)
        if problems:
            await self._hold(row, problems, invoice_id)
            return
        await periods.intend_to_finalise(self._pool, row, invoice_id)
        failpoints.reach("finalise-intended")
        await self._finalise(replace(row, state=PeriodState.FINALISING), account, invoice)

    async def _invoice_of(self, row: PeriodRow, account: Account) -> str | None:
        """The period's invoice: as a webhook or the sweep has brought it, else as Stripe lists it."""
        invoice_id = await self._known(row)
        if invoice_id is None:
            await self._holder.hold_all_of(account.customer, account.stripe_subscription)
            invoice_id = await self._known(row)
        return invoice_id

    async def _known(self, row: PeriodRow) -> str | None:
        return await invoices.of_period(self._pool, row.customer, row.number, row.period.end)

    async def _finalise(self, row: PeriodRow, account: Account, invoice: Invoice) -> None:
        key = f"settled:finalise:{invoice.invoice_id}:{row.attempt}"
        try:
            done = await self._door.invoices.finalise(invoice.invoice_id, key=key)
        except Unsure:
            await periods.next_attempt(self._pool, row)  # the next round reads the invoice before it tries again
            return
        except Refused as refused:
            log.warning("finalising was refused", extra={"invoice": invoice.invoice_id, "why": str(refused)})
            return
        failpoints.reach("finalise-answered")
        await self._finish(row, account, done)

    async def _finish(self, row: PeriodRow, account: Account, invoice: Invoice) -> None:
        """Store that the invoice is finalised, and check that what was frozen is what was compared."""
        if invoice.status == "draft":
            await self._finalise(row, account, invoice)
            return
        now = self._clock.now()
        problems = await self._comparison.lines(account, row, invoice)
        if problems:
            await cases.open_case(
                self._pool, "finalised_differs", invoice.invoice_id, now=now, customer=row.customer, problems=problems
            )
        if row.state is not PeriodState.FINALISING:
            await periods.intend_to_finalise(self._pool, row, invoice.invoice_id)
            await cases.open_case(
                self._pool, "finalised_outside_the_gate", invoice.invoice_id, now=now, customer=row.customer
            )
        await invoices.keep(self._pool, invoice, row.customer, now=now)
        await periods.finalised(self._pool, row, now=now)
        failpoints.reach("finalised-stored")
        await cases.close_case(self._pool, "invoice_held", _case_key(row), now=now)
        self._look_again.pop((row.customer, row.number), None)
        metrics.finalised.inc()

    async def _hold(self, row: PeriodRow, problems: Sequence[str], invoice_id: str | None) -> None:
        """Hold the invoice and look again; a difference that lasts is a case with both numbers."""
        since = await periods.hold(self._pool, row, "; ".join(problems))
        settle = timedelta(seconds=self._settings.settle_s)
        finding = is_a_finding(since, datetime.now(UTC), settle)
        if finding:
            await cases.open_case(
                self._pool,
                "invoice_held",
                _case_key(row),
                now=self._clock.now(),
                customer=row.customer,
                invoice=invoice_id,
                problems=list(problems),
            )
        wait_s = self._settings.recheck_s if finding else min(self._settings.recheck_s, self._settings.gate_s)
        self._look_again[(row.customer, row.number)] = time.monotonic() + wait_s

    async def _accounts(self, rows: Sequence[PeriodRow]) -> dict[str, Account]:
        return await contracts.accounts_of(self._pool, sorted({row.customer for row in rows}))


def _case_key(row: PeriodRow) -> str:
    return f"{row.customer}/{row.number}"
