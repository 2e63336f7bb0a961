"""Items that come, change and go, trials and ends, by the official SDK; amounts are computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.testing import NOVEMBER, OCTOBER, Driver

DAY = 86_400
MIDDLE = OCTOBER + 15 * DAY  # 16 of October's 31 days are left


async def lines_of(sandbox: Driver, customer: str) -> list[tuple[str, int, bool]]:
    """The newest invoice's lines: description, amount, whether it is a proration."""
    newest = (await sandbox.invoices(customer))[0]
    return [
        (
            line.description,
            line.amount,
            line.parent.type == "subscription_item_details" and line.parent.subscription_item_details.proration,
        )
        for line in newest.lines.data
    ]


async def seats(sandbox: Driver, quantity: int, **more: Any) -> tuple[str, Any, str]:
    """A customer with seats at 31.00 a month from 1 October; their subscription and price."""
    price = await sandbox.a_price(unit_amount=3100)
    customer = await sandbox.a_customer()
    made = await sandbox.a_subscription(customer.id, {"price": price.id, "quantity": quantity}, **more)
    return customer.id, made, price.id


class TestProration:
    async def test_of_a_quantity_lands_on_the_next_invoice(self, sandbox: Driver) -> None:
        """3 seats to 5 in the middle: 48.00 back, 80.00 more; then November's 5 seats."""
        customer, made, _ = await seats(sandbox, 3)
        await sandbox.advance("2026-10-16T00:00:00Z")
        item = made["items"].data[0].id

        changed = await sandbox.v1.subscription_items.update_async(item, {"quantity": 5})
        pending = (await sandbox.v1.invoice_items.list_async({"customer": customer, "pending": True})).data
        await sandbox.advance("2026-11-01T00:00:00Z")

        assert changed.quantity == 5
        assert [(one.amount, one.proration, one.discountable) for one in pending] == [
            (8000, True, False),
            (-4800, True, False),
        ]
        assert await lines_of(sandbox, customer) == [
            ("Remaining time on 5 × Resolution after 16 Oct 2026", 8000, True),
            ("Unused time on 3 × Resolution after 16 Oct 2026", -4800, True),
            ("5 × Resolution", 15_500, False),
        ]
        renewal, first = await sandbox.invoices(customer)
        credited = renewal.lines.data[1].parent.subscription_item_details.proration_details.credited_items
        assert (credited.invoice, credited.invoice_line_items) == (first.id, [first.lines.data[0].id])
        assert (renewal.lines.data[0].period.start, renewal.lines.data[0].period.end) == (MIDDLE, NOVEMBER)

    async def test_is_billed_at_once_where_it_is_asked_for(self, sandbox: Driver) -> None:
        """A price of 31.00 against one of 62.00, from an instant in the past: 16.00 back, 32.00 more."""
        customer, made, _ = await seats(sandbox, 1)
        dear = await sandbox.a_price(unit_amount=6200)
        await sandbox.advance("2026-10-20T12:00:00Z")

        await sandbox.v1.subscriptions.update_async(
            made.id,
            {
                "items": [{"id": made["items"].data[0].id, "price": dear.id}],
                "proration_behavior": "always_invoice",
                "proration_date": MIDDLE,
            },
        )

        newest = (await sandbox.invoices(customer))[0]
        assert (newest.billing_reason, newest.status, newest.total) == ("subscription_update", "draft", 1600)
        assert [line.amount for line in newest.lines.data] == [3200, -1600]

    @pytest.mark.parametrize(("mode", "given_back"), [("flexible", -1600), ("classic", -3200)])
    async def test_gives_back_what_was_billed_or_the_present_price(
        self, sandbox: Driver, mode: str, given_back: int
    ) -> None:
        """1 seat to 2 without proration, then away: flexible mode knows that one was billed."""
        customer, made, _ = await seats(sandbox, 1, billing_mode={"type": mode})
        other = await sandbox.a_price(unit_amount=0)
        item = made["items"].data[0].id
        await sandbox.v1.subscription_items.update_async(item, {"quantity": 2, "proration_behavior": "none"})
        await sandbox.v1.subscription_items.create_async({"subscription": made.id, "price": other.id})
        await sandbox.advance("2026-10-16T00:00:00Z")

        await sandbox.v1.subscription_items.delete_async(item)

        pending = (await sandbox.v1.invoice_items.list_async({"customer": customer})).data
        assert [one.amount for one in pending if one.amount] == [given_back]

    async def test_of_a_yearly_item_beside_a_monthly_one_counts_by_its_year(self, sandbox: Driver) -> None:
        """Added after 73 of 365 days at 365.00: 292.00 until the anchor's year is over."""
        _, made, _ = await seats(sandbox, 1)
        yearly = await sandbox.a_price(unit_amount=36_500, recurring={"interval": "year"})
        await sandbox.advance("2026-12-13T00:00:00Z")

        item = await sandbox.v1.subscription_items.create_async({"subscription": made.id, "price": yearly.id})

        pending = (await sandbox.v1.invoice_items.list_async({"customer": made.customer})).data
        assert [one.amount for one in pending] == [29_200]
        assert item.current_period_end == OCTOBER + 365 * DAY

    async def test_bears_the_discounts_in_its_amount(self, sandbox: Driver) -> None:
        """A quarter off: 23.25 billed, of which 12.00 back; 24.00 for two seats' rest."""
        coupon = await sandbox.v1.coupons.create_async({"percent_off": 25, "duration": "forever"})
        customer, made, _ = await seats(sandbox, 1, discounts=[{"coupon": coupon.id}])
        await sandbox.advance("2026-10-16T00:00:00Z")

        await sandbox.v1.subscription_items.update_async(made["items"].data[0].id, {"quantity": 2})

        pending = (await sandbox.v1.invoice_items.list_async({"customer": customer})).data
        assert [one.amount for one in pending] == [2400, -1200]


