"""Coupons on items, subscriptions and invoices, and invoice items, by the official SDK; amounts computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.testing import Driver


async def a_coupon(sandbox: Driver, **more: Any) -> str:
    made = await sandbox.v1.coupons.create_async({"duration": "forever", **more})
    return str(made.id)


async def sold(sandbox: Driver, amounts: list[int], *, items: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    """A subscription of monthly fees; `items` adds to each of them."""
    prices = [await sandbox.a_price(unit_amount=amount) for amount in amounts]
    customer = await sandbox.a_customer()
    extra = items or [{} for _ in amounts]
    return await sandbox.a_subscription(
        customer.id, *[{"price": price.id, **own} for price, own in zip(prices, extra, strict=True)], **more
    )


class TestDiscounts:
    async def test_of_items_go_before_those_of_the_subscription(self, sandbox: Driver) -> None:
        """100.00 less 20 %, and 5.00 off the 80.00 and 20.00 that are left; lines newest first."""
        own, common = await a_coupon(sandbox, percent_off=20), await a_coupon(sandbox, amount_off=500, currency="usd")

        made = await sold(
            sandbox, [10_000, 2000], items=[{"discounts": [{"coupon": own}]}, {}], discounts=[{"coupon": common}]
        )

        (invoice,) = await sandbox.invoices(made.customer)
        taken = [[off.amount for off in line.discount_amounts] for line in invoice.lines.data]
        assert taken == [[100], [2000, 400]]
        assert (invoice.subtotal, invoice.total) == (10_000, 9500)
        assert [off.amount for off in invoice.total_discount_amounts] == [2000, 500]
        shown = await sandbox.v1.subscriptions.retrieve_async(
            made.id, {"expand": ["discounts.source.coupon", "items.data.discounts"]}
        )
        assert shown.discounts[0].source.coupon.amount_off == 500
        assert shown["items"].data[0].discounts[0].source.coupon == own

    @pytest.mark.parametrize(
        ("duration", "totals"),
        [
            ({"duration": "once"}, [10_000, 10_000, 5000]),
            ({"duration": "repeating", "duration_in_months": 2}, [10_000, 5000, 5000]),
            ({"duration": "forever"}, [5000, 5000, 5000]),
        ],
    )
    async def test_last_as_long_as_their_coupon_says(
        self, sandbox: Driver, duration: dict[str, Any], totals: list[int]
    ) -> None:
        half = await a_coupon(sandbox, percent_off=50, **duration)
        made = await sold(sandbox, [10_000], discounts=[{"coupon": half}])

        await sandbox.advance("2026-12-01T00:00:00Z")

        assert [invoice.total for invoice in await sandbox.invoices(made.customer)] == totals

    async def test_of_a_product_leave_the_others_alone(self, sandbox: Driver) -> None:
        price, other = await sandbox.a_price(unit_amount=1000), await sandbox.a_price(unit_amount=700)
        half = await a_coupon(sandbox, percent_off=50, applies_to={"products": [price.product]})
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(
            customer.id, {"price": price.id}, {"price": other.id}, discounts=[{"coupon": half}]
        )

        assert (await sandbox.invoices(customer.id))[0].total == 1200

    async def test_stand_where_the_switches_put_them(self, sandbox: Driver) -> None:
        """10 % and 20 % of 100.00 are 30.00 together; 10 % of three lines of 0.05 is a single cent more."""
        await sandbox.control("POST", "answers", discount_stack="of_the_whole", percent_share="of_the_sum")
        ten, twenty = await a_coupon(sandbox, percent_off=10), await a_coupon(sandbox, percent_off=20)

        stacked = await sold(sandbox, [10_000], discounts=[{"coupon": ten}, {"coupon": twenty}])
        small = await sold(sandbox, [5, 5, 5], discounts=[{"coupon": ten}])

        assert (await sandbox.invoices(stacked.customer))[0].total == 7000
        assert (await sandbox.invoices(small.customer))[0].total == 13

    async def test_go_onto_a_draft_and_away_again(self, sandbox: Driver) -> None:
        """An invoice's own; a redeemed coupon cannot be redeemed again, and a deleted one leaves its discounts."""
        made = await sold(sandbox, [10_000])
        coupon = await a_coupon(sandbox, percent_off="12.5", max_redemptions=1)
        draft = (await sandbox.invoices(made.customer))[0]

        cut = await sandbox.v1.invoices.update_async(draft.id, {"discounts": [{"coupon": coupon}]})
        await sandbox.v1.coupons.delete_async(coupon)
        kept = await sandbox.v1.invoices.update_async(draft.id, {"description": "d"})
        with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
            await sandbox.v1.subscriptions.update_async(made.id, {"discounts": [{"coupon": coupon}]})
        whole = await sandbox.v1.invoices.update_async(draft.id, {"discounts": ""})

        assert (cut.total, kept.total, whole.total, whole.discounts) == (8750, 8750, 10_000, [])

    async def test_of_another_currency_are_refused(self, sandbox: Driver) -> None:
        euros = await a_coupon(sandbox, amount_off=500, currency="eur")

        with pytest.raises(stripe.InvalidRequestError, match="currency"):
            await sold(sandbox, [10_000], discounts=[{"coupon": euros}])


