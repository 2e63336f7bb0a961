"""Old events, settled deliveries and closed cases go; what an open period or case needs stays, as does every reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LATER = END + 130 * DAY
PRUNING = {
    "PRUNE_EVERY_S": "0.1",
    "PRUNE_ROWS": "2",
    "PRUNE_PAUSE_S": "0",
    "KEEP_EVENTS_DAYS": "90",
    "KEEP_DELIVERIES_DAYS": "100",
    "KEEP_CLOSED_CASES_DAYS": "90",
}


async def deliveries_of(world: Any, customer: str) -> list[str]:
    page = await world.ask("/v1/deliveries", customer=customer)
    return sorted(row["identifier"] for row in page if row["effective_at"] < iso(END))


async def events_of(world: Any, customer: str, before: datetime) -> int:
    """Events about a customer's invoices and subscription that Stripe made before an instant."""
    stripe_customer = (await world.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
    [row] = await world.rows(
        "SELECT count(*) AS n FROM invoicing.webhooks WHERE created < $1 AND body #>> '{data,object,customer}' = $2",
        before,
        stripe_customer,
    )
    return int(row["n"])


async def lines_of(world: Any, customer: str) -> Any:
    """What the closing invoice says of its lines, with the entries behind each."""
    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [closing] = [
        one for one in invoices if one["billing_reason"] == "subscription_cycle" and one["period_end"] == iso(END)
    ]
    behind = {}
    for line in closing["lines"]:
        page = await world.ask(f"/v1/invoices/{closing['id']}/lines/{line['id']}/entries")
        behind[line["item"]] = [{k: v for k, v in entry.items() if k != "delivery"} for entry in page["entries"]]
    return closing["lines"], behind


async def a_closed_october(world: Any) -> None:
    """Acme's month is done; globex has a case that nobody has dealt with."""
    await world.start_door()
    await world.apply(a_contract(), a_contract("globex"))
    await world.quiet(START)
    await world.move(START + 2 * DAY)
    charges = [a_charge(f"a{n}", seq=n, at=START + DAY) for n in range(1, 6)]
    await world.rate(
        *charges,
        a_reversal("a6", charges[0], seq=6, recorded_at=START + 2 * DAY),
        *(a_charge(f"g{n}", seq=n, at=START + DAY, customer="globex") for n in (7, 8)),
    )
    await world.move(START + 3 * DAY)
    await world.move(END)
    await world.move(END + 32 * MINUTE)
    late = a_reversal("late", charges[1], seq=9, recorded_at=END + 40 * MINUTE)
    await world.rate(late)
    await world.move(END + 45 * MINUTE)


async def open_case(world: Any, customer: str) -> None:
    await world.rows(
        "INSERT INTO invoicing.cases (kind, natural_key, customer, detail, opened_at, changed_at) "
        "VALUES ('finalised_differs', $1, $1, '{}', $2, $2)",
        customer,
        world.at,
    )


async def test_what_is_old_goes_and_what_is_needed_stays(world: Any) -> None:
    await a_closed_october(world)
    await open_case(world, "globex")
    await open_case(world, "nobody")
    [closed] = [case for case in await world.ask("/v1/cases") if case["customer"] == "nobody"]
    await world.http.post(f"{world.door_url}/v1/cases/{closed['id']}/close", json={"reason": "settled by hand"})
    told = await lines_of(world, "acme")
    assert len(await deliveries_of(world, "acme")) == 7
    for end in (END.replace(month=12), *(END.replace(year=2027, month=month) for month in (1, 2, 3))):
        await world.move(end)
        await world.move(end + 32 * MINUTE)
    await world.move(LATER)
    before = {name: await events_of(world, name, LATER - 90 * DAY) for name in ("acme", "globex")}
    assert min(before.values()) > 0

    world.stop_door()
    await world.start_door(**PRUNING)

    await world.until(lambda: _gone(world))
    assert await deliveries_of(world, "globex") == ["g7", "g8"]
    assert await events_of(world, "globex", LATER - 90 * DAY) == before["globex"]
    assert await events_of(world, "acme", LATER) > 0  # those of the last 90 days
    assert [case["customer"] for case in await world.ask("/v1/cases", closed=True)] == ["globex"]
    assert await lines_of(world, "acme") == told  # every reason is still there, and the late reversal behind none
    assert {item: len(behind) for item, behind in told[1].items()} == {"essential_seat": 0, "resolution": 6}


async def _gone(world: Any) -> bool:
    left = await deliveries_of(world, "acme"), await events_of(world, "acme", LATER - 90 * DAY)
    closed = [case for case in await world.ask("/v1/cases", closed=True) if case["customer"] == "nobody"]
    return left == ([], 0) and not closed


async def test_no_reconciliation_goes_back_to_what_is_no_longer_kept(world: Any) -> None:
    await world.start_door(**PRUNING)
    first_kept = (world.at - 100 * DAY).replace(hour=0, minute=0, second=0)
    for start, status in ((first_kept - DAY, 422), (first_kept + DAY, 202)):
        order = {"from": start.isoformat(), "to": (start + 2 * DAY).isoformat()}
        answer = await world.http.post(f"{world.door_url}/v1/reconciliations", json=order)
        assert answer.status_code == status, answer.text
    assert (
        "no longer kept"
        in (
            await world.http.post(
                f"{world.door_url}/v1/reconciliations",
                json={"from": (first_kept - DAY).isoformat(), "to": first_kept.isoformat()},
            )
        ).json()["detail"]
    )
