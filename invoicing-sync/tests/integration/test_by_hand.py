"""What a person does at Stripe before an invoice is finalised: held, explained by its cause, released once mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CAUSES = {
    "added": "an item was added by hand",
    "discount": "a discount was added by hand: the lines come to USD 117.99, the total to USD 107.99",
    "price": "the price was changed by hand on the subscription: 3 of essential_seat is at {price} there",
    "quantity": "the quantity was changed by hand on the subscription: 3 of essential_seat was agreed, 5 is there",
    "usage": "usage of resolution is missing at Stripe",
}


async def test_each_edit_by_hand_holds_its_invoice_with_its_cause_until_it_is_mended(world: Any) -> None:
    await world.start_door()
    await world.apply(*(a_contract(customer) for customer in CAUSES))
    await world.quiet(START)
    await world.move(START + 3 * DAY)
    await world.rate(
        *(a_charge(f"of-{who}", seq=n, at=START + DAY, customer=who) for n, who in enumerate(CAUSES, start=1))
    )
    await world.move(START + 4 * DAY)
    await world.move(END)
    stripe = Hand(world)
    await stripe.learn()

    added = await stripe.adds("added", amount="500")
    coupon = await stripe.does("/v1/coupons", amount_off="1000", currency="usd", duration="once")
    await stripe.does(f"/v1/invoices/{stripe.drafts['discount']}", **{"discounts[0][coupon]": coupon["id"]})
    dearer = await stripe.another_price()
    await stripe.sets("price", price=dearer)
    await stripe.sets("quantity", quantity="5")
    await world.plant("drop", identifier="of-usage")
    await world.move(END + 32 * MINUTE)

    held = {case["customer"]: case for case in await world.ask("/v1/cases")}
    assert {case["kind"] for case in held.values()} == {"invoice_held"}
    assert {who: case["detail"]["probably"] for who, case in held.items()} == {
        who: [cause.format(price=dearer)] for who, cause in CAUSES.items()
    }
    assert set((await stripe.statuses()).values()) == {"draft"}

    await world.stripe_delete(f"/v1/invoiceitems/{added['id']}")
    await stripe.does(f"/v1/invoices/{stripe.drafts['discount']}", discounts="")
    await stripe.sets("price", price=stripe.seats_price)
    await stripe.sets("quantity", quantity="3")
    await stripe.uses("usage")
    await world.until(lambda: nothing_open(world))

    assert set((await stripe.statuses()).values()) == {"open"}
    invoices = (await world.ask("/v1/invoices", limit=100))["invoices"]
    totals = [one["total_minor"] for one in invoices if one["billing_reason"] == "subscription_cycle"]
    assert totals == [11_799] * len(CAUSES)


async def nothing_open(world: Any) -> bool:
    return not await world.ask("/v1/cases")


class Hand:
    """A person in the dashboard, who knows whose object is whose."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.drafts: dict[str, str] = {}
        self._seats: dict[str, str] = {}
        self._customers: dict[str, str] = {}
        self.seats_price = ""

    async def learn(self) -> None:
        """Find each customer's draft and the item of its seats."""
        for who in CAUSES:
            contract = await self.world.ask(f"/v1/contracts/{who}")
            subscription = await self.world.stripe(f"/v1/subscriptions/{contract['stripe_subscription']}")
            [seats] = [item for item in subscription["items"]["data"] if item.get("quantity") is not None]
            found = await self.world.stripe("/v1/invoices", customer=contract["stripe_customer"])
            [draft] = [one for one in found["data"] if one["billing_reason"] == "subscription_cycle"]
            self.drafts[who], self._seats[who] = draft["id"], seats["id"]
            self._customers[who], self.seats_price = contract["stripe_customer"], seats["price"]["id"]

    async def does(self, path: str, **data: Any) -> Any:
        answer = await self.world.stripe_post(path, **data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def sets(self, who: str, **change: Any) -> None:
        await self.does(f"/v1/subscription_items/{self._seats[who]}", proration_behavior="none", **change)

    async def adds(self, who: str, *, amount: str) -> Any:
        """An item on the draft."""
        whose = {"customer": self._customers[who], "invoice": self.drafts[who]}
        return await self.does("/v1/invoiceitems", amount=amount, currency="usd", **whose)

    async def another_price(self) -> str:
        """The seats at 49, which nobody agreed."""
        known = await self.world.stripe(f"/v1/prices/{self.seats_price}")
        recurring = {"recurring[interval]": "month"}
        made = await self.does("/v1/prices", product=known["product"], currency="usd", unit_amount="4900", **recurring)
        return str(made["id"])

    async def uses(self, who: str) -> None:
        """Usage that went missing comes again."""
        payload = {"payload[stripe_customer_id]": self._customers[who], "payload[value]": "1"}
        at = str(int((START + DAY).timestamp()))
        event = {"event_name": "resolution", "identifier": f"{who}-again", "timestamp": at}
        await self.does("/v1/billing/meter_events", **event, **payload)

    async def statuses(self) -> dict[str, str]:
        return {who: (await self.world.stripe(f"/v1/invoices/{draft}"))["status"] for who, draft in self.drafts.items()}
