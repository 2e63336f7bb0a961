"""Subscriptions and invoices by the official SDK over real HTTP; amounts are computed by hand."""

from __future__ import annotations

import pytest
import stripe

from sandbox.testing import NOVEMBER, OCTOBER, Driver, Receiver

HOUR = 3600
DECEMBER = 1_796_083_200


async def a_plan(sandbox: Driver) -> tuple[str, list[dict[str, object]]]:
    """3 seats at 39.00 in advance; resolutions at 0.99 up to 10 and 0.89 above."""
    meter = await sandbox.a_meter()
    seat = await sandbox.a_price(unit_amount=3900)
    tiers = [{"up_to": 10, "unit_amount_decimal": "99"}, {"up_to": "inf", "unit_amount_decimal": "89"}]
    metered = await sandbox.a_price(meter.id, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    return meter.id, [{"price": seat.id, "quantity": 3}, {"price": metered.id}]


class TestARenewal:
    async def test_bills_the_ended_month_of_usage_and_the_coming_month_of_seats(self, sandbox: Driver) -> None:
        """12 units: 10 at 0.99, 2 at 0.89; lines newest item first."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        for number in range(11):
            await sandbox.use(customer.id, identifier=f"r{number}")
        await sandbox.use(customer.id, "3")
        await sandbox.use(customer.id, "-2")

        await sandbox.advance("2026-11-01T00:00:00Z")

        renewal, first = await sandbox.invoices(customer.id)
        assert (first.billing_reason, first.total) == ("subscription_create", 11_700)
        assert (renewal.billing_reason, renewal.status, renewal.total) == ("subscription_cycle", "draft", 12_868)
        assert [line.amount for line in renewal.lines.data] == [990, 178, 11_700]
        assert [str(line.quantity_decimal) for line in renewal.lines.data] == ["10", "2", "3"]
        periods = [(line.period.start, line.period.end) for line in renewal.lines.data]
        assert periods == [(OCTOBER, NOVEMBER), (OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER)]
        assert (renewal.period_start, renewal.period_end) == (OCTOBER, NOVEMBER)
        assert renewal.parent.subscription_details.subscription is not None

    async def test_takes_late_usage_until_it_is_finalised_and_none_after(self, sandbox: Driver) -> None:
        """Usage of October that arrives in the draft hour counts; after finalisation it is on no invoice."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.advance("2026-11-01T00:00:00Z")
        await sandbox.use(customer.id, at=NOVEMBER - 60)
        await sandbox.use(customer.id, at=NOVEMBER)  # the next period's already
        await sandbox.quiet()

        await sandbox.advance("2026-11-01T01:00:00Z")
        await sandbox.use(customer.id, "5", at=NOVEMBER - 61)
        await sandbox.quiet()
        await sandbox.advance("2026-12-01T01:00:00Z")

        second, first, _ = await sandbox.invoices(customer.id)
        assert (first.status, first.total) == ("open", 11_700 + 99)
        assert (second.status, second.total) == ("open", 11_700 + 99)

    async def test_waits_for_the_caller_where_it_may_not_advance(self, sandbox: Driver) -> None:
        """`auto_advance=false` is a draft until it is finalised by hand."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.advance("2026-11-01T00:00:00Z")
        renewal = (await sandbox.invoices(customer.id))[0]
        held = await sandbox.v1.invoices.update_async(renewal.id, {"auto_advance": False, "metadata": {"frozen": "1"}})

        await sandbox.advance("2026-11-08T00:00:00Z")
        draft = await sandbox.v1.invoices.retrieve_async(renewal.id)
        final = await sandbox.v1.invoices.finalize_invoice_async(renewal.id)

        assert (held.automatically_finalizes_at, held.metadata["frozen"]) == (None, "1")
        assert (draft.status, final.status, final.number[-5:]) == ("draft", "open", "-0002")
        with pytest.raises(stripe.InvalidRequestError) as again:
            await sandbox.v1.invoices.finalize_invoice_async(renewal.id)
        assert again.value.code == "invoice_not_editable"

    async def test_is_held_up_to_three_days_while_invoice_created_is_not_answered(
        self, sandbox: Driver, receiver: Receiver
    ) -> None:
        """A webhook endpoint that never answers delays automatic finalisation, and does not stop it."""
        receiver.answers = [500] * 1000
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["invoice.created"]})

        await sandbox.advance("2026-11-01T00:00:00Z")
        await sandbox.quiet()
        await sandbox.advance("2026-11-03T23:59:00Z")
        held = (await sandbox.invoices(customer.id))[0]
        await sandbox.advance("2026-11-04T00:00:00Z")
        let_go = (await sandbox.invoices(customer.id))[0]

        assert (held.status, held.webhooks_delivered_at) == ("draft", None)
        assert let_go.status == "open"
        assert let_go.status_transitions.finalized_at == NOVEMBER + 72 * HOUR

    async def test_leaves_an_hour_after_its_webhook_was_answered(self, sandbox: Driver, receiver: Receiver) -> None:
        """A long step finds the draft still one; an hour after the answer it is finalised."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.v1.webhook_endpoints.create_async({"url": receiver.url, "enabled_events": ["invoice.created"]})

        await sandbox.advance("2026-11-01T06:00:00Z")
        await sandbox.quiet()
        told = (await sandbox.invoices(customer.id))[0]
        await sandbox.advance("2026-11-01T06:59:59Z")
        draft = (await sandbox.invoices(customer.id))[0]
        await sandbox.advance("2026-11-01T07:00:00Z")
        final = (await sandbox.invoices(customer.id))[0]

        assert (told.status, told.webhooks_delivered_at) == ("draft", NOVEMBER + 6 * HOUR)
        assert (draft.status, final.status) == ("draft", "open")

    async def test_is_not_held_for_an_endpoint_that_is_gone(self, sandbox: Driver, receiver: Receiver) -> None:
        """Deleted while it did not answer: an hour later the draft is finalised."""
        receiver.answers = [500] * 1000
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        params = {"url": receiver.url, "enabled_events": ["invoice.created"]}
        endpoint = await sandbox.v1.webhook_endpoints.create_async(params)
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.v1.webhook_endpoints.delete_async(endpoint.id)
        await sandbox.quiet()

        await sandbox.advance("2026-10-01T01:00:00Z")

        (first,) = await sandbox.invoices(customer.id)
        assert first.status == "open"

    async def test_is_paid_at_once_where_nothing_is_due(self, sandbox: Driver) -> None:
        """Metered only: no first invoice; a month without usage is an empty line and a paid invoice of zero."""
        meter = await sandbox.a_meter()
        price = await sandbox.a_price(meter.id, unit_amount_decimal="99")
        customer = await sandbox.a_customer()
        subscription = await sandbox.a_subscription(customer.id, {"price": price.id})

        await sandbox.advance("2026-11-01T01:00:00Z")

        assert (subscription.status, subscription.latest_invoice) == ("active", None)
        (only,) = await sandbox.invoices(customer.id)
        assert (only.status, only.total, only.lines.data[0].quantity) == ("paid", 0, 0)

    async def test_ends_the_subscription_where_that_was_asked_for(self, sandbox: Driver) -> None:
        """`cancel_at_period_end`: a last invoice of usage alone, and no more after it."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        subscription = await sandbox.a_subscription(customer.id, *items)
        await sandbox.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
        await sandbox.use(customer.id, "2")

        await sandbox.advance("2027-01-05T00:00:00Z")

        last, first = await sandbox.invoices(customer.id)
        ended = await sandbox.v1.subscriptions.retrieve_async(subscription.id)
        assert (first.total, last.total, ended.status, ended.ended_at) == (11_700, 198, "canceled", NOVEMBER)


class TestPeriods:
    async def test_follow_the_anchor_through_short_months(self, sandbox: Driver) -> None:
        """31 January, 28 February, 31 March."""
        await sandbox.advance("2027-01-31T10:00:00Z")
        meter = await sandbox.a_meter()
        price = await sandbox.a_price(meter.id, unit_amount=100)
        customer = await sandbox.a_customer()
        subscription = await sandbox.a_subscription(customer.id, {"price": price.id})
        ends = [subscription["items"].data[0].current_period_end]

        for to in ("2027-02-28T10:00:00Z", "2027-03-31T10:00:00Z"):
            await sandbox.advance(to)
            renewed = await sandbox.v1.subscriptions.retrieve_async(subscription.id)
            ends.append(renewed["items"].data[0].current_period_end)

        assert ends == [1_803_808_800, 1_806_487_200, 1_809_079_200]

    async def test_begin_with_a_stub_up_to_a_future_anchor(self, sandbox: Driver) -> None:
        """16 of 31 days at 31.00 is 16.00, and nothing without prorations."""
        await sandbox.advance("2026-10-16T00:00:00Z")
        price = await sandbox.a_price(unit_amount=3100)
        prorated, free = await sandbox.a_customer(), await sandbox.a_customer()
        item = {"price": price.id}
        with_part = await sandbox.a_subscription(prorated.id, item, billing_cycle_anchor=NOVEMBER)
        without = await sandbox.a_subscription(
            free.id, item, billing_cycle_anchor=NOVEMBER, proration_behavior="none", backdate_start_date=OCTOBER
        )

        (first,) = await sandbox.invoices(prorated.id)
        assert (first.total, first.lines.data[0].parent.subscription_item_details.proration) == (1600, True)
        assert await sandbox.invoices(free.id) == []
        assert with_part["items"].data[0].current_period_start == OCTOBER + 15 * 86_400
        assert without["items"].data[0].current_period_start == OCTOBER
        with pytest.raises(stripe.InvalidRequestError, match="cannot be earlier"):
            await sandbox.a_subscription(prorated.id, item, billing_cycle_anchor=OCTOBER)

    async def test_pass_several_at_once(self, sandbox: Driver) -> None:
        """A year in one step: twelve renewals, each with its own month of usage."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        await sandbox.use(customer.id, "1")

        await sandbox.advance("2027-10-01T00:00:00Z")

        totals = [invoice.total for invoice in await sandbox.invoices(customer.id)]
        assert totals == [11_700] * 11 + [11_799, 11_700]


class TestMoney:
    @pytest.mark.parametrize(
        ("currency", "unit", "quantity", "total"),
        [
            ("usd", "0.5", "1", 1),  # half a cent: away from zero
            ("usd", "0.05", "30", 2),  # Stripe's own example
            ("eur", "99", "0.333333333333", 33),
            ("gbp", "12.345678901234", "1000", 12_346),
            ("jpy", "99.5", "1", 100),  # whole yen
            ("kwd", "305.5", "3", 917),  # thousandths of a dinar
        ],
    )
    async def test_is_rounded_once_a_line_half_away_from_zero(
        self, sandbox: Driver, currency: str, unit: str, quantity: str, total: int
    ) -> None:
        """In minor units of the currency."""
        meter = await sandbox.a_meter()
        price = await sandbox.a_price(meter.id, unit_amount_decimal=unit, currency=currency)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, {"price": price.id})
        await sandbox.use(customer.id, quantity)

        await sandbox.advance("2026-11-01T00:00:00Z")

        (invoice,) = await sandbox.invoices(customer.id)
        assert (invoice.total, invoice.currency) == (total, currency)

    async def test_of_loose_items_comes_first_and_credit_is_carried(self, sandbox: Driver) -> None:
        """A credit of 150.00 leaves 33.00 of balance after seats of 117.00, which the next invoice uses."""
        _, items = await a_plan(sandbox)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, *items)
        credit = {"customer": customer.id, "amount": -15_000, "currency": "usd", "description": "goodwill"}
        await sandbox.v1.invoice_items.create_async(credit)

        await sandbox.advance("2026-12-01T01:00:00Z")

        second, first, _ = await sandbox.invoices(customer.id)
        assert [line.amount for line in first.lines.data] == [-15_000, 0, 11_700]
        assert (first.total, first.amount_due, first.status) == (-3_300, 0, "paid")
        assert (second.total, second.starting_balance, second.amount_due) == (11_700, -3_300, 8_400)

    async def test_is_collected_voided_or_written_off(self, sandbox: Driver) -> None:
        """Out of band, by a payment method, void, uncollectible; each once."""
        price = await sandbox.a_price(unit_amount=1000)
        states = []
        for _ in range(3):
            customer = await sandbox.a_customer()
            subscription = await sandbox.a_subscription(customer.id, {"price": price.id})
            await sandbox.v1.invoices.finalize_invoice_async(subscription.latest_invoice)
            states.append(subscription.latest_invoice)
        invoices = sandbox.v1.invoices
        paid = await invoices.pay_async(states[0], {"paid_out_of_band": True})
        void = await invoices.void_invoice_async(states[1])
        bad = await invoices.mark_uncollectible_async(states[2])
        cards = {"invoice_settings": {"default_payment_method": "pm_card_visa"}}
        payer = await sandbox.a_customer(**cards)
        automatic = {"customer": payer.id, "items": [{"price": price.id}], "expand": ["latest_invoice"]}
        charged = await sandbox.v1.subscriptions.create_async(automatic)

        assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 1000, 1000)
        assert (void.status, bad.status) == ("void", "uncollectible")
        assert (charged.latest_invoice.status, charged.latest_invoice.amount_remaining) == ("paid", 0)
        with pytest.raises(stripe.InvalidRequestError):
            await invoices.pay_async(states[1], {"paid_out_of_band": True})


