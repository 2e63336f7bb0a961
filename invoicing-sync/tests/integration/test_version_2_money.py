"""Contracts of version 2 in other currencies, priced by us alone, by the year, and backdated; amounts are by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, a_document, clause, metered, seats
from event_schemas.times import iso, month_after
from invoicing_sync.testing import START, a_charge

pytestmark = [pytest.mark.integration, pytest.mark.slow]
NOVEMBER, SEPTEMBER = START.replace(month=11), START.replace(month=9)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TENTH = START + 10 * DAY  # 21 of 31 days are left


def sold(
    customer: str, *items: dict[str, Any], currency: str = "USD", begin: datetime = START, **fields: Any
) -> dict[str, Any]:
    """What a customer has agreed to from an instant on."""
    billing = {"at": iso(begin), "agreed_in": 1, "name": customer, "issuer": fields.pop("issuer", "settled-us")}
    policy = {"at": iso(begin), "agreed_in": 1, "policy": {"version": "standard-1"}, "charges": ["resolution"]}
    return a_document(
        customer=customer,
        currency=currency,
        billing_anchor=iso(begin),
        history=[a_change(agreed_at=iso(begin - DAY), effective_at=iso(begin))],
        billing=[billing | {"billing_email": f"billing@{customer}.example"}],
        policies=[policy],
        items=[{**item, "currency": currency} for item in items],
        **fields,
    )


def counted(price: str, *quantities: tuple[datetime, int], **fields: Any) -> dict[str, Any]:
    """Seats by the instant."""
    (begin, _), *_ = quantities
    item = seats(1, price=price, **{"from": iso(begin)}, **fields)
    return item | {"quantities": [{"at": iso(at), "quantity": many, "agreed_in": 1} for at, many in quantities]}


def resolutions(price: Any, begin: datetime = START) -> dict[str, Any]:
    return metered(price=price, **{"from": iso(begin)})


def graduated(first: str, then: str) -> dict[str, Any]:
    return {"scheme": "graduated", "tiers": [{"up_to": 10, "unit_price": first}, {"unit_price": then}]}


def off(key: str, **fields: Any) -> dict[str, Any]:
    return clause(key, **{"from": iso(START)}, **fields)


def used(world: Any, customers: Iterable[str], at: datetime, quantity: int) -> list[Any]:
    base = world.seq
    return [
        a_charge(f"{who}-{at:%m%d}", seq=base + n, at=at, customer=who, quantity=str(quantity), recorded_at=world.at)
        for n, who in enumerate(customers, start=1)
    ]


async def issued(world: Any, customer: str) -> dict[str, int]:
    """Totals of what was sent, by billing day."""
    invoices = (await world.ask("/v1/invoices", customer=customer, limit=100))["invoices"]
    return {one["period_end"][:10]: one["total_minor"] for one in invoices if one["released_at"]}


async def lines(world: Any, customer: str, day: str) -> list[tuple[str, str, int]]:
    invoices = (await world.ask("/v1/invoices", customer=customer, limit=100))["invoices"]
    [invoice] = [one for one in invoices if one["period_end"][:10] == day]
    assert [line for line in invoice["lines"] if line["amount_minor"] and not line["why"]] == []
    return sorted((one["kind"], one["item"], one["amount_minor"]) for one in invoice["lines"] if one["amount_minor"])


async def by_ours(world: Any, customer: str) -> set[str]:
    """The kinds of lines that items of ours carry on the invoices at Stripe, by their natural keys."""
    stripe_customer = (await world.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
    invoices = (await world.stripe("/v1/invoices", customer=stripe_customer, limit=100))["data"]
    keys = [line["metadata"].get("settled_key") for one in invoices for line in one["lines"]["data"]]
    return {key.split("/")[0] for key in keys if key}


async def test_a_month_in_yen_and_dinars_and_priced_by_us_and_backdated_comes_to_what_was_agreed(world: Any) -> None:
    """Two more seats on the tenth day, twelve resolutions, discounts; seven customers on one line."""
    await world.start_door(USAGE_LINES="settled-ie=explicit")
    cents = [counted("39", (START, 3), (TENTH, 5)), resolutions(graduated("1.005", "0.333"))]
    tenth_off = {"discounts": [off("tenth", scope="item", item="resolution", percent="10")]}
    for document in (
        sold(
            *("yen", counted("5800", (START, 3), (TENTH, 5)), resolutions(graduated("148.5", "99.25"))),
            currency="JPY",
            discounts=[off("eighth", scope="item", item="seat", percent="12.5")],
        ),
        sold(
            *("dinar", counted("12.345", (START, 2), (TENTH, 3))),
            resolutions(graduated("0.33335", "0.12345")),
            currency="KWD",
            discounts=[off("one", scope="invoice", amount={"minor": 1000, "currency": "KWD"})],
        ),
        sold("ours", *cents, issuer="settled-ie", **tenth_off),
        sold("stripes", *cents, **tenth_off),
    ):
        await world.apply_document(document)
    await world.quiet(START)
    await world.move(START + 2 * DAY)
    everybody = ("yen", "dinar", "ours", "stripes", "late", "older", "yearly")
    await world.rate(*used(world, everybody, START + DAY, 12))
    await world.rate(*used(world, ["older"], SEPTEMBER + 19 * DAY, 5))
    await world.move(START + 5 * DAY)
    await world.apply_document(sold("late", counted("39", (START, 3), (TENTH, 4)), resolutions("0.99")))
    year = counted("348", (START, 2), key="year", rhythm="year")
    await world.apply_document(sold("yearly", year, resolutions("0.99")))
    older = [counted("39", (SEPTEMBER, 3)), resolutions("0.99", SEPTEMBER)]
    await world.apply_document(sold("older", *older, begin=SEPTEMBER))
    await world.quiet(START + 5 * DAY)
    await world.move(TENTH)
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    # 3 × 5800 = 17400, of which 21/31 are 11787.10 back and of 29000 19645.16 to pay; an eighth off 36858 is 4607.25
    assert await lines(world, "yen", "2026-11-01") == [
        ("advance", "seat", 29_000),
        ("discount", "seat", -4_607),
        ("proration", "seat", -11_787),
        ("proration", "seat", 19_645),
        ("usage", "resolution", 199),
        ("usage", "resolution", 1_485),
    ]
    assert await issued(world, "yen") == {"2026-10-01": 17_400 - 2_175, "2026-11-01": 33_935}
    # in fils: 24690 × 21/31 = 16725.48 back, 37035 × 21/31 = 25088.23 to pay, 10 × 333.35 and 2 × 123.45, a dinar off
    assert await issued(world, "dinar") == {
        "2026-10-01": 23_690,
        "2026-11-01": 37_035 - 16_725 + 25_088 + 3_334 + 247 - 1_000,
    }
    same = [
        ("advance", "seat", 19_500),
        ("discount", "resolution", -107),
        ("proration", "seat", -7_926),
        ("proration", "seat", 13_210),
        ("usage", "resolution", 67),
        ("usage", "resolution", 1_005),
    ]
    assert [await lines(world, who, "2026-11-01") for who in ("ours", "stripes")] == [same, same]
    assert [await issued(world, who) for who in ("ours", "stripes")] == [
        {"2026-10-01": 11_700, "2026-11-01": 25_749}
    ] * 2
    assert [await by_ours(world, who) for who in ("ours", "stripes")] == [{"usage", "discount"}, {"discount"}]
    # Stripe did not bill October ahead, so the fourth seat's part of it is an item of ours
    assert await lines(world, "late", "2026-11-01") == [
        ("advance", "seat", 15_600),
        ("proration", "seat", -7_926),
        ("proration", "seat", 10_568),
        ("usage", "resolution", 1_188),
    ]
    assert await by_ours(world, "late") == {"proration"}
    assert await issued(world, "late") == {"2026-11-01": 19_430}
    # nor does it count years from October: the one that it begins in November is taken back
    assert (await issued(world, "yearly"), await by_ours(world, "yearly")) == ({"2026-11-01": 1_188}, {"taken_back"})
    assert await issued(world, "older") == {"2026-11-01": 11_700 + 1_188}  # September is before what is billed here
    [before] = await world.ask("/v1/corrections", customer="older")
    assert (before["entry_id"], before["meter"]) == ("older-0920", "resolution")
    cases = await world.ask("/v1/cases")
    assert sorted((one["kind"], one["customer"], one["detail"]["billing_anchor"][:10]) for one in cases) == [
        ("first_period_not_billed_in_advance", "late", "2026-10-01"),
        ("first_period_not_billed_in_advance", "older", "2026-09-01"),
        ("first_period_not_billed_in_advance", "yearly", "2026-10-01"),
    ]
    for who in everybody:
        plan = await world.ask(f"/v1/contracts/{who}/plan")
        assert [one for one in plan["operations"] if one["state"] == "to_do"] == plan["findings"] == []


async def test_a_yearly_item_beside_monthly_ones_is_billed_once_a_year_and_again_on_its_renewal(world: Any) -> None:
    """A third seat on 11 April: 173 of 365 days are left, 329.88 of two back and 494.83 of three to pay."""
    april = START.replace(year=2027, month=4) + 10 * DAY
    await world.start_door()
    since = {"from": iso(START)}
    await world.apply_document(
        sold(
            *("acme", counted("348", (START, 2), (april, 3), key="yearly", rhythm="year")),
            *(seats(3, key="copilot", price="20", **since), resolutions("0.99")),
        )
    )
    await world.quiet(START)
    for number in range(1, 14):
        end = month_after(START, number)
        if world.at < april < end:
            await world.move(april)
        await world.move(end)
        await world.move(end + 32 * MINUTE)

    days = [month_after(START, number) for number in range(14)]
    assert await issued(world, "acme") == {
        f"{day:%Y-%m-%d}": {0: 69_600, 7: 49_483 - 32_988, 12: 104_400}.get(number, 0) + 6_000
        for number, day in enumerate(days)
    }
    assert await lines(world, "acme", "2027-10-01") == [("advance", "copilot", 6_000), ("advance", "yearly", 104_400)]
    assert await by_ours(world, "acme") == set()
    assert await world.ask("/v1/cases") == []