class TestInvoiceItems:
    async def test_are_changed_and_taken_off_a_draft(self, sandbox: Driver) -> None:
        """Its total follows, and events tell of it."""
        made = await sold(sandbox, [10_000])
        draft = (await sandbox.invoices(made.customer))[0]
        new = {"customer": made.customer, "currency": "usd", "invoice": draft.id, "period": {"start": 1, "end": 2}}
        items, invoices = sandbox.v1.invoice_items, sandbox.v1.invoices

        item = await items.create_async({**new, "amount": 500, "metadata": {"key": "a"}, "description": "Credit"})
        added = await invoices.retrieve_async(draft.id)
        await items.update_async(item.id, {"unit_amount_decimal": "-1.5", "quantity": 3, "metadata": {"key": "b"}})
        changed = await invoices.retrieve_async(draft.id)
        await items.delete_async(item.id)
        emptied = await invoices.retrieve_async(draft.id)

        assert (added.total, changed.total, emptied.total) == (10_500, 9995, 10_000)
        line = changed.lines.data[0]
        assert (line.id, line.description, line.metadata.to_dict()) == (added.lines.data[0].id, "Credit", {"key": "b"})
        assert (line.period.start, line.period.end) == (1, 2)
        types = [event.type for event in (await sandbox.v1.events.list_async({"limit": 5})).data]
        assert types == [
            "invoiceitem.deleted",
            "invoice.updated",
            "invoice.updated",
            "invoice.updated",
            "invoiceitem.created",
        ]

    async def test_stand_once_their_invoice_is_final(self, sandbox: Driver) -> None:
        made = await sold(sandbox, [10_000])
        draft = (await sandbox.invoices(made.customer))[0]
        item = await sandbox.v1.invoice_items.create_async(
            {"customer": made.customer, "currency": "usd", "invoice": draft.id, "amount": 500}
        )
        await sandbox.v1.invoices.finalize_invoice_async(draft.id)

        for call in (
            sandbox.v1.invoice_items.update_async(item.id, {"amount": 1}),
            sandbox.v1.invoice_items.delete_async(item.id),
        ):
            with pytest.raises(stripe.InvalidRequestError, match="can no longer be"):
                await call

    async def test_bear_discounts_of_their_own(self, sandbox: Driver) -> None:
        """Taken up by the next invoice: 10.00 less 10 %."""
        ten = await a_coupon(sandbox, percent_off=10)
        made = await sold(sandbox, [0])
        await sandbox.v1.invoice_items.create_async(
            {"customer": made.customer, "currency": "usd", "amount": 1000, "discounts": [{"coupon": ten}]}
        )

        await sandbox.advance("2026-11-01T00:00:00Z")

        assert (await sandbox.invoices(made.customer))[0].total == 900
