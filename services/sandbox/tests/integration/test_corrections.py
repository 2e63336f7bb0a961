"""Credit notes, customer balances and previews, by the official SDK; amounts are computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.testing import NOVEMBER, OCTOBER, Driver, Receiver

DAY = 86_400


async def an_invoice(sandbox: Driver, *, quantity: int = 4, pays: bool = False, **more: Any) -> Any:
    """An open invoice of some seats at 25.00; paid at once by a card that pays."""
    price = await sandbox.a_price(unit_amount=2500)
    card = {"invoice_settings": {"default_payment_method": "pm_card_visa"}} if pays else {}
    customer = await sandbox.a_customer(**card)
    method = {"collection_method": "charge_automatically"} if pays else {"collection_method": "send_invoice"}
    await sandbox.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id, "quantity": quantity}],
            **method,
            **({} if pays else {"days_until_due": 30}),
            **more,
        }
    )
    (invoice,) = await sandbox.invoices(customer.id)
    return invoice if pays else await sandbox.v1.invoices.finalize_invoice_async(invoice.id)


class TestCreditNotes:
    async def test_of_an_open_invoice_lower_what_is_due(self, sandbox: Driver, receiver: Receiver) -> None:
        """One of four seats and 5.00 more: 70.00 are left; voided, 100.00 again; all of it, and it is paid."""
        await sandbox.v1.webhook_endpoints.create_async(
            {"url": receiver.url, "enabled_events": ["credit_note.*", "invoice.paid"]}
        )
        invoice = await an_invoice(sandbox)
        line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "quantity": 1}
        own = {"type": "custom_line_item", "description": "Goodwill", "quantity": 1, "unit_amount": 500}
        notes, invoices = sandbox.v1.credit_notes, sandbox.v1.invoices

        note = await notes.create_async({"invoice": invoice.id, "lines": [line, own], "reason": "order_change"})
        lowered = await invoices.retrieve_async(invoice.id)
        await notes.void_credit_note_async(note.id)
        whole = await invoices.retrieve_async(invoice.id)
        await notes.create_async({"invoice": invoice.id, "amount": 10_000})
        paid = await invoices.retrieve_async(invoice.id)
        await sandbox.quiet()

        assert (note.total, note.type, note.number) == (3000, "pre_payment", f"{invoice.number}-CN-01")
        assert [(line.amount, line.quantity) for line in note.lines.data] == [(2500, 1), (500, 1)]
        assert (lowered.total, lowered.amount_due, lowered.pre_payment_credit_notes_amount) == (10_000, 7000, 3000)
        assert (whole.amount_due, whole.status) == (10_000, "open")
        assert (paid.status, paid.amount_due, paid.amount_paid, paid.amount_remaining) == ("paid", 0, 0, 0)
        assert sorted(receiver.types) == ["credit_note.created"] * 2 + ["credit_note.voided", "invoice.paid"]

    async def test_of_a_paid_invoice_are_shared_out(self, sandbox: Driver) -> None:
        """Into the balance, back to the card, and settled outside; the three are all of it."""
        invoice = await an_invoice(sandbox, pays=True)
        notes = sandbox.v1.credit_notes

        with pytest.raises(stripe.InvalidRequestError, match="post payment"):
            await notes.create_async({"invoice": invoice.id, "amount": 6000, "credit_amount": 1000})
        note = await notes.create_async(
            {
                "invoice": invoice.id,
                "amount": 6000,
                "credit_amount": 3000,
                "refund_amount": 2000,
                "out_of_band_amount": 1000,
            }
        )
        with pytest.raises(stripe.InvalidRequestError, match="from 1 to 4000"):
            await notes.create_async({"invoice": invoice.id, "amount": 4001, "credit_amount": 4001})

        (entry,) = (await sandbox.v1.customers.balance_transactions.list_async(invoice.customer)).data
        after = await sandbox.v1.invoices.retrieve_async(invoice.id)
        assert (note.type, note.post_payment_amount, note.refunds[0].amount_refunded) == ("post_payment", 6000, 2000)
        assert (entry.type, entry.amount, entry.ending_balance) == ("credit_note", -3000, -3000)
        assert note.customer_balance_transaction == entry.id
        assert (after.status, after.amount_due, after.post_payment_credit_notes_amount) == ("paid", 10_000, 6000)

    async def test_of_a_discounted_line_bear_their_part_of_the_discount(self, sandbox: Driver) -> None:
        """20 % off 100.00: half the line is 50.00 less 10.00; more than the line's rest is refused."""
        coupon = await sandbox.v1.coupons.create_async({"percent_off": 20, "duration": "forever"})
        invoice = await an_invoice(sandbox, discounts=[{"coupon": coupon.id}])
        line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": 5000}
        asked = {"invoice": invoice.id, "lines": [line]}

        seen = await sandbox.v1.credit_notes.preview_async(asked)
        nothing = (await sandbox.v1.credit_notes.list_async({"invoice": invoice.id})).data
        note = await sandbox.v1.credit_notes.create_async(asked)
        with pytest.raises(stripe.InvalidRequestError, match="by 5000 at most"):
            await sandbox.v1.credit_notes.create_async({**asked, "lines": [{**line, "amount": 5001}]})

        assert (seen.total, nothing) == (4000, [])
        assert (note.total, note.discount_amount, note.lines.data[0].discount_amount) == (4000, 1000, 1000)

    async def test_of_a_draft_are_refused(self, sandbox: Driver) -> None:
        price, customer = await sandbox.a_price(unit_amount=2500), await sandbox.a_customer()
        draft = (await sandbox.a_subscription(customer.id, {"price": price.id})).latest_invoice

        with pytest.raises(stripe.InvalidRequestError, match="open, paid or uncollectible"):
            await sandbox.v1.credit_notes.create_async({"invoice": draft, "amount": 1})


