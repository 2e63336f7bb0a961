"""Contracts of version 2 through the running door: made by their plan, changed in time, billed to the cent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, clause, metered, seats
from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge, a_contract, agreed

pytestmark = pytest.mark.integration
NOVEMBER, DECEMBER = START.replace(month=11), START.replace(month=12)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FROM = {"from": iso(START)}
TIERS = {"scheme": "graduated", "tiers": [{"up_to": 3, "unit_price": "1"}, {"unit_price": "0.5"}]}


def revised(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    revision = document["revision"] + 1
    history = [*document["history"], a_change(revision)]
    return document | {"revision": revision, "history": history} | fields


def counted(*quantities: tuple[datetime, int, int]) -> list[dict[str, Any]]:
    return [{"at": iso(at), "quantity": many, "agreed_in": revision} for at, many, revision in quantities]


async def use(world: Any, days: list[datetime], *, customer: str = "acme", meter: str = "resolution") -> None:
    """One unit a day, told in order of time."""
    base = world.seq
    for number, day in enumerate(days, start=1):
        if day > world.at:
            await world.move(day)
        name = f"{customer}-{meter}-{base + number}"
        await world.rate(a_charge(name, seq=base + number, at=day, customer=customer, meter=meter))
    await world.move(days[-1] + MINUTE)


async def billed(world: Any, at: datetime, customer: str = "acme") -> dict[str, Any]:
    """The invoice of a billing day, with nothing held."""
    invoices = (await world.ask("/v1/invoices", customer=customer, limit=100))["invoices"]
    cases = await world.ask("/v1/cases")
    assert cases == [], cases
    [invoice] = [
        one
        for one in invoices
        if one["billing_reason"] == "subscription_cycle" and one["period_end"] == iso(at) and one["released_at"]
    ]
    return dict(invoice)


def amounts(invoice: dict[str, Any]) -> list[tuple[str, str, int]]:
    return sorted(
        (line["kind"], line["item"], line["amount_minor"]) for line in invoice["lines"] if line["amount_minor"]
    )


async def test_a_contract_of_version_2_is_made_changed_in_mid_term_and_billed(world: Any) -> None:
    """Seats, an add-on in mid-term, graduated usage, a discount on an item; nobody has to look at anything."""
    await world.start_door()
    document = agreed(
        items=[seats(3, **FROM), metered(price=TIERS, **FROM)],
        discounts=[clause("tenth", scope="item", item="seat", percent="10", **FROM)],
    )
    await world.apply_document(document)
    await world.quiet(START)
    at = START + 10 * DAY
    await use(world, [START + n * DAY for n in range(1, 6)])
    more = seats(3, **FROM)
    more["quantities"] = counted((START, 3, 1), (at, 5, 2))
    added = seats(1, key="copilot", price="20", **{"from": iso(at)}) | {"agreed_in": 2}
    await world.apply_document(revised(document, items=[more, document["items"][1], added]))
    await world.move(at - DAY)
    await world.move(at)
    told = await world.ask("/v1/contracts/acme/plan")
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    invoice = await billed(world, NOVEMBER)

    [listed] = (await world.ask("/v1/contracts"))["contracts"]
    assert (listed["name"], listed["revision"], listed["applied_revision"]) == ("Acme", 2, 2)
    assert [one for one in told["operations"] if one["state"] == "to_do"] == told["findings"] == []
    # 21 of 31 days are left: 3 × 39 × 21/31 = 79.26 back, 5 × 39 × 21/31 = 132.10 and 20 × 21/31 = 13.55 to pay
    # a tenth off 195.00 - 79.26 + 132.10 = 247.84 is 24.78
    assert amounts(invoice) == [
        ("advance", "copilot", 2000),
        ("advance", "seat", 19500),
        ("discount", "seat", -2478),
        ("proration", "copilot", 1355),
        ("proration", "seat", -7926),
        ("proration", "seat", 13210),
        ("usage", "resolution", 100),
        ("usage", "resolution", 300),
    ]
    assert invoice["total_minor"] == 26061


async def test_what_stripe_does_not_know_goes_as_items_of_ours(world: Any) -> None:
    """Commitment, minimum, allowance and a prepaid credit over two months, of which the second draws what is left."""
    await world.start_door()
    ramp = [{"at": iso(START), "quantity": 10, "agreed_in": 1}]
    commitment = clause("c", meter="sms", unit_price="0.5", currency="USD", bill="arrears", ramp=ramp, **FROM)
    document = agreed(
        items=[metered(**FROM), metered("sms", price="1", **FROM), metered("call", price="2", **FROM)],
        allowances=[clause("a", meter="resolution", quantity=2, **FROM)],
        commitments=[commitment | {"price_version": "c/1"}],
        minimums=[clause("m", meter="call", amount={"minor": 500, "currency": "USD"}, **FROM)],
        prepaid=[clause("p", amount={"minor": 800, "currency": "USD"}, items=["call"], **FROM)],
    )
    await world.apply_document(document)
    await world.quiet(START)
    await use(world, [START + n * DAY for n in range(1, 5)])
    await use(world, [START + 5 * DAY], meter="call")
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)
    await world.move(DECEMBER)
    await world.move(DECEMBER + 32 * MINUTE)

    first, second = [await billed(world, day) for day in (NOVEMBER, DECEMBER)]

    assert amounts(first) == [
        ("commitment", "sms", 500),
        ("credit_drawdown", "call", -500),
        ("shortfall", "call", 300),
        ("usage", "call", 200),
        ("usage", "resolution", 198),
    ]
    assert amounts(second) == [
        ("commitment", "sms", 500),
        ("credit_drawdown", "call", -300),
        ("shortfall", "call", 500),
    ]
    assert (first["total_minor"], second["total_minor"]) == (698, 700)


@pytest.mark.parametrize("answer", ["billed", "as_asked"])
async def test_a_plan_switch_in_mid_month_bills_each_unit_at_the_price_of_its_instant(world: Any, answer: str) -> None:
    """Also units that are told after the switch and were used before it; whatever Stripe bills of an item that goes."""
    await world.http.post(f"{world.sandbox_url}/_sandbox/answers", json={"gone_usage": answer})
    await world.start_door()
    at = START + 10 * DAY
    document = agreed()
    await world.apply_document(document)
    await world.quiet(START)
    await use(world, [START + n * DAY for n in range(1, 4)])
    gone = seats(3, until=iso(at), until_agreed_in=2, earlier_untils=[{"agreed_in": 1}], **FROM)
    ended = metered(until=iso(at), until_agreed_in=2, earlier_untils=[{"agreed_in": 1}], **FROM)
    new = {"from": iso(at), "agreed_in": 2}
    items = [gone, ended, seats(3, key="expert", price="99", **new), metered(key="cheaper", price="0.5", **new)]
    items[2]["quantities"][0]["agreed_in"] = 2
    await world.apply_document(revised(document, items=items))
    await world.move(at)
    late = a_charge("late", seq=world.seq + 1, at=at - DAY, recorded_at=at)
    await world.rate(late)
    await use(world, [at + n * DAY for n in range(1, 3)])
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    invoice = await billed(world, NOVEMBER)

    # 4 × 0.99 and 2 × 0.50; 3 × 39 × 21/31 back and 3 × 99 × 21/31 to pay; 3 × 99 ahead
    assert invoice["total_minor"] == 396 + 100 - 7926 + 20119 + 29700


async def test_a_customer_of_version_1_goes_on_in_version_2(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await use(world, [START + DAY])
    at = START + 10 * DAY
    item = seats(3, key="seat", product="essential_seat", **FROM)
    item["quantities"] = counted((START, 3, 1), (at, 4, 2))
    await world.apply_document(revised(agreed(items=[item, metered(**FROM)])))
    await world.move(at)
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    invoice = await billed(world, NOVEMBER)

    assert amounts(invoice) == [
        ("advance", "essential_seat", 15600),
        ("proration", "essential_seat", -7926),
        ("proration", "essential_seat", 10568),
        ("usage", "resolution", 99),
    ]
