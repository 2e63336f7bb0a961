"""Invoices: read whole, held back from finalising themselves, finalised without collecting, then collected."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.convert import from_wire_invoice, from_wire_line
from invoicing_sync.stripe_door.wire import Invoice, InvoiceLine


class Invoices:
    """The invoices of our subscriptions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, invoice_id: str) -> Invoice:
        """The invoice now, with all of its lines. Raises NotThere."""
        return await self._whole(await self._client.get("read_invoice", _path(invoice_id)))

    async def hold(self, invoice_id: str) -> Invoice:
        """Switch off that Stripe finalises or collects it by itself. The invoice as it is then."""
        return await self._update("hold_invoice", invoice_id, {"auto_advance": False})

    async def hand_over(self, invoice_id: str) -> Invoice:
        """Leave reminders and retries of an open invoice to Stripe; see assumption A11."""
        return await self._update("hand_over_invoice", invoice_id, {"auto_advance": True})

    async def change_draft(self, invoice_id: str, params: Row) -> Invoice:
        """Change how a draft will be collected. Raises Refused where it is no draft any more."""
        return await self._update("change_draft", invoice_id, params)

    async def _update(self, name: str, invoice_id: str, params: Row) -> Invoice:
        """Repeating it changes nothing."""
        return await self._whole(await self._client.post(name, _path(invoice_id), params))

    async def send(self, invoice_id: str, *, key: str) -> Invoice:
        """Mail a finalised invoice to its customer. Raises Unsure after a 5xx, Refused."""
        return await self._whole(await self._client.post("send_invoice", f"{_path(invoice_id)}/send", key=key))

    async def pay(self, invoice_id: str, *, key: str) -> Invoice:
        """Charge a finalised invoice to the customer's payment method. Raises Unsure after a 5xx, Refused."""
        params = {"off_session": True}
        return await self._whole(await self._client.post("pay_invoice", f"{_path(invoice_id)}/pay", params, key=key))

    async def finalise(self, invoice_id: str, *, key: str) -> Invoice:
        """Freeze number and amounts; nothing is sent or charged. Raises Unsure after a 5xx, Refused."""
        path, params = f"{_path(invoice_id)}/finalize", {"auto_advance": False}
        return await self._whole(await self._client.post("finalise_invoice", path, params, key=key))

    async def of_subscription(self, subscription: str) -> tuple[Invoice, ...]:
        """The newest invoices of a subscription, without their lines' rest."""
        params = {"subscription": subscription, "limit": 100}
        page = await self._client.get("list_invoices", "/v1/invoices", params)
        return tuple(from_wire_invoice(row) for row in page["data"])

    async def _whole(self, raw: Row) -> Invoice:
        invoice = from_wire_invoice(raw)
        if invoice.lines_complete:
            return invoice
        return replace(invoice, lines=await self._all_lines(invoice.invoice_id), lines_complete=True)

    async def _all_lines(self, invoice_id: str) -> tuple[InvoiceLine, ...]:
        rows = self._client.rows("invoice_lines", f"{_path(invoice_id)}/lines", {"limit": 100})
        return tuple([from_wire_line(row) async for row in rows])


def _path(invoice_id: str) -> str:
    return f"/v1/invoices/{quote(invoice_id, safe='')}"
