"""The life of a contract of version 2: a trial, an end in mid-month, a person's edit, a repeated record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, clause, metered, seats
from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge, agreed

pytestmark = pytest.mark.integration
NOVEMBER, DECEMBER = START.replace(month=11), START.replace(month=12)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


async def use(world: Any, *days: datetime) -> None:
    base = world.seq
    for number, day in enumerate(days, start=1):
        if day > world.at:
            await world.move(day)
        await world.rate(a_charge(f"e{base + number}", seq=base + number, at=day))
    await world.move(days[-1] + MINUTE)


async def totals(world: Any) -> list[tuple[str, int]]:
    """Of each invoice that was issued, by its billing day."""
    invoices = (await world.ask("/v1/invoices", customer="acme", limit=100))["invoices"]
    return sorted((one["period_end"][:10], one["total_minor"]) for one in invoices if one["released_at"])


async def test_a_trial_bills_what_is_above_its_allowance_when_it_ends(world: Any) -> None:
    await world.start_door()
    until = START + 14 * DAY
    allowance = {"key": "first", "meter": "resolution", "quantity": 2}
    trial = {"from": iso(START), "until": iso(until), "allowances": [allowance]}
    await world.apply_document(agreed(anchor=until, trial=trial))
    await world.quiet(START)
    await use(world, *(START + n * DAY for n in range(1, 6)))
    await world.move(until)
    await world.move(until + 32 * MINUTE)
    await use(world, until + DAY)
    end = until.replace(month=11)
    await world.move(end)
    await world.move(end + 32 * MINUTE)

    assert await world.ask("/v1/cases") == []
    assert await totals(world) == [("2026-10-15", 11700 + 297), ("2026-11-15", 11700 + 99)]


async def test_a_contract_that_ends_in_mid_month_gives_back_the_rest_and_has_no_further_invoice(world: Any) -> None:
    await world.start_door()
    until, since = START + 10 * DAY, {"from": iso(START)}
    ends = {"until": iso(until), "until_agreed_in": 2, "earlier_untils": [{"agreed_in": 1}]}
    document = agreed()
    await world.apply_document(document)
    await world.quiet(START)
    await use(world, START + DAY)
    items = [seats(3, **since, **ends), metered(**since, **ends)]
    history = [a_change(1), a_change(2)]
    await world.apply_document(document | {"revision": 2, "history": history, "items": items})
    await world.move(until)
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)
    await world.move(DECEMBER + 32 * MINUTE)

    assert await world.ask("/v1/cases") == []
    assert await totals(world) == [("2026-10-01", 11700), ("2026-11-01", 99 - 7926)]
    assert (await world.stripe("/v1/subscriptions", status="canceled"))["data"] != []


async def test_what_a_person_changes_on_the_subscription_holds_its_invoice_until_it_is_as_it_was(world: Any) -> None:
    await world.start_door()
    document = agreed(proration="day", discounts=[clause("d", scope="invoice", percent="5", **{"from": iso(START)})])
    await world.apply_document(document)
    await world.quiet(START)
    await use(world, START + DAY)
    before = await world.rows("SELECT count(*) FROM invoicing.operations")
    await world.apply_document(document)
    await world.move(START + 3 * DAY)
    after = await world.rows("SELECT count(*) FROM invoicing.operations")
    await world.move(NOVEMBER)
    [subscription] = (await world.stripe("/v1/subscriptions"))["data"]
    [seat] = [item["id"] for item in subscription["items"]["data"] if "quantity" in item]
    await world.stripe_post(f"/v1/subscription_items/{seat}", quantity="9", proration_behavior="none")
    await world.stripe_post("/v1/coupons", id="ten-off", percent_off="10", duration="forever")
    given = {"discounts[0][coupon]": "ten-off"}
    assert (await world.stripe_post(f"/v1/subscriptions/{subscription['id']}", **given)).status_code == 200
    await world.move(NOVEMBER + 32 * MINUTE)
    [held] = await world.ask("/v1/cases")
    await world.stripe_post(f"/v1/subscription_items/{seat}", quantity="3", proration_behavior="none")
    await world.stripe_post(f"/v1/subscriptions/{subscription['id']}", discounts="")
    await world.until(lambda: nothing_open(world))

    assert before == after
    assert (held["kind"], held["detail"]["problems"]) == (
        "invoice_held",
        [
            "seat has the quantity 9 at Stripe, and was told 3",
            "the subscription has a discount at Stripe that nobody agreed: ten-off",
        ],
    )
    assert await totals(world) == [("2026-10-01", 11115), ("2026-11-01", 11209)]


async def nothing_open(world: Any) -> bool:
    return not await world.ask("/v1/cases")