class TestMeteredItems:
    async def test_are_billed_at_each_price_for_its_own_time(self, sandbox: Driver) -> None:
        """4 units at 1.00 before the change, 3 at 2.00 after it."""
        meter = await sandbox.a_meter()
        old, new = [await sandbox.a_price(meter.id, unit_amount=amount) for amount in (100, 200)]
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(customer.id, {"price": old.id})
        await sandbox.use(customer.id, "4", at=OCTOBER)
        await sandbox.quiet()
        await sandbox.advance("2026-10-16T00:00:00Z")
        await sandbox.v1.subscription_items.update_async(made["items"].data[0].id, {"price": new.id})
        await sandbox.use(customer.id, "3", at=MIDDLE)
        await sandbox.quiet()

        await sandbox.advance("2026-11-01T00:00:00Z")

        (invoice,) = await sandbox.invoices(customer.id)
        periods = [(line.amount, line.period.start, line.period.end) for line in invoice.lines.data]
        assert periods == [(400, OCTOBER, MIDDLE), (600, MIDDLE, NOVEMBER)]

    async def test_keep_their_draft_when_they_go(self, sandbox: Driver) -> None:
        """Late usage still reaches the draft of an item that is no more."""
        meter = await sandbox.a_meter()
        metered, seat = await sandbox.a_price(meter.id, unit_amount=100), await sandbox.a_price(unit_amount=0)
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(customer.id, {"price": metered.id}, {"price": seat.id})
        await sandbox.advance("2026-11-01T00:00:00Z")
        await sandbox.v1.subscription_items.delete_async(made["items"].data[0].id)
        await sandbox.use(customer.id, "5")
        await sandbox.quiet()

        await sandbox.advance("2026-11-01T01:00:00Z")

        assert (await sandbox.invoices(customer.id))[0].total == 500

    async def test_what_is_refused_changes_nothing(self, sandbox: Driver) -> None:
        """The second of two entries is wrong: the first is not done either."""
        customer, made, _ = await seats(sandbox, 1)
        item = made["items"].data[0].id
        await sandbox.advance("2026-10-16T00:00:00Z")
        before = await sandbox.control("GET", f"dump?customer={customer}")

        for wrong in ({"price": "price_none"}, {"id": "si_none"}, {"price": made["items"].data[0].price.id}):
            with pytest.raises(stripe.InvalidRequestError):
                await sandbox.v1.subscriptions.update_async(made.id, {"items": [{"id": item, "quantity": 9}, wrong]})
        with pytest.raises(stripe.InvalidRequestError, match="within the current period"):
            await sandbox.v1.subscription_items.update_async(item, {"quantity": 9, "proration_date": OCTOBER - 1})
        with pytest.raises(stripe.InvalidRequestError):
            await sandbox.v1.subscription_items.update_async(item, {"quantity": -1})

        assert await sandbox.control("GET", f"dump?customer={customer}") == before

    async def test_the_last_item_cannot_go(self, sandbox: Driver) -> None:
        _, made, _ = await seats(sandbox, 1)

        with pytest.raises(stripe.InvalidRequestError, match="at least one"):
            await sandbox.v1.subscription_items.delete_async(made["items"].data[0].id)


