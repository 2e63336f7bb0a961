"""Sends or charges an invoice that was found right, once; then reminders and retries are Stripe's."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.store import periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice
from invoicing_sync.webhooks.store import webhooks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """How it went. A payment that fails is Stripe's business flow from here; an invoice that cannot be sent is ours."""

    invoice: Invoice
    payment_failed: str | None = None  # Stripe's sentence
    refused: str | None = None  # Stripe's sentence: it was not sent


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
                await periods.next_attempt(self._pool, row)  # Stripe would replay the refusal of this key for 24 h
                return Collected(invoice, refused=refused.answer.detail)
        try:
            return Collected(await self._door.invoices.pay(invoice.invoice_id, key=key))
        except Refused as refused:
            log.info("a payment failed", extra={"invoice": invoice.invoice_id, "code": refused.answer.code})
            return Collected(invoice, payment_failed=refused.answer.detail)
