"""Invoices: read whole, held back from finalising themselves, finalised without collecting, then collected."""

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
        """Switch off that Stripe finalises or collects it by itself. The invoice as it is then."""
        return await self._update("hold_invoice", invoice_id, {"auto_advance": False})

    async def hand_over(self, invoice_id: str) -> Invoice:
        """Leave reminders and retries of an open invoice to Stripe; see assumption A11."""
        return await self._update("hand_over_invoice", invoice_id, {"auto_advance": True})

    async def change_draft(self, invoice_id: str, params: Any) -> Invoice:
        """Change how a draft will be collected. Raises Refused where it is no draft any more."""
        return await self._update("change_draft", invoice_id, params)

    async def _update(self, name: str, invoice_id: str, params: Any) -> Invoice:
        """Repeating it changes nothing."""
        update = self._client.sdk.v1.invoices.update_async
        raw = await self._client.ask(name, lambda: update(invoice_id, params))
        return await self._whole(raw.to_dict())

    async def send(self, invoice_id: str, *, key: str) -> Invoice:
        """Mail a finalised invoice to its customer. Raises Unsure after a 5xx, Refused."""
        send = self._client.sdk.v1.invoices.send_invoice_async
        raw = await self._client.ask("send_invoice", lambda: send(invoice_id, {}, {"idempotency_key": key}), write=True)
        return await self._whole(raw.to_dict())

    async def pay(self, invoice_id: str, *, key: str) -> Invoice:
        """Charge a finalised invoice to the customer's payment method. Raises Unsure after a 5xx, Refused."""
        params: Any = {"off_session": True}
        pay = self._client.sdk.v1.invoices.pay_async
        raw = await self._client.ask(
            "pay_invoice", lambda: pay(invoice_id, params, {"idempotency_key": key}), write=True
        )
        return await self._whole(raw.to_dict())

    async def finalise(self, invoice_id: str, *, key: str) -> Invoice:
        """Freeze number and amounts; nothing is sent or charged. Raises Unsure after a 5xx, Refused."""
        params: Any = {"auto_advance": False}
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
