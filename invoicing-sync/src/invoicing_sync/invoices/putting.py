"""
Puts the amounts that Stripe does not make onto a draft, as invoice items of our own.

    0. the items of the draft are read, with what Stripe was told of them
    1. item-take-intended   one that we put there and that is wanted otherwise by now is to go
    2. item-taken           Stripe has taken it off
    3. item-intended        the intent to put one there is stored
    4. item-made            Stripe has it
    5. the row says so

Dying after any of them, the draft is read again: what it has is not put there twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.comparison import Found
from invoicing_sync.invoices.domain.explicit import ExplicitItem, PlacedItem, steps
from invoicing_sync.invoices.store import explicit_items
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice

REFUSED = "A42"  # the assumption that an item can be put onto a draft


class Putting:
    """Works on one draft at a time, in the process that leads."""

    def __init__(self, pool: Pool, door: StripeDoor, clock: Clock) -> None:
        self._pool, self._door, self._clock = pool, door, clock

    async def put(self, customer: str, invoice: Invoice, wanted: Sequence[ExplicitItem], *, case_key: str) -> Found:
        """
        Bring a draft to its items; what stands against it, such as a person's change, which is left as it is.

        Raises TryLater where Stripe is busy, away, or answers 5xx.
        """
        told = await explicit_items.told(self._pool, invoice.invoice_id, case_key=case_key)
        if not wanted and not told:
            return Found()
        there = await self._door.invoice_items.on_invoice(invoice.invoice_id)
        to_do = steps(wanted, there, told)
        if to_do.differences:
            return Found(to_do.differences, causes=to_do.causes)
        for key in to_do.forget:
            await explicit_items.forget(self._pool, invoice.invoice_id, key)
        try:
            for placed in to_do.take:
                await self._take(invoice, placed)
            for item in to_do.put:
                await self._put(customer, invoice, item)
        except Refused as refused:
            return Found((f"Stripe refuses an item of the invoice: {refused.answer.detail}",), (REFUSED,))
        return Found()

    async def _take(self, invoice: Invoice, placed: PlacedItem) -> None:
        assert placed.key is not None  # the steps take nothing that is not ours
        await explicit_items.intend_to_take(self._pool, invoice.invoice_id, placed.key)
        failpoints.reach("item-take-intended")
        await self._door.invoice_items.delete(placed.item_id)
        failpoints.reach("item-taken")

    async def _put(self, customer: str, invoice: Invoice, item: ExplicitItem) -> None:
        attempt = await explicit_items.intend(self._pool, invoice.invoice_id, customer, item, now=self._clock.now())
        failpoints.reach("item-intended")
        where = {"stripe_customer": invoice.stripe_customer, "invoice_id": invoice.invoice_id}
        try:
            made = await self._door.invoice_items.create(item, **where, attempt=attempt)
        except (Unsure, Refused) as unclear:
            await explicit_items.next_attempt(self._pool, invoice.invoice_id, item.key)
            if isinstance(unclear, Refused):
                raise
            raise TryLater(f"Stripe answers 5xx to an item of {invoice.invoice_id}", after_s=1.0) from None
        failpoints.reach("item-made")
        await explicit_items.placed(self._pool, invoice.invoice_id, item.key, made.item_id, now=self._clock.now())