class TestTrials:
    async def test_are_free_and_billing_begins_with_their_end(self, sandbox: Driver) -> None:
        """14 days: an invoice of nothing, then the first month from the 15th; usage in the trial is not billed."""
        meter = await sandbox.a_meter()
        seat, metered = await sandbox.a_price(unit_amount=3100), await sandbox.a_price(meter.id, unit_amount=100)
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(
            customer.id, {"price": seat.id}, {"price": metered.id}, trial_period_days=14
        )
        await sandbox.use(customer.id, "9")
        await sandbox.quiet()

        await sandbox.advance("2026-10-16T00:00:00Z")
        types = [e.type for e in (await sandbox.v1.events.list_async({"limit": 100})).data]
        await sandbox.advance("2026-11-15T00:00:00Z")

        usage, month, trial = await sandbox.invoices(customer.id)
        assert made.status == "trialing"
        assert [(line.description, line.amount) for line in trial.lines.data] == [("Trial period for Resolution", 0)]
        assert (trial.status, trial.total, month.total, month.billing_reason) == ("paid", 0, 3100, "subscription_cycle")
        assert month.lines.data[0].period.start == OCTOBER + 14 * DAY
        assert [line.amount for line in usage.lines.data] == [0, 3100]
        assert types.count("customer.subscription.trial_will_end") == 1

    async def test_may_end_now(self, sandbox: Driver) -> None:
        """The anchor is now, and the month is billed at once."""
        customer, made, _ = await seats(sandbox, 2, trial_end=NOVEMBER)
        await sandbox.advance("2026-10-16T00:00:00Z")

        ended = await sandbox.v1.subscriptions.update_async(made.id, {"trial_end": "now"})

        newest = (await sandbox.invoices(customer))[0]
        assert (ended.status, ended.billing_cycle_anchor) == ("active", MIDDLE)
        assert (newest.billing_reason, newest.total) == ("subscription_update", 6200)

    async def test_may_be_followed_by_a_part_of_a_period(self, sandbox: Driver) -> None:
        """Free until the 16th, 16 of 31 days until the anchor, then whole months."""
        customer, _, _ = await seats(sandbox, 1, trial_end=MIDDLE, billing_cycle_anchor=NOVEMBER)

        await sandbox.advance("2026-11-01T00:00:00Z")

        assert [invoice.total for invoice in await sandbox.invoices(customer)] == [3100, 1600, 0]


class TestEnds:
    async def test_now_with_what_is_left_given_back(self, sandbox: Driver) -> None:
        """The rest of October is credit on the last invoice, and becomes the customer's balance."""
        customer, made, _ = await seats(sandbox, 1)
        await sandbox.advance("2026-10-16T00:00:00Z")

        await sandbox.v1.subscriptions.cancel_async(made.id, {"prorate": True, "invoice_now": True})
        await sandbox.advance("2026-10-16T01:00:00Z")

        last = (await sandbox.invoices(customer))[0]
        assert (last.total, last.amount_due, last.status) == (-1600, 0, "paid")
        assert (await sandbox.v1.customers.retrieve_async(customer)).balance == -1600

    async def test_at_an_instant(self, sandbox: Driver) -> None:
        customer, made, _ = await seats(sandbox, 1)
        await sandbox.v1.subscriptions.update_async(made.id, {"cancel_at": MIDDLE})

        await sandbox.advance("2026-12-01T00:00:00Z")

        ended = await sandbox.v1.subscriptions.retrieve_async(made.id)
        assert (ended.status, ended.ended_at) == ("canceled", MIDDLE)
        assert [invoice.total for invoice in await sandbox.invoices(customer)] == [-1600, 3100]
