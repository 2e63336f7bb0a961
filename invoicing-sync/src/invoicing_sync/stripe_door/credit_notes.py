"""Credit notes of finalised invoices: made, and looked up by their natural key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from event_schemas.values import Currency
from invoicing_sync.invoices.domain.issuing import MadeNote, NoteLine
from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.convert import key_of

NATURAL_KEY = "settled_credit_note"  # the metadata in which Stripe keeps a credit note's key
PATH = "/v1/credit_notes"


class CreditNotes:
    """`create` takes an attempt, which grows after Unsure and Refused; `of_invoice` tells what is there before."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, params: Row, *, attempt: int) -> MadeNote:
        """
        Make a credit note; under the same parameters and attempt Stripe makes it once.

        Raises:
            Unsure: after a 5xx; it may be there.
            Refused: such as for more than the invoice has left.
        """
        key = key_of("credit-note", params["metadata"][NATURAL_KEY], params, attempt)
        return await self._whole(await self._client.post("make_credit_note", PATH, params, key=key))

    async def of_invoice(self, invoice_id: str) -> tuple[MadeNote, ...]:
        """All credit notes of an invoice, ours and others, void ones too, with their lines."""
        rows = self._client.rows("list_credit_notes", PATH, {"invoice": invoice_id, "limit": 100})
        return tuple([await self._whole(row) async for row in rows])

    async def _whole(self, raw: Row) -> MadeNote:
        lines = raw["lines"]
        if not lines.get("has_more"):
            return from_wire_credit_note(raw, lines["data"])
        path = f"{PATH}/{quote(raw['id'], safe='')}/lines"
        rows = self._client.rows("credit_note_lines", path, {"limit": 100})
        return from_wire_credit_note(raw, [row async for row in rows])


def to_wire_credit_note(
    key: str,
    *,
    invoice_id: str,
    lines: Iterable[NoteLine],
    paid_minor: int,
    paid: Literal["balance", "refund"],
    memo: str,
) -> Row:
    """
    Parameters of `POST /v1/credit_notes`.

    Args:
        paid_minor: what is given back, to where `paid` says; Stripe takes the rest off what is open of the invoice.
        memo: what the customer reads, on the note and on lines that are none of the invoice's.
    """
    params: Row = {
        "invoice": invoice_id,
        "lines": [_to_wire_line(line, memo) for line in lines],
        "memo": memo,
        "metadata": {NATURAL_KEY: key},
    }
    field = "refund_amount" if paid == "refund" else "credit_amount"
    return params | ({field: paid_minor} if paid_minor else {})


def _to_wire_line(line: NoteLine, memo: str) -> Row:
    if line.line_id is not None:
        return {"type": "invoice_line_item", "invoice_line_item": line.line_id, "amount": line.amount_minor}
    said = {"description": f"{memo}: {line.item}", "quantity": 1, "unit_amount": line.amount_minor}
    return {"type": "custom_line_item", **said}


def from_wire_credit_note(raw: Row, lines: Iterable[Row]) -> MadeNote:
    """A credit note as Stripe has it. Raises ValueError for a currency that is none of ours, KeyError."""
    return MadeNote(
        note_id=str(raw["id"]),
        number=str(raw.get("number") or ""),
        key=(raw.get("metadata") or {}).get(NATURAL_KEY) or None,
        status=str(raw["status"]),
        currency=Currency(str(raw["currency"]).upper()),
        amount_minor=int(raw["total"]),
        lowered_minor=int(raw.get("pre_payment_amount") or 0),
        after_minor=int(raw.get("post_payment_amount") or 0),
        balance=raw.get("customer_balance_transaction") is not None,
        refunded_minor=sum(int(refund["amount_refunded"]) for refund in raw.get("refunds") or ()),
        elsewhere_minor=int(raw.get("out_of_band_amount") or 0),
        lines=tuple((line.get("invoice_line_item"), int(line["amount"]) - _off(line)) for line in lines),
    )


def _off(line: Row) -> int:
    return sum(int(off["amount"]) for off in line.get("discount_amounts") or ())
