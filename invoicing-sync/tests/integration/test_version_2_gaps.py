"""Dying in every gap of a plan that is carried out: nothing is doubled at Stripe, and no change is lost."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, a_document, metered, seats
from event_schemas.times import iso, month_after

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
SIGKILL = -9
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MADE = ("contract-stored", "operation-intended", "link-intended", "object-made", "operation-answered", "operation-done")
CHANGED = ("contract-stored", "terms-taken", "operation-intended", "operation-answered", "operation-done", "plan-noted")
DEATHS = [(gap, number, "made") for gap in MADE for number in ((1, 4) if gap.startswith("operation") else (1,))]
DEATHS += [(gap, 1, "changed") for gap in CHANGED]


@pytest.mark.parametrize(("gap", "number", "when"), DEATHS)
async def test_a_plan_that_is_cut_off_is_carried_out_once(long_world: Any, gap: str, number: int, when: str) -> None:
    """The first revision makes all, or the second one changes seats in mid-term: the door dies in one of both."""
    world = long_world
    world.months, who = world.months + 1, f"c{world.months}"
    start, at, end = world.at, world.at + 9 * DAY, month_after(world.at, 1)
    world.may_die, world.deaths = True, []
    armed = f"invoicing-sync.{gap}:{number}"
    await begun(world, armed if when == "made" else "")
    await world.apply_document(document(who, start, [(start, 3, 1)]))
    await world.quiet(start)
    await world.move(at)
    if when == "changed":
        await begun(world, armed)
    await world.apply_document(document(who, start, [(start, 3, 1), (at, 5, 2)]))
    await world.move(at + MINUTE)
    await world.move(end)
    await world.move(end + 32 * MINUTE)

    assert world.deaths == [SIGKILL], f"the door never reached {gap}, or died otherwise: {world.door_said()}"
    stripe_customer = (await world.ask(f"/v1/contracts/{who}"))["stripe_customer"]
    [subscription] = (await world.stripe("/v1/subscriptions", customer=stripe_customer))["data"]
    assert [item["quantity"] for item in subscription["items"]["data"] if "quantity" in item] == [5]
    invoices = (await world.ask("/v1/invoices", customer=who))["invoices"]
    [invoice] = [one for one in invoices if one["billing_reason"] == "subscription_cycle" and one["released_at"]]
    kinds = Counter(line["kind"] for line in invoice["lines"] if line["amount_minor"])
    assert kinds == {"advance": 1, "proration": 2}
    assert await world.ask("/v1/cases") == []
    done = await world.rows("SELECT key, count(*) FROM invoicing.operations WHERE customer = $1 GROUP BY key", who)
    assert {row["count"] for row in done} == {1}


async def begun(world: Any, armed: str) -> None:
    world.stop_door(signal.SIGKILL)
    await world.start_door(**({"SETTLED_FAILPOINT": armed} if armed else {}))


def document(who: str, start: Any, quantities: list[tuple[Any, int, int]]) -> dict[str, Any]:
    since, revision = {"from": iso(start)}, len(quantities)
    billing = {"at": iso(start), "agreed_in": 1, "name": who, "issuer": "settled-us"}
    policy = {"at": iso(start), "agreed_in": 1, "policy": {"version": "standard-1"}, "charges": []}
    item = seats(3, **since)
    item["quantities"] = [{"at": iso(at), "quantity": many, "agreed_in": one} for at, many, one in quantities]
    return a_document(
        customer=who,
        revision=revision,
        history=[a_change(number) for number in range(1, revision + 1)],
        billing_anchor=iso(start),
        billing=[billing | {"billing_email": f"billing@{who}.example"}],
        policies=[policy],
        items=[item, metered(**since)],
    )
