"""Sends or charges an invoice that was found right, once; then reminders and retries are Stripe's."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.domain.refusals import is_failed_payment
from invoicing_sync.invoices.store import periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Answered, Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice
from invoicing_sync.webhooks.store import webhooks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """How it went. A payment that fails is Stripe's business from here; a call that Stripe refuses is ours."""

    invoice: Invoice
    payment_failed: str | None = None  # Stripe's sentence
    refused: Answered | None = None  # it was neither sent nor charged


class Collecting:
    """The calls of stage two's end."""

    def __init__(self, pool: Pool, door: StripeDoor) -> None:
        self._pool, self._door = pool, door

    async def collect(self, row: PeriodRow, invoice: Invoice, *, again: bool) -> Collected | None:
        """
        Send or charge an open invoice and hand it over; None where the outcome is unsure and must be read.

        One that Stripe collects by itself already (`auto_advance`), or that is paid, is left alone. `again`: an earlier
        call may have been made.
        """
        collected = Collected(invoice)
        if invoice.status == "open" and not invoice.auto_advance:
            try:
                collected = await self._once(row, invoice, again=again)
            except Unsure:
                await periods.next_attempt(self._pool, row)
                return None
            failpoints.reach("collect-answered")
        if collected.refused is None and collected.invoice.status == "open" and not collected.invoice.auto_advance:
            handed = await self._door.invoices.hand_over(invoice.invoice_id)
            collected = Collected(handed, payment_failed=collected.payment_failed)
            failpoints.reach("handed-over")
        return collected

    async def _once(self, row: PeriodRow, invoice: Invoice, *, again: bool) -> Collected:
        key = f"settled:collect:{invoice.invoice_id}:{row.attempt}"
        if invoice.collection_method == "send_invoice":
            if again and await webhooks.has_come(self._pool, "invoice.sent", invoice.invoice_id):
                return Collected(invoice)
            try:
                return Collected(await self._door.invoices.send(invoice.invoice_id, key=key))
            except Refused as refused:
                return await self._refused(row, invoice, refused.answer)
        try:
            return Collected(await self._door.invoices.pay(invoice.invoice_id, key=key))
        except Refused as refused:
            answer = refused.answer
            if not is_failed_payment(answer.status, answer.code, answer.detail):
                return await self._refused(row, invoice, answer)
            log.info("a payment failed", extra={"invoice": invoice.invoice_id, "code": answer.code})
            return Collected(invoice, payment_failed=answer.detail)

    async def _refused(self, row: PeriodRow, invoice: Invoice, answer: Answered) -> Collected:
        await periods.next_attempt(self._pool, row)  # Stripe would replay the refusal of this key for 24 h
        return Collected(invoice, refused=answer)