class TestCollecting:
    async def test_is_left_to_the_caller_where_finalising_did_not_advance(self, sandbox: Driver) -> None:
        """Open, neither sent nor charged; then sent, or paid by the card; each by its own call."""
        price = await sandbox.a_price(unit_amount=1000)
        customer = await sandbox.a_customer(invoice_settings={"default_payment_method": "pm_card_visa"})
        sent = (await sandbox.a_subscription(customer.id, {"price": price.id})).latest_invoice
        paid = (await sandbox.a_subscription(customer.id, {"price": price.id})).latest_invoice
        invoices = sandbox.v1.invoices
        switched = await invoices.update_async(paid, {"collection_method": "charge_automatically"})
        quiet = [await invoices.finalize_invoice_async(id_, {"auto_advance": False}) for id_ in (sent, paid)]
        await sandbox.advance("2026-10-05T00:00:00Z")
        before = (await sandbox.v1.events.list_async({"types": ["invoice.sent", "invoice.paid"]})).data

        await invoices.send_invoice_async(sent)
        done = await invoices.pay_async(paid, {"off_session": True})

        assert (switched.collection_method, switched.due_date) == ("charge_automatically", None)
        assert [(one.status, one.auto_advance) for one in quiet] == [("open", False)] * 2
        assert before == []
        told = (await sandbox.v1.events.list_async({"types": ["invoice.sent", "invoice.paid"]})).data
        assert [(event.type, event.data.object["id"]) for event in told] == [
            ("invoice.paid", paid),
            ("invoice.sent", sent),
        ]
        assert done.status == "paid"
        with pytest.raises(stripe.InvalidRequestError, match="can't be updated"):
            await invoices.update_async(sent, {"collection_method": "charge_automatically"})
        with pytest.raises(stripe.InvalidRequestError, match="only manually send"):
            await invoices.send_invoice_async(paid)

    async def test_needs_an_address_to_send_to(self, sandbox: Driver) -> None:
        """Subscriptions that send, finalising and sending; by card it needs none."""
        price = await sandbox.a_price(unit_amount=1000)
        nameless = await sandbox.a_customer(email="")
        customer = await sandbox.a_customer()
        invoice = (await sandbox.a_subscription(customer.id, {"price": price.id})).latest_invoice
        by_card = await sandbox.v1.subscriptions.create_async({"customer": nameless.id, "items": [{"price": price.id}]})
        await sandbox.v1.customers.update_async(customer.id, {"email": ""})
        sending = {"collection_method": "send_invoice", "days_until_due": 30}

        for call in (
            sandbox.a_subscription(nameless.id, {"price": price.id}),
            sandbox.v1.subscriptions.update_async(by_card.id, sending),
            sandbox.v1.invoices.finalize_invoice_async(invoice),
            sandbox.v1.invoices.send_invoice_async(invoice),
        ):
            with pytest.raises(stripe.InvalidRequestError, match=r"Missing email\. In order to"):
                await call

    async def test_fails_by_the_test_card_that_never_pays(self, sandbox: Driver) -> None:
        """402, and the invoice stays open with its attempt counted."""
        price = await sandbox.a_price(unit_amount=1000)
        card = {"default_payment_method": "pm_card_chargeCustomerFail"}
        customer = await sandbox.a_customer(invoice_settings=card)
        invoice = (await sandbox.a_subscription(customer.id, {"price": price.id})).latest_invoice

        with pytest.raises(stripe.CardError) as declined:
            await sandbox.v1.invoices.pay_async(invoice)

        left = await sandbox.v1.invoices.retrieve_async(invoice)
        assert (declined.value.code, left.status, left.attempt_count) == ("card_declined", "open", 1)


class TestLines:
    async def test_are_cut_on_the_invoice_and_paged_in_the_list(self, sandbox: Driver) -> None:
        """Twelve tiers: ten lines come with the invoice, all by the list."""
        meter = await sandbox.a_meter()
        tiers = [{"up_to": n, "unit_amount": n} for n in range(1, 12)] + [{"up_to": "inf", "unit_amount": 12}]
        price = await sandbox.a_price(meter.id, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
        customer = await sandbox.a_customer()
        await sandbox.a_subscription(customer.id, {"price": price.id})
        await sandbox.use(customer.id, "12")
        await sandbox.advance("2026-11-01T00:00:00Z")

        (invoice,) = await sandbox.invoices(customer.id)
        page = await sandbox.v1.invoices.line_items.list_async(invoice.id, {"limit": 5})
        amounts = [line.amount async for line in page.auto_paging_iter()]

        assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
        assert amounts == list(range(1, 13))
        assert invoice.total == 78
