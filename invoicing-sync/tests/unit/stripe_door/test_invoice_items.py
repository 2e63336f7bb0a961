"""Invoice items of our own on Stripe's wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.explicit import ExplicitItem, PlacedItem
from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.errors import NotThere, Unsure
from invoicing_sync.stripe_door.invoice_items import InvoiceItems, from_wire_invoice_item, to_wire_invoice_item

ITEM = ExplicitItem(
    key="usage.resolution.1",
    amount_minor=-9900,
    currency=Currency.EUR,
    description="Resolutions",
    period_start=datetime(2026, 4, 1, tzinfo=UTC),
    period_end=datetime(2026, 5, 1, tzinfo=UTC),
)


class FakeStripe:
    """Keeps items by Idempotency-Key, as Stripe does; the first write may be answered by a 5xx after it was done."""

    def __init__(self, *, fails_after_writing: bool = False) -> None:
        self.items: dict[str, Row] = {}
        self.keys: dict[str, str] = {}
        self._fails = fails_after_writing

    async def post(self, _name: str, path: str, params: Row, *, key: str) -> Row:
        assert path == "/v1/invoiceitems"
        item_id = self.keys.setdefault(key, f"ii_{len(self.keys) + 1}")
        self.items.setdefault(item_id, {**params, "id": item_id})
        if self._fails:
            self._fails = False
            raise Unsure("make_invoice_item: api_error")
        return self.items[item_id]

    async def rows(self, _name: str, _path: str, params: Row) -> AsyncIterator[Row]:
        for item in [row for row in self.items.values() if row["invoice"] == params["invoice"]]:
            yield item

    async def delete(self, _name: str, path: str) -> Row:
        item = self.items.pop(path.rsplit("/", 1)[1], None)
        if item is None:
            raise NotThere("delete_invoice_item")
        return item


def the_items(stripe: FakeStripe) -> InvoiceItems:
    return InvoiceItems(cast(Client, stripe))


def create(items: InvoiceItems, attempt: int = 1) -> PlacedItem:
    return asyncio.run(items.create(ITEM, stripe_customer="cus_1", invoice_id="in_1", attempt=attempt))


def test_an_item_bears_its_natural_key_and_no_discount_touches_it() -> None:
    assert to_wire_invoice_item(ITEM, stripe_customer="cus_1", invoice_id="in_1") == {
        "customer": "cus_1",
        "invoice": "in_1",
        "amount": -9900,
        "currency": "eur",
        "description": "Resolutions",
        "discountable": False,
        "period": {"start": 1775001600, "end": 1777593600},
        "metadata": {"settled_key": "usage.resolution.1"},
    }


@pytest.mark.parametrize("metadata", [None, {}, {"settled_key": ""}, {"other": "x"}])
def test_an_item_without_our_key_is_none_of_ours(metadata: Any) -> None:
    raw = {"id": "ii_1", "amount": 5, "currency": "jpy", "description": None, "metadata": metadata}

    assert from_wire_invoice_item(raw) == PlacedItem("ii_1", None, Money(5, Currency.JPY), "")


def test_the_same_attempt_makes_one_item_and_another_attempt_another() -> None:
    stripe = FakeStripe()
    items = the_items(stripe)

    assert create(items) == create(items)
    assert len(stripe.items) == 1
    assert create(items, attempt=2).item_id == "ii_2"


def test_after_an_unsure_answer_the_look_up_finds_what_was_made() -> None:
    stripe = FakeStripe(fails_after_writing=True)
    items = the_items(stripe)

    with pytest.raises(Unsure):
        create(items)

    assert asyncio.run(items.find("in_1", ITEM.key)) == PlacedItem("ii_1", ITEM.key, ITEM.amount, "Resolutions")
    assert asyncio.run(items.find("in_2", ITEM.key)) is None
    assert asyncio.run(items.find("in_1", "another")) is None


def test_deleting_twice_is_fine() -> None:
    stripe = FakeStripe()
    items = the_items(stripe)
    made = create(items)

    asyncio.run(items.delete(made.item_id))
    asyncio.run(items.delete(made.item_id))

    assert asyncio.run(items.on_invoice("in_1")) == ()
