"""`USAGE_LINES=explicit`: Stripe counts at price zero, and the amounts are invoice items of ours, put there once."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contracts import GraduatedPrice, MeteredPrice, Tier
from event_schemas.times import month_after
from invoicing_sync.gaps import GAPS
from invoicing_sync.testing import START, a_charge, a_contract

END = START.replace(month=11)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SIGKILL = -9
GRADUATED = MeteredPrice(
    meter="resolution",
    price=GraduatedPrice(
        scheme="graduated", tiers=(Tier(up_to=2, unit_price="1.005"), Tier(up_to=None, unit_price="0.333"))
    ),
)
EXPLICIT = {"USAGE_LINES": "settled-ie=explicit"}


def told(invoice: Any) -> list[tuple[str, str, str, int]]:
    return sorted((line["kind"], line["item"], line["quantity"], line["amount_minor"]) for line in invoice["lines"])


async def of_cycle(world: Any, customer: str) -> Any:
    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [invoice] = [one for one in invoices if one["billing_reason"] == "subscription_cycle"]
    return invoice


async def used_five(world: Any, *customers: str) -> None:
    """Five units each, and the month's end."""
    await world.move(START + 3 * DAY)
    await world.rate(
        *(
            a_charge(f"{customer}-{n}", seq=5 * place + n, at=START + DAY, customer=customer)
            for place, customer in enumerate(customers)
            for n in range(1, 6)
        )
    )
    await world.move(START + 4 * DAY)
    await world.move(END)


@pytest.mark.integration
async def test_a_month_comes_to_the_same_lines_whoever_prices_its_usage(world: Any) -> None:
    """Two tiers whose amounts do not come out even, the same usage, one issuer each way."""
    await world.start_door(**EXPLICIT)
    ours = a_contract("ours", issuer="settled-ie", metered=(GRADUATED,))
    theirs = a_contract("theirs", issuer="settled-us", metered=(GRADUATED,))
    await world.apply(ours, theirs)
    await world.quiet(START)
    await used_five(world, "ours", "theirs")

    await world.move(END + 32 * MINUTE)

    mine, stripes = [await of_cycle(world, who) for who in ("ours", "theirs")]
    assert (mine["status"], stripes["status"]) == ("open", "open")
    assert mine["total_minor"] == stripes["total_minor"] == 11700 + 201 + 100
    billing = [line for line in told(mine) if line[3]]
    assert billing == [line for line in told(stripes) if line[3]]
    assert billing == [
        ("advance", "essential_seat", "3", 11700),
        ("usage", "resolution", "2", 201),
        ("usage", "resolution", "3", 100),
    ]
    whys = [line["why"]["formula"] for line in mine["lines"] if line["kind"] == "usage" and line["amount_minor"]]
    assert sorted(whys) == ["2 × 1.005", "3 × 0.333"]
    [first, *_] = [line for line in mine["lines"] if line["kind"] == "usage" and line["amount_minor"]]
    behind = (await world.ask(f"/v1/invoices/{mine['id']}/lines/{first['id']}/entries"))["entries"]
    assert sorted(entry["entry_id"] for entry in behind) == [f"ours-{n}" for n in range(1, 6)]
    assert await world.ask("/v1/cases") == []
    for who in ("ours", "theirs"):
        plan = await world.ask(f"/v1/contracts/{who}/plan")
        assert ([one["key"] for one in plan["operations"] if one["state"] == "to_do"], plan["findings"]) == ([], [])


