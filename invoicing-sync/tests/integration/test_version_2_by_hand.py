"""Contracts of version 2 whose invoices were computed by hand, line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, a_document, clause, metered, seats
from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge

pytestmark = pytest.mark.integration
NOVEMBER, DECEMBER = START.replace(month=11), START.replace(month=12)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
BEGIN = {"from": iso(START)}


def a_sold(**fields: Any) -> dict[str, Any]:
    """A contract from the world's start on, with an address."""
    billing = {"at": iso(START), "agreed_in": 1, "name": "Acme Ltd", "issuer": "settled-us"}
    policy = {"at": iso(START), "agreed_in": 1, "policy": {"version": "standard-1"}, "charges": ["resolution"]}
    document = a_document(
        billing_anchor=iso(START),
        history=[a_change(agreed_at=iso(START - DAY), effective_at=iso(START))],
        billing=[billing | {"billing_email": "billing@acme.example"}],
        policies=[policy],
        items=[seats(**BEGIN), metered(**BEGIN)],
    )
    return document | fields


async def invoices(world: Any, customer: str = "acme") -> list[tuple[str, int]]:
    """Billing day and total of what was issued."""
    found = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    return sorted((one["period_end"][:10], one["total_minor"]) for one in found if one["released_at"])


async def lines(world: Any, day: str) -> list[tuple[str, str, str, int]]:
    found = (await world.ask("/v1/invoices", customer="acme"))["invoices"]
    [invoice] = [one for one in found if one["period_end"][:10] == day]
    unexplained = [line for line in invoice["lines"] if line["amount_minor"] and not line["why"]]
    assert unexplained == []
    told = [(line["kind"], line["item"], line["quantity"], line["amount_minor"]) for line in invoice["lines"]]
    return sorted(line for line in told if line[3])


async def used(world: Any, at: Any, count: int, **changes: Any) -> None:
    """So many resolutions at an instant that is now past."""
    await world.move(at + DAY)
    await world.rate(a_charge(f"used-{at:%m%d}", seq=world.seq + 1, at=at, quantity=str(count), **changes))
    await world.move(at + DAY + MINUTE)


async def test_what_is_sold_is_billed_to_the_cent_with_its_reasons(world: Any) -> None:
    """By hand: 15 of 31 days left for the third seat; 90 units beyond the allowance, less 10 %, less the credit."""
    third = iso(START + 16 * DAY)
    quantities = [{"at": iso(START), "quantity": 2, "agreed_in": 1}, {"at": third, "quantity": 3, "agreed_in": 1}]
    await world.start_door()
    await world.apply_document(
        a_sold(
            items=[seats(**BEGIN) | {"quantities": quantities}, metered(**BEGIN)],
            allowances=[clause("ten", meter="resolution", quantity=10, **BEGIN)],
            discounts=[clause("tenth", scope="item", item="resolution", percent="10", **BEGIN)],
            prepaid=[clause("credit", amount={"minor": 2000, "currency": "USD"}, **BEGIN)],
        )
    )
    await world.quiet(START)
    await used(world, START + DAY, 100)
    await world.move(START + 16 * DAY)
    running = await world.ask("/v1/customers/acme/running")
    assert running["total_minor"] == 19_606  # as the invoice below: discount, proration and credit are in it
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    assert await lines(world, "2026-11-01") == [
        ("advance", "seat", "3", 11_700),
        ("credit_drawdown", "resolution", "1", -2_000),
        ("discount", "resolution", "1", -891),
        ("proration", "seat", "2", -3_774),
        ("proration", "seat", "3", 5_661),
        ("usage", "resolution", "90", 8_910),
    ]
    await used(world, NOVEMBER + DAY, 12)
    await world.move(DECEMBER)
    await world.move(DECEMBER + 32 * MINUTE)

    assert await invoices(world) == [("2026-10-01", 7_800), ("2026-11-01", 19_606), ("2026-12-01", 11_700 + 198 - 20)]
    assert await world.ask("/v1/cases") == []
    plan = await world.ask("/v1/contracts/acme/plan")
    assert ([one["key"] for one in plan["operations"] if one["state"] == "to_do"], plan["findings"]) == ([], [])


async def test_a_later_revision_bills_another_meter_and_ends_the_contract(world: Any) -> None:
    """What it prices for the first time is counted from then on; its last invoice ends the subscription."""
    await world.start_door()
    await world.apply_document(a_sold())
    await world.quiet(START)
    await world.move(START + DAY)
    later = {"agreed_in": 2, "from": iso(START + 2 * DAY)}
    end = {"until": iso(NOVEMBER)}
    moved = end | {"until_agreed_in": 2, "earlier_untils": [{"agreed_in": 1, "until": None}]}
    change = a_change(2, agreed_at=iso(START + DAY), effective_at=iso(START + 2 * DAY), actor="anna", channel="console")
    await world.apply_document(
        a_sold(
            revision=2,
            history=[a_change(agreed_at=iso(START - DAY), effective_at=iso(START)), change],
            items=[
                seats(**BEGIN) | moved,
                metered(**BEGIN) | moved,
                metered("sms_segment", price="0.06") | later | end,
            ],
        )
    )
    await used(world, START + 3 * DAY, 50, meter="sms_segment")
    await world.move(NOVEMBER)
    await world.move(NOVEMBER + 32 * MINUTE)

    assert await lines(world, "2026-11-01") == [("usage", "sms_segment", "50", 300)]
    assert await invoices(world) == [("2026-10-01", 7_800), ("2026-11-01", 300)]
    contract = await world.ask("/v1/contracts/acme")
    subscription = await world.stripe(f"/v1/subscriptions/{contract['stripe_subscription']}")
    assert subscription["status"] == "canceled"
    await world.move(DECEMBER + 32 * MINUTE)
    assert len(await invoices(world)) == 2
    assert await world.ask("/v1/cases") == []


async def test_a_trial_bills_what_is_beyond_its_units_on_the_anchor(world: Any) -> None:
    """Free until the 15th with 20 resolutions; five more at 0.99, and two seats from then on."""
    anchor = START + 14 * DAY
    units = [{"key": "trial-units", "meter": "resolution", "quantity": 20}]
    await world.start_door()
    await world.apply_document(
        a_sold(billing_anchor=iso(anchor), trial={"from": iso(START), "until": iso(anchor), "allowances": units})
    )
    await world.quiet(START)
    await used(world, START + DAY, 25)
    await world.move(anchor)
    await world.move(anchor + 32 * MINUTE)

    assert await lines(world, "2026-10-15") == [("advance", "seat", "2", 7_800), ("usage", "resolution", "5", 495)]
    assert await world.ask("/v1/cases") == []