class TestBalances:
    async def test_are_used_when_an_invoice_is_finalised_and_return_when_it_is_voided(self, sandbox: Driver) -> None:
        """30.00 of credit on 25.00, then 5.00 on the rest; the ledger shows each step."""
        price, customer = await sandbox.a_price(unit_amount=2500), await sandbox.a_customer()
        ledger = sandbox.v1.customers.balance_transactions
        await ledger.create_async(customer.id, {"amount": -3000, "currency": "usd", "description": "Goodwill"})
        await sandbox.a_subscription(customer.id, {"price": price.id})

        await sandbox.advance("2026-11-01T01:00:00Z")

        second, first = await sandbox.invoices(customer.id)
        assert [(one.total, one.amount_due, one.status) for one in (first, second)] == [
            (2500, 0, "paid"),
            (2500, 2000, "open"),
        ]
        await sandbox.v1.invoices.void_invoice_async(second.id)
        entries = (await ledger.list_async(customer.id)).data
        assert [(one.type, one.amount, one.ending_balance) for one in entries] == [
            ("unapplied_from_invoice", -500, -500),
            ("applied_to_invoice", 500, 0),
            ("applied_to_invoice", 2500, -500),
            ("adjustment", -3000, -3000),
        ]
        told = (await sandbox.v1.events.list_async({"types": ["customer.updated"]})).data
        assert [event.data.previous_attributes["balance"] for event in told] == [0, -500]  # of the last 30 days

    async def test_are_dumped_with_all_that_was_sold(self, sandbox: Driver) -> None:
        """Flat, for comparisons."""
        coupon = await sandbox.v1.coupons.create_async({"percent_off": 50, "duration": "forever"})
        invoice = await an_invoice(sandbox, pays=True, discounts=[{"coupon": coupon.id}])
        await sandbox.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 100, "credit_amount": 100})
        await sandbox.v1.invoice_items.create_async({"customer": invoice.customer, "amount": 7, "currency": "usd"})

        dump = await sandbox.control("GET", f"dump?customer={invoice.customer}")

        assert [(i["subtotal"], i["total"], i["lines"][0]["discounts"][0]["amount"]) for i in dump["invoices"]] == [
            (10_000, 5000, 5000)
        ]
        assert [note["credited"] for note in dump["credit_notes"]] == [100]
        assert [entry["type"] for entry in dump["balance_transactions"]] == ["credit_note"]
        assert [item["amount"] for item in dump["invoice_items"]] == [7]
        assert [s["items"][0]["quantity"] for s in dump["subscriptions"]] == [4]
        assert [(d["coupon"], d["customer"]) for d in dump["discounts"]] == [(coupon.id, invoice.customer)]
        assert dump["balances"] == [{"customer": invoice.customer, "currency": "usd", "balance": -100}]


