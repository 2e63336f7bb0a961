"""Every scheme, interval and currency on an invoice, by the official SDK; amounts are computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from sandbox.testing import NOVEMBER, OCTOBER, Driver

DECEMBER, NEXT_OCTOBER = 1_796_083_200, 1_822_348_800
TIERS = [{"up_to": 10, "unit_amount": 100, "flat_amount": 500}, {"up_to": "inf", "unit_amount_decimal": "50.5"}]


async def billed(sandbox: Driver, used: str, **price: Any) -> list[tuple[str, int]]:
    """The lines of October's usage at a price: quantity and amount."""
    meter = await sandbox.a_meter()
    scheme = await sandbox.a_price(meter.id, **price)
    customer = await sandbox.a_customer()
    await sandbox.a_subscription(customer.id, {"price": scheme.id})
    if used != "0":
        await sandbox.use(customer.id, used)
    await sandbox.quiet()
    await sandbox.advance("2026-11-01T00:00:00Z")
    (invoice,) = await sandbox.invoices(customer.id)
    return [(str(line.quantity_decimal), line.amount) for line in invoice.lines.data]


@pytest.mark.parametrize(
    ("used", "price", "lines"),
    [
        ("11", {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS}, [("11", 556)]),
        ("9", {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS}, [("9", 900), ("1", 500)]),
        ("0", {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": TIERS}, [("0", 0)]),
        ("101", {"unit_amount": 500, "transform_quantity": {"divide_by": 100, "round": "up"}}, [("101", 1000)]),
        ("101", {"unit_amount": 500, "transform_quantity": {"divide_by": 100, "round": "down"}}, [("101", 500)]),
        ("7", {"unit_amount_decimal": "0"}, [("7", 0)]),
        ("7", {"unit_amount_decimal": "0.3", "currency": "jpy"}, [("7", 2)]),
        ("418", {"unit_amount": 305, "currency": "kwd"}, [("418", 127_490)]),
    ],
)
async def test_usage_is_priced_by_each_scheme(
    sandbox: Driver, used: str, price: dict[str, Any], lines: list[tuple[str, int]]
) -> None:
    assert await billed(sandbox, used, **price) == lines


async def test_what_no_text_decides_goes_by_the_switch(sandbox: Driver) -> None:
    """A flat fee without usage is charged, a line in dinars is rounded to ten fils."""
    await sandbox.control("POST", "answers", flat_at_zero="charged", three_decimals="tens")

    fee = await billed(sandbox, "0", billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)
    await sandbox.control("POST", "reset")
    await sandbox.control("POST", "answers", three_decimals="tens")
    await sandbox.advance("2026-10-01T00:00:00Z")
    stepped = await billed(sandbox, "3", unit_amount=305, currency="kwd")

    assert (fee, stepped) == ([("0", 0), ("1", 500)], [("3", 920)])


async def test_a_package_price_takes_no_tiers(sandbox: Driver) -> None:
    package = {"divide_by": 10, "round": "up"}

    with pytest.raises(stripe.InvalidRequestError, match="transform_quantity"):
        await sandbox.a_price(
            billing_scheme="tiered", tiers_mode="volume", tiers=TIERS, transform_quantity=package, currency="usd"
        )


class TestSeveralIntervals:
    async def test_are_billed_each_at_its_own_time_on_one_subscription(self, sandbox: Driver) -> None:
        """A yearly seat of 1,200.00 and a monthly add-on of 10.00: together at first, alone in November."""
        yearly = await sandbox.a_price(unit_amount=120_000, recurring={"interval": "year"})
        monthly = await sandbox.a_price(unit_amount=1000)
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(customer.id, {"price": yearly.id}, {"price": monthly.id})

        await sandbox.advance("2026-11-01T00:00:00Z")

        second, first = await sandbox.invoices(customer.id)
        assert [line.amount for line in first.lines.data] == [1000, 120_000]
        assert [line.amount for line in second.lines.data] == [1000]
        assert (second.period_start, second.period_end) == (OCTOBER, NOVEMBER)
        after = await sandbox.v1.subscriptions.retrieve_async(made.id)
        periods = [(item.current_period_start, item.current_period_end) for item in after["items"].data]
        assert periods == [(OCTOBER, NEXT_OCTOBER), (NOVEMBER, DECEMBER)]

    async def test_meet_again_on_one_invoice_and_end_with_the_longest(self, sandbox: Driver) -> None:
        """A quarter and a month: January's invoice has both; cancelled at the end, it ends with the quarter."""
        quarterly = await sandbox.a_price(unit_amount=3000, recurring={"interval": "month", "interval_count": 3})
        monthly = await sandbox.a_price(unit_amount=1000)
        customer = await sandbox.a_customer()
        made = await sandbox.a_subscription(customer.id, {"price": quarterly.id}, {"price": monthly.id})

        await sandbox.advance("2027-01-01T00:00:00Z")
        await sandbox.v1.subscriptions.update_async(made.id, {"cancel_at_period_end": True})
        await sandbox.advance("2027-06-01T00:00:00Z")

        totals = [invoice.total for invoice in await sandbox.invoices(customer.id)]
        after = await sandbox.v1.subscriptions.retrieve_async(made.id)
        assert totals == [1000, 1000, 4000, 1000, 1000, 4000]
        assert (after.status, after.ended_at, after.cancel_at) == ("canceled", 1_806_537_600, 1_806_537_600)

    async def test_are_refused_in_classic_mode(self, sandbox: Driver) -> None:
        yearly = await sandbox.a_price(unit_amount=120_000, recurring={"interval": "year"})
        monthly = await sandbox.a_price(unit_amount=1000)
        customer = await sandbox.a_customer()

        with pytest.raises(stripe.InvalidRequestError, match="same interval"):
            await sandbox.a_subscription(
                customer.id, {"price": yearly.id}, {"price": monthly.id}, billing_mode={"type": "classic"}
            )
