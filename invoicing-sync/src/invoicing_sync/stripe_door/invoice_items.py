"""Invoice items of our own on a draft: made, looked up by their natural key, taken away."""

from __future__ import annotations

from urllib.parse import quote

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.explicit import ExplicitItem, PlacedItem
from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.convert import NATURAL_KEY, key_of, seconds
from invoicing_sync.stripe_door.errors import NotThere


class InvoiceItems:
    """`create` takes an attempt, which grows after Unsure; then `find` tells before it is tried again."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, item: ExplicitItem, *, stripe_customer: str, invoice_id: str, attempt: int) -> PlacedItem:
        """
        Put an item onto a draft; under the same attempt Stripe makes it once.

        Raises:
            Unsure: after a 5xx; it may be there.
            Refused: such as for an invoice that is no draft any more.
        """
        params = to_wire_invoice_item(item, stripe_customer=stripe_customer, invoice_id=invoice_id)
        key = key_of("invoice-item", f"{invoice_id}:{item.key}", params, attempt)
        return from_wire_invoice_item(await self._client.post("make_invoice_item", "/v1/invoiceitems", params, key=key))

    async def on_invoice(self, invoice_id: str) -> tuple[PlacedItem, ...]:
        """All items of an invoice, ours and others, those that Stripe made included."""
        params = {"invoice": invoice_id, "limit": 100}
        rows = self._client.rows("list_invoice_items", "/v1/invoiceitems", params)
        return tuple([from_wire_invoice_item(row) async for row in rows])

    async def find(self, invoice_id: str, key: str) -> PlacedItem | None:
        """The item of an invoice that bears this natural key."""
        return next((item for item in await self.on_invoice(invoice_id) if item.key == key), None)

    async def delete(self, item_id: str) -> None:
        """Take an item from its draft; one that is gone already is fine. Raises Refused on a finalised one."""
        try:
            await self._client.delete("delete_invoice_item", f"/v1/invoiceitems/{quote(item_id, safe='')}")
        except NotThere:
            return


def to_wire_invoice_item(item: ExplicitItem, *, stripe_customer: str, invoice_id: str) -> Row:
    """Parameters of `POST /v1/invoiceitems`. No discount touches it: the amount is what the engine says, after all."""
    return {
        "customer": stripe_customer,
        "invoice": invoice_id,
        "amount": item.amount_minor,
        "currency": item.currency.value.lower(),
        "description": item.description,
        "discountable": False,
        "period": {"start": seconds(item.period_start), "end": seconds(item.period_end)},
        "metadata": {NATURAL_KEY: item.key},
    }


def from_wire_invoice_item(raw: Row) -> PlacedItem:
    """An item as Stripe has it. Raises ValueError for a currency that is none of ours, KeyError."""
    return PlacedItem(
        item_id=str(raw["id"]),
        key=(raw.get("metadata") or {}).get(NATURAL_KEY) or None,
        amount=Money(int(raw["amount"]), Currency(str(raw["currency"]).upper())),
        description=raw.get("description") or "",
    )
