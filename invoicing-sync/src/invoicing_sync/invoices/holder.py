"""Keeps Stripe from finalising our invoices: `auto_advance` is switched off as soon as one is known."""

from __future__ import annotations

import asyncio

from chassis.clock import Clock
from invoicing_sync.contracts.store import contracts
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.store import invoices
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import NotThere, Refused
from invoicing_sync.stripe_door.wire import Invoice


class Holder:
    """Reads invoices anew and holds drafts back. Events are hints only: the invoice itself says what it is."""

    def __init__(self, pool: Pool, door: StripeDoor, clock: Clock) -> None:
        self._pool, self._door, self._clock = pool, door, clock
        self._turns: dict[str, asyncio.Lock] = {}

    async def look_at(self, invoice_id: str) -> Invoice | None:
        """
        The invoice as it is now, held back if it is a draft; None where it is gone.

        The caller has made sure that it belongs to a subscription of ours: others on the account are left alone.
        """
        async with self._turns.setdefault(invoice_id, asyncio.Lock()):
            try:
                return await self._look_at(invoice_id)
            except NotThere:
                return None
            finally:
                self._turns.pop(invoice_id, None)

    async def _look_at(self, invoice_id: str) -> Invoice | None:
        known = await invoices.one(self._pool, invoice_id)
        if known is None or (known["status"] == "draft" and known["auto_advance"]):
            invoice = await self._hold_or_read(invoice_id)
        else:
            invoice = await self._door.invoices.read(invoice_id)
        return await self._keep(invoice)

    async def _hold_or_read(self, invoice_id: str) -> Invoice:
        """One call for the usual case: the answer of holding it back is the invoice."""
        try:
            return await self._door.invoices.hold(invoice_id)
        except Refused:  # no draft any more
            return await self._door.invoices.read(invoice_id)

    async def _keep(self, invoice: Invoice) -> Invoice | None:
        failpoints.reach("hold-answered")
        if invoice.subscription is None:
            return None
        customer = await contracts.customer_of_subscription(self._pool, invoice.subscription)
        if customer is None:
            return None
        await invoices.keep(self._pool, invoice, customer, now=self._clock.now())
        return invoice

    async def hold_all_of(self, customer: str, subscription: str) -> None:
        """Find the invoices of a subscription without waiting for a webhook, and hold its drafts back."""
        for invoice in await self._door.invoices.of_subscription(subscription):
            known = await invoices.held_back(self._pool, invoice.invoice_id)
            if not known or invoice.status != "draft":
                await self.look_at(invoice.invoice_id)
