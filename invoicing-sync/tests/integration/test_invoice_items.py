"""Invoice items of our own through the SDK, on a draft of the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from chassis.testing import HouseKeys
from event_schemas.values import Currency
from invoicing_sync.invoices.domain.explicit import ExplicitItem, Steps, steps
from invoicing_sync.stripe_door.client import Pace
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused
from invoicing_sync.stripe_door.secrets import ApiKeys, Secrets
from invoicing_sync.stripe_door.wire import Invoice

pytestmark = pytest.mark.integration

PACE = Pace(calls_per_second=2000, meter_events_per_second=2000, retry_cap_s=0.5)


@pytest.fixture
async def door(sandbox: str, house_keys: HouseKeys) -> AsyncIterator[StripeDoor]:
    """The door alone, on an account of its own; every call of it is checked against Stripe's description."""
    door = StripeDoor(ApiKeys(Secrets("STRIPE_API_KEY", "sk_test_items", None)), base_url=sandbox, pace=PACE)
    async with httpx.AsyncClient(base_url=sandbox, headers=house_keys.header, timeout=30) as http:
        (await http.post("/_sandbox/reset")).raise_for_status()
        await door.open()
        try:
            yield door
        finally:
            await door.close()
            violations = (await http.get("/_sandbox/conformance")).json()["violations"]
            await http.post("/_sandbox/reset")
    assert violations == []


async def a_draft(door: StripeDoor) -> Invoice:
    """The first invoice of a subscription with one seat of USD 39."""
    customer = (await door.client.post("customer", "/v1/customers", {"email": "acme@acme.example"}))["id"]
    product = (await door.client.post("product", "/v1/products", {"name": "Seat"}))["id"]
    price = {"currency": "usd", "product": product, "unit_amount": 3900, "recurring": {"interval": "month"}}
    items = [{"price": (await door.client.post("price", "/v1/prices", price))["id"], "quantity": 1}]
    params = {"customer": customer, "items": items, "collection_method": "send_invoice", "days_until_due": 30}
    made = await door.client.post("subscription", "/v1/subscriptions", params)
    return await door.invoices.read(made["latest_invoice"])


async def test_an_item_is_found_by_its_key_counts_on_its_draft_and_goes_again(door: StripeDoor) -> None:
    """Two attempts of one call make one item; what is finalised takes none and gives none back."""
    draft = await a_draft(door)
    wanted = [
        ExplicitItem(key, amount, Currency.USD, "Resolutions", draft.period_start, draft.period_end)
        for key, amount in (("usage.resolution.1", 9900), ("usage.resolution.2", -150))
    ]
    where = {"stripe_customer": draft.stripe_customer, "invoice_id": draft.invoice_id}

    for item in (*wanted, wanted[0]):
        await door.invoice_items.create(item, **where, attempt=1)
    there = await door.invoice_items.on_invoice(draft.invoice_id)

    assert steps(wanted, there, {}) == Steps()
    assert (await door.invoices.read(draft.invoice_id)).total_minor == 3900 + 9900 - 150

    credit = await door.invoice_items.find(draft.invoice_id, "usage.resolution.2")
    assert credit is not None
    await door.invoice_items.delete(credit.item_id)
    await door.invoice_items.delete(credit.item_id)

    assert (await door.invoices.finalise(draft.invoice_id, key="f1")).total_minor == 3900 + 9900
    with pytest.raises(Refused):
        await door.invoice_items.create(wanted[1], **where, attempt=2)
    with pytest.raises(Refused):
        await door.invoice_items.delete(next(one.item_id for one in there if one != credit))