@pytest.mark.integration
async def test_an_item_that_a_person_changed_or_took_off_holds_its_invoice_until_that_is_mended(world: Any) -> None:
    """Both were put onto their drafts before; then the person came."""
    await world.start_door(USAGE_LINES="explicit")
    await world.apply(a_contract("changed"), a_contract("removed"))
    await world.quiet(START)
    await used_five(world, "changed", "removed")
    items = {who: await put_before(world, who, amount_minor=495) for who in ("changed", "removed")}
    assert (await world.stripe_post(f"/v1/invoiceitems/{items['changed']}", amount="1")).status_code == 200
    await world.stripe_delete(f"/v1/invoiceitems/{items['removed']}")

    await world.move(END + 32 * MINUTE)

    cases = {case["customer"]: case for case in await world.ask("/v1/cases")}
    assert {who: case["detail"]["probably"] for who, case in cases.items()} == {
        "changed": ["the invoice item usage/resolution/1 was changed by hand"],
        "removed": ["the invoice item usage/resolution/1 was removed by hand; close the case to have it back"],
    }

    assert (await world.stripe_post(f"/v1/invoiceitems/{items['changed']}", amount="495")).status_code == 200
    closed = await world.http.post(
        f"{world.door_url}/v1/cases/{cases['removed']['id']}/close", json={"reason": "deleted by mistake"}
    )
    assert closed.status_code == 200, closed.text
    await world.until(lambda: issued(world, "changed", "removed"))
    assert [(await of_cycle(world, who))["total_minor"] for who in ("changed", "removed")] == [11700 + 495] * 2
    assert await world.ask("/v1/cases") == []


async def issued(world: Any, *customers: str) -> bool:
    return all([(await of_cycle(world, who))["released_at"] is not None for who in customers])


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("gap", sorted(gap for gap in GAPS if gap.startswith("item-")))
async def test_a_door_that_dies_in_the_gap_puts_no_item_twice_and_loses_none(long_world: Any, gap: str) -> None:
    """
    Where one is to be taken off, it stands on the draft since before, for another amount: as by an expectation that has
    changed since.
    """
    world, customer = long_world, gap
    start, end = world.at, month_after(world.at, 1)
    world.may_die, world.deaths = True, []
    world.stop_door(signal.SIGKILL)
    await world.start_door(USAGE_LINES="explicit")
    await world.apply(a_contract(customer, billing_anchor=start))
    await world.quiet(start)
    await world.step(start + 2 * DAY)
    seq = world.seq
    await world.rate(*(a_charge(f"{gap}-{n}", seq=seq + n, at=start + DAY, customer=customer) for n in (1, 2)))
    await world.move(start + 3 * DAY)
    await world.move(end)
    if "take" in gap:
        await put_before(world, customer, amount_minor=77)
    world.stop_door()
    await world.start_door(USAGE_LINES="explicit", SETTLED_FAILPOINT=f"invoicing-sync.{gap}")

    await world.move(end + 32 * MINUTE)

    assert world.deaths == [SIGKILL], f"the door never reached {gap}: {world.door_said()}"
    invoice = await of_cycle(world, customer)
    assert (invoice["status"], invoice["total_minor"]) == ("open", 11700 + 198)
    assert [line for line in told(invoice) if line[0] == "usage" and line[3]] == [("usage", "resolution", "2", 198)]
    assert await world.ask("/v1/cases") == []


async def put_before(world: Any, customer: str, *, amount_minor: int) -> str:
    """An item of ours on the draft, and the row that says that it was put there; its id."""
    draft = await of_cycle(world, customer)
    stripe_customer = (await world.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
    params = {"customer": stripe_customer, "invoice": draft["id"], "amount": str(amount_minor), "currency": "usd"}
    made = await world.stripe_post("/v1/invoiceitems", **params, **{"metadata[settled_key]": "usage/resolution/1"})
    assert made.status_code == 200, made.text
    await world.rows(
        "INSERT INTO invoicing.explicit_items "
        "(invoice_id, natural_key, customer, amount_minor, state, item_id, intended_at, placed_at) "
        "VALUES ($1, 'usage/resolution/1', $2, $3, 'placed', $4, $5, $5)",
        draft["id"],
        customer,
        amount_minor,
        made.json()["id"],
        world.at,
    )
    return str(made.json()["id"])
