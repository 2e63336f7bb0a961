"""Two customers, one by self-serve commands and one by a deal: the same contracts, and the same invoices."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts_service.testing import a_catalog, asked, terms
from event_schemas.times import iso
from invoicing_sync.testing import a_charge
from settled_cli.fleet import Fleet, Plan
from settled_cli.golden_invoices import Ledger
from settled_cli.line import Line

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

SERVICES = ("sandbox", "contracts", "invoicing-sync")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
FREEZE = timedelta(minutes=31)
WEB, DEAL = "acme-web", "acme-deal"
# What both do, by the instant: in mid-month, so that seats, the plan and the add-on are prorated.
CHANGES: dict[datetime, dict[str, Any]] = {
    MARCH + 4 * DAY + 9 * HOUR: {"do": "change_seats", "quantity": 5},
    MARCH + 9 * DAY: {"do": "add_add_on", "add_on": "copilot", "quantity": 2},
    MARCH + 12 * DAY + 5 * HOUR: {"do": "give_discount", "percent": "12.5", "product": "copilot"},
    MARCH + 19 * DAY + 7 * HOUR: {"do": "change_plan", "plan": "pro", "seats": 4},
    APRIL + 2 * DAY: {"do": "give_discount", "coupon": "tenner"},
    APRIL + 10 * DAY + 3 * HOUR: {"do": "change_seats", "quantity": 3},
    APRIL + 15 * DAY: {"do": "remove_add_on", "add_on": "copilot"},
}
USAGE = {
    MARCH + 6 * DAY: [("resolution", "120"), ("sms_segment", "730")],
    MARCH + 25 * DAY: [("resolution", "31")],
    APRIL + 11 * DAY: [("resolution", "77"), ("sms_segment", "12")],
}
BILLING_DAYS = (MARCH, APRIL, MAY)
# By hand, in cents. April: resolutions 11880 + 3069, segments 3000 + 690, seats from 3 to 5 with 26.625 of 31 days
# left -10049 + 16748, to four of the other plan with 11.7083 left -7365 + 14956, copilot for 22 of 31 days 4968, ahead
# 39600 and 7000, 12.5 % off copilot -1496. May: 7623, 72, from 4 to 3 with 19.875 of 30 days left -26235 + 19676,
# copilot back for half a month -3500 and 12.5 % of that 438, ahead 29700, ten off.
TOTALS = [11_700, 83_001, 26_774]
# Who and through what; and what the two parties call their objects: ids, numbers, and the customer's own name here.
WHO = {"channel", "actor"}
ID = re.compile(r"\b(cus|sub|si|in|il|ii|di|sub_item|evt|req)_[A-Za-z0-9]+")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """A line after two months of both customers."""
    fleet = Fleet(tmp_path_factory.mktemp("channels"), fsync=False)
    try:
        env = {"PUBLISH_VERSION_2": "true", "GATE_S": "0.2", "SWEEP_S": "1", "SETTLE_S": "1", "RECHECK_S": "1"}
        fleet.up(Plan(clock_start=iso(MARCH - DAY), services=SERVICES, env=env))
        async with Line(fleet, services=SERVICES) as line:
            await lived(line, fleet)
            yield line
    finally:
        fleet.down(remove_state=True)


async def lived(line: Line, fleet: Fleet) -> None:
    await line.post(
        "contracts", "/v1/catalog/apply", {"catalog": a_catalog(), "actor": "person:ann", "reason": "first"}
    )
    quote = {"quote": "Q-1", "customer": DEAL, "deal": "D-7", "actor": "crm", "terms": terms()}
    await line.post("contracts", "/v1/quotes", quote | {"valid_until": iso(MAY)})
    moments = {*CHANGES, *USAGE, *(day + FREEZE for day in BILLING_DAYS), *(day - HOUR for day in BILLING_DAYS)}
    ledger = Ledger(fleet)
    await ledger.open()
    try:
        for moment in sorted({*moments, *BILLING_DAYS}):
            await line.advance(iso(moment))
            await seen(line, moment)
            if moment == MARCH:
                await do(line, WEB, asked("sign_up", terms=terms(), actor="self-serve", at=iso(MARCH)))
                await do(line, DEAL, asked("sign", quote="Q-1", actor="crm", at=iso(MARCH)))
            if moment in CHANGES:
                command = {**CHANGES[moment], "key": f"k-{iso(moment)}", "reason": "as agreed", "at": iso(moment)}
                await do(line, WEB, command | {"actor": "self-serve", "channel": "self_serve"})
                await do(line, DEAL, command | {"actor": "crm", "channel": "sales_led"})
            await ledger.add(
                [
                    a_charge(f"{who}-{meter}-{iso(moment)}", seq=0, at=moment, customer=who, meter=meter, quantity=many)
                    for meter, many in USAGE.get(moment, ())
                    for who in (WEB, DEAL)
                ],
                read_up_to=moment,
            )
            await line.quiet(iso(moment))
    finally:
        await ledger.close()


async def seen(line: Line, moment: datetime) -> None:
    """Return once contracts goes by the new time: it stamps when a command was agreed on."""
    async with asyncio.timeout(30):
        while not (await line.get("contracts", "/quiet", at=iso(moment)))["quiet"]:
            await asyncio.sleep(0.01)


async def do(line: Line, customer: str, command: dict[str, Any]) -> None:
    command = command | {"key": f"{customer}-{command['key']}"}
    await line.post("contracts", f"/v1/contracts/{customer}/commands", command)


class Names:
    """Puts a number of its kind in the place of each name that one of the two parties gave, in order of appearance."""

    def __init__(self, customer: str, *, without: Iterable[str] = ()) -> None:
        self._customer, self._without = customer, frozenset(without)
        self._seen: dict[str, str] = {}

    def taken_out(self, found: Any) -> Any:
        if isinstance(found, dict):
            return {key: self.taken_out(value) for key, value in found.items() if key not in self._without}
        if isinstance(found, list):
            return [self.taken_out(one) for one in found]
        if isinstance(found, str):
            return ID.sub(self._number, found).replace(self._customer, "the customer")
        return found

    def _number(self, found: re.Match[str]) -> str:
        return self._seen.setdefault(found[0], f"{found[1]} number {len(self._seen) + 1}")


async def test_the_contracts_differ_in_channel_and_actor_alone(line: Line) -> None:
    """`price_version` and all else that came from the catalogue included; the deal is named where one was."""
    web, deal = [(await line.get("contracts", f"/v1/contracts/{who}"))["contract"] for who in (WEB, DEAL)]
    one, other = (Names(who, without=WHO).taken_out(contract) for who, contract in ((WEB, web), (DEAL, deal)))

    assert one == other
    assert (web["channel"], deal["channel"]) == ("self_serve", "sales_led")
    assert len(web["history"]) == 1 + len(CHANGES)


async def test_the_invoices_of_the_door_are_equal_in_every_field(line: Line) -> None:
    """Lines with their reasons, counts and instants; but ids, the number, and when the door read it last."""
    found = []
    for who in (WEB, DEAL):
        answer = (await line.get("invoicing-sync", "/v1/invoices", customer=who, limit=100))["invoices"]
        invoices = sorted(answer, key=lambda one: one["period_end"])
        names = Names(who, without={"number", "read_at"})
        found.append([names.taken_out(one | {"lines": in_order(one["lines"])}) for one in invoices])
        assert all(one["released_at"] for one in invoices)

    assert found[0] == found[1]
    assert [one["total_minor"] for one in found[0]] == TOTALS
    kinds = {line["kind"] for one in found[0] for line in one["lines"] if line["amount_minor"]}
    assert kinds == {"advance", "usage", "proration", "discount"}
    assert (await line.get("invoicing-sync", "/v1/cases")) == []


def in_order(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(lines, key=lambda one: [one[name] for name in ("kind", "item", "amount_minor", "quantity")])


async def test_the_objects_at_stripe_are_equal_in_every_field(line: Line) -> None:
    """Subscription, invoices and their lines as the account shows them, prices and instants included."""
    found = []
    for who in (WEB, DEAL):
        agreed = await line.get("invoicing-sync", f"/v1/contracts/{who}")
        stripe_customer = agreed["stripe_customer"]
        subscriptions = at_stripe(line, "/v1/subscriptions", customer=stripe_customer, status="all")
        invoices = at_stripe(line, "/v1/invoices", customer=stripe_customer)
        shown = [
            one | {"lines": in_amounts(at_stripe(line, f"/v1/invoices/{one['id']}/lines"))}
            for one in sorted(invoices, key=lambda one: one["created"])
        ]
        names = Names(who, without={"number"})  # counts a customer's invoices under a prefix of its own
        found.append(names.taken_out({"invoices": shown, "subscriptions": subscriptions}))

    assert found[0] == found[1]
    assert [one["total"] for one in found[0]["invoices"]] == TOTALS


def in_amounts(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(lines, key=lambda one: [str(one[name]) for name in ("description", "amount", "quantity", "period")])


def at_stripe(line: Line, path: str, **params: Any) -> list[dict[str, Any]]:
    key = {"Authorization": "Bearer sk_test_sandbox"}
    answer = httpx.get(f"{line.fleet.url('sandbox')}{path}", params={"limit": 100, **params}, headers=key, timeout=30)
    answer.raise_for_status()
    assert not answer.json()["has_more"]
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows
