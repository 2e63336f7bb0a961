"""
Two doors in one database and on one bus, each with an account of its own: neither sees or bills what is the other's.

Both accounts are one sandbox here, whose objects tell by their customer whose they are.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

import invoicing_sync
from chassis.store import migrate
from embedded_stack.children import free_port
from event_schemas.contract_v2.testing import a_change, a_document, metered, seats
from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
END = START.replace(month=11)


def spawned(env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        command = [sys.executable, "-m", "invoicing_sync", "serve"]
        return subprocess.Popen(command, env=os.environ | env, stdout=out, stderr=out)


class Doors:
    """The world's own door has settled-us; `ie` is a second one, with a schema of its own."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ie: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        await self.world.start_door(ISSUERS="settled-us")
        await self.start_ie()

    async def start_ie(self) -> None:
        mine = {"PORT": str(self.port), "PUBLIC_URL": self.url, "ISSUERS": "settled-ie", "DOOR_NAME": "ie"}
        self.ie = spawned(self.world.env | self.world.door_env(**mine), self.world.logs / "ie.log")
        await self.world.until(self._is_ready, within_s=60)

    async def _is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return bool((await self.world.http.get(f"{self.url}/readyz")).status_code == 200)
        return False

    def stop_ie(self, number: int = signal.SIGTERM) -> None:
        if self.ie is not None and self.ie.poll() is None:
            self.ie.send_signal(number)
            self.ie.wait(20)

    async def ask_ie(self, path: str, **params: Any) -> Any:
        answer = await self.world.http.get(f"{self.url}{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def quiet(self, at: datetime) -> None:
        async def is_quiet() -> bool:
            return bool((await self.ask_ie("/quiet", at=iso(at)))["quiet"])

        await self.world.quiet(at)
        await self.world.until(is_quiet, within_s=60)

    async def move(self, to: datetime) -> None:
        await self.world.step(to)
        await self.world.progress(to - timedelta(seconds=60))
        await self.quiet(to)


@pytest_asyncio.fixture
async def doors(world: Any) -> AsyncIterator[Doors]:
    made = Doors(world)
    await migrate(world.env["DATABASE_URL"], "invoicing_ie", Path(invoicing_sync.__file__).parent / "migrations")
    try:
        yield made
    finally:
        made.stop_ie()


def an_irish_one(**changes: Any) -> Any:
    return a_contract("fiona", **({"issuer": "settled-ie", "currency": "EUR"} | changes))


def an_irish_document() -> dict[str, Any]:
    billing = {"at": iso(START), "agreed_in": 1, "name": "Fiona", "issuer": "settled-ie"}
    policy = {"at": iso(START), "agreed_in": 1, "policy": {"version": "standard-1"}, "charges": []}
    since = {"from": iso(START)}
    return a_document(
        customer="fiona",
        billing_anchor=iso(START),
        billing=[billing | {"billing_email": "billing@fiona.example"}],
        policies=[policy],
        items=[seats(2, **since), metered(**since)],
    )


async def customers(ask: Any) -> list[str]:
    return [one["customer"] for one in (await ask("/v1/contracts"))["contracts"]]


async def closing(ask: Any, customer: str) -> list[tuple[str, int]]:
    found = (await ask("/v1/invoices", customer=customer))["invoices"]
    return [(one["status"], one["total_minor"]) for one in found if one["billing_reason"] == "subscription_cycle"]


async def october(ask: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await ask("/v1/charges", **{"from": START.isoformat(), "to": END.isoformat()})
    return answer


async def test_each_door_bills_its_own_and_nothing_else(doors: Doors) -> None:
    world = doors.world
    await doors.start()
    await world.apply(a_contract(), an_irish_one())
    await doors.quiet(START)
    await doors.move(START + 2 * DAY)
    await world.rate(
        a_charge("us1", seq=1, at=START + DAY),
        a_charge("ie1", seq=2, at=START + DAY, customer="fiona"),
        a_charge("ie2", seq=3, at=START + DAY, customer="fiona"),
    )
    await doors.move(START + 3 * DAY)
    await doors.move(END)
    await doors.move(END + 32 * MINUTE)

    assert (await customers(world.ask), await customers(doors.ask_ie)) == (["acme"], ["fiona"])
    assert await closing(world.ask, "acme") == [("open", 11700 + 99)]
    assert await closing(doors.ask_ie, "fiona") == [("open", 11700 + 198)]
    assert await closing(world.ask, "fiona") == await closing(doors.ask_ie, "acme") == []
    us, ie = await october(world.ask), await october(doors.ask_ie)
    assert [(one["entries"], one["priced"], one["of_other_doors"], one["holds"]) for one in (us, ie)] == [
        (1, 1, 2, True),
        (2, 2, 1, True),
    ]
    assert await world.ask("/v1/cases") == await doors.ask_ie("/v1/cases") == []
    assert [row["identifier"] for row in await world.ask("/v1/deliveries")] == ["us1"]


async def test_a_dead_door_delays_nobody_and_finds_its_own_when_it_is_back(doors: Doors) -> None:
    world = doors.world
    await doors.start()
    await world.apply(a_contract(), an_irish_one())
    await doors.quiet(START)
    doors.stop_ie(signal.SIGKILL)
    await world.move(START + 2 * DAY)
    await world.rate(a_charge("us1", seq=1, at=START + DAY), a_charge("ie1", seq=2, at=START + DAY, customer="fiona"))
    await world.move(END)
    await world.move(END + 32 * MINUTE)
    assert await closing(world.ask, "acme") == [("open", 11700 + 99)]

    await doors.start_ie()
    await doors.quiet(END + 32 * MINUTE)

    assert await closing(doors.ask_ie, "fiona") == [("open", 11700 + 99)]
    assert await doors.ask_ie("/v1/cases") == []


async def test_entries_wait_for_whoever_their_customer_turns_out_to_be(doors: Doors) -> None:
    """What came before the contract waits in both doors; then it leaves the one that it is not of."""
    world = doors.world
    await doors.start()
    await world.move(START + 2 * DAY)
    await world.rate(a_charge("ie1", seq=1, at=START + DAY, customer="fiona"))
    await doors.quiet(START + 2 * DAY)
    waiting = "/v1/deliveries"
    states = [[row["state"] for row in await ask(waiting)] for ask in (world.ask, doors.ask_ie)]
    assert states == [["waiting_for_contract"], ["waiting_for_contract"]]

    await world.apply(an_irish_one())
    await doors.quiet(START + 2 * DAY)

    assert await world.ask(waiting) == []
    assert [row["state"] for row in await doors.ask_ie(waiting)] == ["delivered"]
    us = await october(world.ask)
    assert (us["entries"], us["without_contract"], us["of_other_doors"], us["holds"]) == (0, 0, 1, True)


async def test_a_move_is_taken_by_neither_door_and_nothing_is_billed_twice(doors: Doors) -> None:
    world = doors.world
    await doors.start()
    await world.apply(a_contract())
    await doors.quiet(START)
    await doors.move(START + 2 * DAY)
    await world.apply(a_contract(revision=2, issuer="settled-ie"))
    await doors.quiet(START + 2 * DAY)
    kinds = [[case["kind"] for case in await ask("/v1/cases")] for ask in (world.ask, doors.ask_ie)]
    assert kinds == [["contract_moved"], ["contract_moved"]]

    await world.rate(a_charge("us1", seq=1, at=START + DAY))
    await doors.move(END)
    await doors.move(END + 32 * MINUTE)
    assert await closing(world.ask, "acme") == [("open", 11700 + 99)]
    assert await doors.ask_ie("/v1/deliveries") == []
    assert await customers(doors.ask_ie) == []

    await world.apply(a_contract(revision=3, name="Acme and Daughters"))
    await doors.quiet(END + 32 * MINUTE)
    assert (await world.ask("/v1/contracts/acme"))["applied_revision"] == 3
    assert await world.ask("/v1/cases") == await doors.ask_ie("/v1/cases") == []


async def test_a_contract_of_version_2_is_carried_out_by_its_door_and_moves_no_more_than_one_of_version_1(
    doors: Doors,
) -> None:
    world = doors.world
    document = an_irish_document()
    await doors.start()
    await world.apply_document(document)
    await doors.quiet(START)
    assert (await customers(world.ask), await customers(doors.ask_ie)) == ([], ["fiona"])
    assert (await world.http.get(f"{world.door_url}/v1/contracts/fiona/plan")).status_code == 404
    assert {one["state"] for one in (await doors.ask_ie("/v1/contracts/fiona/plan"))["operations"]} == {"done"}

    await doors.move(START + 2 * DAY)
    await world.rate(a_charge("ie1", seq=1, at=START + DAY, customer="fiona"))
    elsewhere = document["billing"][0] | {"at": iso(END), "agreed_in": 2, "issuer": "settled-us"}
    history = [*document["history"], a_change(2)]
    moved = document | {"revision": 2, "history": history, "billing": [*document["billing"], elsewhere]}
    await world.apply_document(moved)
    await doors.quiet(START + 2 * DAY)
    kinds = [[case["kind"] for case in await ask("/v1/cases")] for ask in (world.ask, doors.ask_ie)]
    assert kinds == [["contract_moved"], ["contract_moved"]]

    await doors.move(END)
    await doors.move(END + 32 * MINUTE)
    assert await closing(doors.ask_ie, "fiona") == [("open", 2 * 3900 + 99)]
    assert await world.ask("/v1/deliveries") == await closing(world.ask, "fiona") == []


async def test_an_issuer_that_a_door_is_given_later_is_billed_from_what_came_before(doors: Doors) -> None:
    world = doors.world
    await world.start_door(ISSUERS="settled-us")
    await world.apply(an_irish_one())
    await world.move(START + 2 * DAY)
    await world.rate(a_charge("ie1", seq=1, at=START + DAY, customer="fiona"))
    await world.quiet(START + 2 * DAY)
    assert await world.ask("/v1/deliveries") == []

    world.stop_door()
    await world.start_door(ISSUERS="settled-us,settled-ie")
    await world.quiet(START + 2 * DAY)

    assert [row["state"] for row in await world.ask("/v1/deliveries")] == ["delivered"]
    assert await world.counted("fiona") == {"ie1": "1"}


async def test_a_door_does_not_start_without_an_issuer_that_it_bills(doors: Doors) -> None:
    world = doors.world
    await world.start_door()
    await world.apply(an_irish_one())
    await world.quiet(START)

    world.stop_door()
    await world.start_door(ISSUERS="settled-us", SETTLED_FAILPOINT="")
    assert await world.door_dies() == 3
    assert "ISSUERS leaves out settled-ie" in world.door_said()
