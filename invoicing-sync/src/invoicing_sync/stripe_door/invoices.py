"""Invoices: read whole, held back from finalising themselves, finalised."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from invoicing_sync.stripe_door.client import Client
from invoicing_sync.stripe_door.convert import from_wire_invoice, from_wire_line
from invoicing_sync.stripe_door.wire import Invoice, InvoiceLine


class Invoices:
    """The invoices of our subscriptions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, invoice_id: str) -> Invoice:
        """The invoice now, with all of its lines. Raises NotThere."""
        retrieve = self._client.sdk.v1.invoices.retrieve_async
        raw = await self._client.ask("read_invoice", lambda: retrieve(invoice_id))
        return await self._whole(raw.to_dict())

    async def hold(self, invoice_id: str) -> Invoice:
        """Switch off that Stripe finalises it by itself; repeating it changes nothing. The invoice as it is then."""
        params: Any = {"auto_advance": False}
        update = self._client.sdk.v1.invoices.update_async
        raw = await self._client.ask("hold_invoice", lambda: update(invoice_id, params))
        return await self._whole(raw.to_dict())

    async def finalise(self, invoice_id: str, *, key: str) -> Invoice:
        """Freeze number and amounts and hand the invoice to Stripe for collection. Raises Unsure after a 5xx."""
        params: Any = {"auto_advance": True}
        finalise = self._client.sdk.v1.invoices.finalize_invoice_async
        raw = await self._client.ask(
            "finalise_invoice", lambda: finalise(invoice_id, params, {"idempotency_key": key}), write=True
        )
        return await self._whole(raw.to_dict())

    async def of_subscription(self, subscription: str) -> tuple[Invoice, ...]:
        """The newest invoices of a subscription, without their lines' rest."""
        params: Any = {"subscription": subscription, "limit": 100}
        list_invoices = self._client.sdk.v1.invoices.list_async
        page = await self._client.ask("list_invoices", lambda: list_invoices(params))
        return tuple(from_wire_invoice(row.to_dict()) for row in page.data)

    async def _whole(self, raw: dict[str, Any]) -> Invoice:
        invoice = from_wire_invoice(raw)
        if invoice.lines_complete:
            return invoice
        return replace(invoice, lines=await self._all_lines(invoice.invoice_id), lines_complete=True)

    async def _all_lines(self, invoice_id: str) -> tuple[InvoiceLine, ...]:
        fetch = partial(self._client.sdk.v1.invoices.line_items.list_async, invoice_id)
        return tuple([from_wire_line(row) async for row in self._client.rows("invoice_lines", fetch, {"limit": 100})])
