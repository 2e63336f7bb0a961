"""
Corrections of released periods that come to less than was billed become credit notes; `weighing.py` says when.

    1. credit-intended   the note, its lines and the corrections that it gathers are stored
    2. credit-answered   Stripe has made it: an open invoice is lowered, what was paid goes to the customer's balance
    3. credit-stored     our row says so

Dying after any: the credit notes of the invoice are listed, and one that bears our key is not made again.
"""

from __future__ import annotations

import asyncio
import logging

from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from event_schemas.times import iso
from event_schemas.values import Money
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.comparison import Comparison
from invoicing_sync.invoices.domain.issuing import (
    LineLeft,
    MadeNote,
    Shares,
    Weighed,
    draw_up,
    left_of,
    note_differences,
    owed_back,
    paid_part,
)
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.invoices.store import carried, credit_notes, periods
from invoicing_sync.invoices.store.credit_notes import GatheringRow
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.credit_notes import to_wire_credit_note
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice

log = logging.getLogger(__name__)


class Crediting:
    """One instance does it for all; a period has one credit note under way at a time."""

    def __init__(
        self, pool: Pool, door: StripeDoor, holder: Holder, comparison: Comparison, clock: Clock, settings: Settings
    ) -> None:
        self._pool, self._door, self._holder, self._comparison = pool, door, holder, comparison
        self._clock, self._settings = clock, settings
        self._slots = asyncio.Semaphore(settings.parallel_customers)

    async def go_on(self) -> None:
        """Make those that were begun."""
        begun = await credit_notes.undone(self._pool)
        await asyncio.gather(*(self._in_turn(row) for row in begun))

    async def _in_turn(self, row: GatheringRow) -> None:
        async with self._slots:
            try:
                await self._issue(row)
            except TryLater as later:
                log.warning("a credit note waits", extra={"customer": row.customer, "why": str(later)})

    async def credit(self, row: PeriodRow, account: Account, left: Shares, weighed: Weighed) -> None:
        """
        Give back what a period owes: the intent of a note, and the note.

        Args:
            left: by item, what is settled by no document; nothing happens unless it sums to enough below 0.
        """
        agreed = account.agreement.correcting(smallest_minor=self._settings.corrections_smallest_minor)
        owed = owed_back(left, smallest_minor=agreed.smallest_minor)
        if not owed:
            await self._tell_short(row, account, 0)
        invoice = await self._holder.look_at(row.invoice_id or "") if owed else None
        if invoice is None or invoice.status == "void":
            await self._leave(row, weighed)
            return
        lines = await self._lines_left(invoice, await self._door.credit_notes.of_invoice(invoice.invoice_id))
        note = draw_up(left, lines, left_minor=invoice.left_minor)
        short = owed if note is None else note.short_minor
        await self._tell_short(row, account, short)
        if note is None:
            await self._leave(row, weighed)
            return
        async with transaction(self._pool) as tx:
            intent = await credit_notes.intend(
                tx,
                row,
                note,
                weighed.entries,
                currency=account.contract.currency,
                revision=weighed.by_revision,
                paid=agreed.paid,
                now=self._clock.now(),
            )
            await carried.note_weighed(tx, row, weighed, waiting=None)
        failpoints.reach("credit-intended")
        await self._make(intent, row, invoice)

    async def _leave(self, row: PeriodRow, weighed: Weighed) -> None:
        """It comes to no document: the period is left alone until more comes."""
        async with transaction(self._pool) as tx:
            await carried.note_weighed(tx, row, weighed, waiting=weighed.waiting)

    async def _tell_short(self, row: PeriodRow, account: Account, short_minor: int) -> None:
        key, now = f"{row.customer}/{row.number}", self._clock.now()
        if not short_minor:
            await cases.close_case(self._pool, "correction_not_credited", key, now=now)
            return
        short = Money(short_minor, account.contract.currency)
        await cases.open_case(
            self._pool,
            "correction_not_credited",
            key,
            now=now,
            customer=row.customer,
            invoice=row.invoice_id,
            problem=f"{short} are owed back beyond what the invoice has left",
        )

    async def _lines_left(self, invoice: Invoice, made: tuple[MadeNote, ...]) -> list[LineLeft]:
        """The invoice's lines with what they have left; those with a discount take no part of a note."""
        left = left_of({line.line_id: line.amount_minor for line in invoice.lines}, made)
        found = []
        for line in invoice.lines:
            kind, item = await self._comparison.item_of(line)
            takes = kind in ("usage", "advance") and not line.discounted_minor
            found.append(LineLeft(line.line_id, item if takes else "", left[line.line_id]))
        return found

    # --- at Stripe

    async def _issue(self, row: GatheringRow) -> None:
        """One that was begun: found by its key, or made. One that was refused is drawn up anew before."""
        made = await self._door.credit_notes.of_invoice(row.invoice_id)
        if ours := next((note for note in made if note.key == row.id), None):
            await self._store(row, ours)
            return
        invoice = await self._holder.look_at(row.invoice_id)
        if invoice is None:
            return
        if invoice.status == "void":
            await credit_notes.drop(self._pool, row, now=self._clock.now())
            await self._settle(row)
            return
        period = await periods.find(self._pool, row.customer, row.number)
        assert period is not None
        if row.state == "refused":
            lines = await self._lines_left(invoice, made)
            note = draw_up(row.shares, lines, left_minor=invoice.left_minor)
            if note is None or note.short_minor:
                return  # the case stands: a person must say where the rest goes
            row = await credit_notes.redraw(self._pool, row, note)
        await self._make(row, periods.from_row(period), invoice)

    async def _make(self, row: GatheringRow, period: PeriodRow, invoice: Invoice) -> None:
        params = to_wire_credit_note(
            row.id,
            invoice_id=row.invoice_id,
            lines=row.lines,
            paid_minor=paid_part(row.amount.minor, invoice.remaining_minor),
            paid=row.paid,
            memo=f"Correction of {iso(period.period.start)[:10]} to {iso(period.period.end)[:10]}",
        )
        try:
            made = await self._door.credit_notes.create(params, attempt=row.attempt)
        except Unsure:
            await credit_notes.next_attempt(self._pool, row, refused=None)  # the next round lists before it tries
            return
        except Refused as refused:
            await self._refused(row, invoice, refused.answer.detail)
            return
        failpoints.reach("credit-answered")
        await self._store(row, made)

    async def _refused(self, row: GatheringRow, used: Invoice, sentence: str) -> None:
        """A case, unless the invoice was paid or changed just now: then the next round draws it up from what it is."""
        await credit_notes.next_attempt(self._pool, row, refused=sentence)
        now = await self._holder.look_at(row.invoice_id)
        if now is not None and (now.status, now.remaining_minor) != (used.status, used.remaining_minor):
            return
        await cases.open_case(
            self._pool,
            "correction_not_credited",
            row.id,
            now=self._clock.now(),
            customer=row.customer,
            invoice=row.invoice_id,
            credit_note=row.id,
            problem=f"Stripe refuses a credit note of {row.amount}: {sentence}",
        )

    async def _store(self, row: GatheringRow, made: MadeNote) -> None:
        problems = note_differences(row.amount, row.lines, made, refund=row.paid == "refund")
        now = self._clock.now()
        async with transaction(self._pool) as tx:
            await credit_notes.issued(tx, row, made, now=now)
            if problems:
                await cases.open_case(
                    tx,
                    "credit_note_differs",
                    row.id,
                    now=now,
                    customer=row.customer,
                    invoice=row.invoice_id,
                    credit_note=made.note_id,
                    problems=list(problems),
                )
        failpoints.reach("credit-stored")
        if row.state == "refused" or row.attempt > 1:
            await self._settle(row)

    async def _settle(self, row: GatheringRow) -> None:
        """What a person was told of its refusal is settled; what its invoice has no room for is another case."""
        await cases.close_case(self._pool, "correction_not_credited", row.id, now=self._clock.now())
