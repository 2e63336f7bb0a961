"""
What came too late for a released period is weighed once it has settled, and becomes a document.

    less than was billed    a credit note, see `crediting.py`
    more than was billed    items of the next invoice that is not made up yet; one that changes is put there anew
    neither, or too little  nothing, until more comes

Late are entries of the ledger, and changes of the contract that take effect in a period which was billed without them.
All counts by what the documents of a period sum to: that is the period rated right at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from event_schemas.values import Money
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.crediting import Crediting
from invoicing_sync.invoices.domain.carried import carried_lines
from invoicing_sync.invoices.domain.corrections import LateEntry, Priced, Revised, price_agreement
from invoicing_sync.invoices.domain.engine import cuts
from invoicing_sync.invoices.domain.issuing import Shares, Weighed, owed_more, still_open
from invoicing_sync.invoices.store import billed, carried, credit_notes, periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Connection, Pool
from pricing.usage import Used

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Late:
    """What came late for a period, priced."""

    weighed: Weighed
    priced: Priced
    revisions: tuple[int, ...]


class Weighing:
    """One instance does it for all; a period has one document under way at a time."""

    def __init__(self, pool: Pool, crediting: Crediting, clock: Clock, settings: Settings) -> None:
        self._pool, self._crediting, self._clock, self._settings = pool, crediting, clock, settings
        self._slots = asyncio.Semaphore(settings.parallel_customers)

    async def run(self) -> None:
        """Weigh and make documents until cancelled."""
        await credit_notes.weigh_anew(self._pool)
        while True:
            await self._crediting.go_on()
            settle = timedelta(hours=self._settings.corrections_settle_h)
            due = await credit_notes.due(self._pool, self._clock.now(), settle)
            accounts = await contracts.accounts_of(self._pool, sorted({row.customer for row, _ in due}))
            of_customers: dict[str, list[tuple[PeriodRow, int]]] = {}
            for row, waiting in due:
                of_customers.setdefault(row.customer, []).append((row, waiting))
            await asyncio.gather(*(self._in_turn(accounts[name], rows) for name, rows in of_customers.items()))
            await asyncio.sleep(self._settings.recheck_s)

    async def _in_turn(self, account: Account, rows: list[tuple[PeriodRow, int]]) -> None:
        """A customer's periods one after the other: what one restores of a prepaid credit, the next finds."""
        async with self._slots:
            for row, waiting in rows:
                try:
                    await self._weigh(row, account, waiting)
                except TryLater as later:
                    log.warning("corrections wait", extra={"customer": row.customer, "why": str(later)})

    async def _weigh(self, row: PeriodRow, account: Account, waiting: int) -> None:
        """What is owed beyond the period's documents, and the document that it becomes."""
        late = await self._price(row, account, waiting)
        left = await self._carry(row, account, late)
        if left is not None:
            await self._crediting.credit(row, account, left, late.weighed)

    async def _price(self, row: PeriodRow, account: Account, waiting: int) -> Late:
        found = await credit_notes.corrections_of(self._pool, row)
        entries = [LateEntry(each["entry_id"], each["meter"], each["value"], each["effective_at"]) for each in found]
        priced = await price_late(self._pool, account.agreement, row, entries)
        waits = {
            each["entry_id"]: step.minor for each, step in zip(found, priced.steps, strict=True) if each["of"] is None
        }
        revisions = account.agreement.revised_since(row.revision, until=row.period.end)
        revision = account.agreement.revision if revisions else None
        return Late(Weighed(waits, waiting, account.agreement.revision, revision, priced.drawn), priced, revisions)

    async def _carry(self, row: PeriodRow, account: Account, late: Late) -> Shares | None:
        """Have a later invoice carry what is owed; what is open and not to be carried, None where it is carried."""
        currency, now = account.contract.currency, self._clock.now()
        async with transaction(self._pool) as tx:
            carrier = await carried.lock_carrier(tx, row.customer, after=row.number)
            settled = [*await credit_notes.settled(tx, row), *await carried.settled(tx, row)]
            left = still_open(_shares(late.priced), settled)
            instead = await carried.loose(tx, row)
            agreed = account.agreement.correcting(smallest_minor=self._settings.corrections_smallest_minor)
            smallest = 1 if instead else agreed.smallest_minor
            more = owed_more(left, smallest_minor=smallest)
            if not more:
                await carried.drop(tx, instead, now=now)
                await cases.close_case(tx, "correction_not_billed", _case_key(row), now=now)
                return left
            lines = carried_lines(late.priced, left, late=len(late.priced.steps), revisions=late.revisions)
            await carried.carry(
                tx,
                row,
                lines,
                late.weighed.entries,
                instead=instead,
                carrier=carrier,
                currency=currency,
                revision=late.weighed.by_revision,
                now=now,
            )
            await carried.note_weighed(tx, row, late.weighed, waiting=None)
            await cases.close_case(tx, "correction_not_credited", _case_key(row), now=now)
            if carrier is None:
                await not_billed(tx, row.customer, row.number, Money(more, currency), now=now)
            else:
                await cases.close_case(tx, "correction_not_billed", _case_key(row), now=now)
        failpoints.reach("corrections-carried")
        return None


async def price_late(pool: Pool, agreement: Agreement, row: PeriodRow, late: Sequence[LateEntry]) -> Priced:
    """
    What came late for a period that is complete: these entries, and what the contract says of it only since.

    Args:
        late: in order of arrival.
    """
    changed = None
    if agreement.revised_since(row.revision, until=row.period.end):
        changed = Revised(agreement, await _frozen(pool, agreement, row))
    before = await billed.reopened(pool, row.customer, row.number)
    # in a thread: a period with thousands of corrections is rated thousands of times
    return await asyncio.to_thread(
        price_agreement, agreement.at_revision(row.revision), row.period, row.usage, late, before, revised=changed
    )


async def _frozen(pool: Pool, agreement: Agreement, row: PeriodRow) -> Sequence[Used]:
    """The period's usage at its freeze, summed over the parts in which the terms of today hold."""
    if row.is_first_invoice:
        return ()
    return await periods.used_at_its_freeze(pool, row.customer, row.period, cuts(agreement.terms, row.period))


async def not_billed(tx: Connection, customer: str, number: int, amount: Money, *, now: datetime) -> None:
    """A case: no later invoice is to come that could carry it."""
    await cases.open_case(
        tx,
        "correction_not_billed",
        f"{customer}/{number}",
        now=now,
        customer=customer,
        problem=f"{amount} more than was billed are owed for period {number}, and no later invoice is to come",
    )


def _shares(priced: Priced) -> Mapping[str, int]:
    return {change.item: change.difference.minor for change in priced.changes}


def _case_key(row: PeriodRow) -> str:
    return f"{row.customer}/{row.number}"