class TestPreviews:
    async def test_show_what_comes_and_change_nothing(self, sandbox: Driver) -> None:
        """As it is: usage so far and November's seats. With a change now: the rest of October first."""
        meter = await sandbox.a_meter()
        seat, metered = await sandbox.a_price(unit_amount=3100), await sandbox.a_price(meter.id, unit_amount=10)
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(customer.id, {"price": seat.id}, {"price": metered.id})
        await sandbox.use(customer.id, "7")
        await sandbox.quiet()
        await sandbox.advance("2026-10-16T00:00:00Z")
        before = await sandbox.control("GET", f"dump?customer={customer.id}")
        change = {"items": [{"id": made["items"].data[0].id, "quantity": 2}]}
        show = sandbox.v1.invoices.create_preview_async

        plain = await show({"subscription": made.id})
        changed = await show({"subscription": made.id, "subscription_details": change})
        at_once = await show(
            {"subscription": made.id, "subscription_details": {**change, "proration_behavior": "always_invoice"}}
        )

        assert [line.amount for line in plain.lines.data] == [70, 3100]
        assert [line.amount for line in changed.lines.data] == [3200, -1600, 70, 6200]
        assert [line.amount for line in at_once.lines.data] == [3200, -1600]
        assert plain.id.startswith("upcoming_in_")
        assert (plain.status, plain.created, plain.billing_reason) == ("draft", NOVEMBER, "upcoming")
        assert await sandbox.control("GET", f"dump?customer={customer.id}") == before

    async def test_equal_the_invoice_that_comes(self, sandbox: Driver) -> None:
        """The same instant of proration, previewed and carried out."""
        invoice = await an_invoice(sandbox, quantity=3)
        subscription = invoice.parent.subscription_details.subscription
        item = (await sandbox.v1.subscriptions.retrieve_async(subscription))["items"].data[0].id
        change = {"items": [{"id": item, "quantity": 7}], "proration_date": OCTOBER + 9 * DAY + 3599}
        await sandbox.advance("2026-10-11T00:00:00Z")

        seen = await sandbox.v1.invoices.create_preview_async(
            {"subscription": subscription, "subscription_details": change}
        )
        await sandbox.v1.subscriptions.update_async(subscription, change)
        await sandbox.advance("2026-11-01T00:00:00Z")

        came = (await sandbox.invoices(invoice.customer))[0]
        assert [(line.description, line.amount) for line in seen.lines.data] == [
            (line.description, line.amount) for line in came.lines.data
        ]

    async def test_of_what_would_begin_and_of_what_has_ended(self, sandbox: Driver) -> None:
        """A subscription that is not there yet with a discount of the invoice; and one after which nothing comes."""
        coupon = await sandbox.v1.coupons.create_async({"amount_off": 500, "currency": "usd", "duration": "once"})
        price = await sandbox.a_price(unit_amount=2500)
        invoice = await an_invoice(sandbox)
        gone = invoice.parent.subscription_details.subscription
        await sandbox.v1.subscriptions.cancel_async(gone)

        seen = await sandbox.v1.invoices.create_preview_async(
            {
                "customer": invoice.customer,
                "subscription_details": {"items": [{"price": price.id, "quantity": 2}]},
                "discounts": [{"coupon": coupon.id}],
            }
        )

        assert (seen.subtotal, seen.total) == (5000, 4500)
        assert (await sandbox.v1.coupons.retrieve_async(coupon.id)).times_redeemed == 0
        with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
            await sandbox.v1.invoices.create_preview_async({"subscription": gone})
