"""What was answered is never lost: the process killed under load, the database away."""

from __future__ import annotations

import asyncio
import signal

import httpx

from embedded_stack import Stack
from embedded_stack.processes import Services
from sandbox.avatax.testing import Driver, a_document, a_line


async def flood(avatax: Driver, answered: dict[str, str], *, lanes: int = 8) -> None:
    """Record, commit and refund until the stand-in is gone; the last status that was answered, by code."""

    async def lane(number: int) -> None:
        for turn in range(10_000):
            code = f"{number}-{turn}"
            try:
                made = await avatax.raw("POST", "/transactions/create", a_document(a_line("37.37"), code=code))
                if made.status_code != 201:
                    return
                answered[code] = made.json()["status"]
                done = await avatax.raw("POST", f"/companies/SETTLED-US/transactions/{code}/commit", {"commit": True})
                if done.status_code != 200:
                    return
                answered[code] = done.json()["status"]
            except httpx.TransportError:
                return

    await asyncio.gather(*(lane(number) for number in range(lanes)))


async def test_a_kill_under_load_loses_nothing(avatax: Driver, avatax_services: Services) -> None:
    """SIGKILL: what was answered was committed before; of what was not, at most one a lane is further."""
    before = await avatax.control("GET", "clock")
    answered: dict[str, str] = {}
    flooding = asyncio.create_task(flood(avatax, answered))
    async with asyncio.timeout(20):
        while len(answered) < 200:  # it grows in another task
            await asyncio.sleep(0.01)
    avatax_services.kill("avatax", signal.SIGKILL)
    await flooding
    avatax_services.restart("avatax")
    await asyncio.to_thread(avatax_services.wait_ready, "avatax")

    rows = await avatax.control("GET", "dump")
    held = {row["code"]: row["status"] for row in rows}
    further = [code for code in held if held[code] != answered.get(code)]
    assert set(answered) <= set(held)
    assert all(held[code] == "Committed" for code, status in answered.items() if status == "Committed")
    assert len(further) <= 8
    assert {row["totalTax"] for row in rows} == {"3.31"}
    assert await avatax.control("GET", "clock") == before


async def test_documents_are_after_a_kill_what_they_were(avatax: Driver, avatax_services: Services) -> None:
    """To the byte: versions, refunds, deleted ones, companies that were made by hand, business time."""
    await avatax.control("POST", "companies", code="SETTLED-GB", nexus=["GB"], vat_ids={"GB": "GB1"})
    await avatax.create(commit=True)
    await avatax.ok("POST", "/transactions/createoradjust", {"createTransactionModel": a_document(commit=True)})
    await avatax.on(
        "in_1", "refund", {"refundDate": "2026-10-20", "refundType": "Full", "refundTransactionCode": "cn_1"}
    )
    await avatax.create(code="in_2")
    await avatax.on("in_2", "void", {"code": "DocDeleted"})
    ids = [row["id"] for row in await avatax.control("GET", "dump")]
    before = [(await avatax.raw("GET", f"/transactions/{id_}?$include=Summary,Addresses")).json() for id_ in ids]

    avatax_services.kill("avatax", signal.SIGKILL)
    avatax_services.restart("avatax")
    await asyncio.to_thread(avatax_services.wait_ready, "avatax")

    after = [(await avatax.raw("GET", f"/transactions/{id_}?$include=Summary,Addresses")).json() for id_ in ids]
    assert after == before
    assert len(ids) == 3
    assert (await avatax.document("in_1"))["version"] == 2
    assert await avatax.refused("GET", "/companies/SETTLED-US/transactions/in_2") == (404, "EntityNotFoundError", 4)
    assert "SETTLED-GB" in {each["code"] for each in await avatax.control("GET", "companies")}
    made = await avatax.create(code="in_3")
    assert str(made["id"]) not in ids


async def test_an_answer_waits_for_a_database_that_is_away(avatax: Driver, stack: Stack) -> None:
    """PostgreSQL is killed: the request is answered once it is back, and not before."""
    await avatax.create()
    stack.kill("postgres")
    waiting = asyncio.create_task(avatax.create(code="in_2"))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    stack.postgres_only()

    assert not done
    assert (await waiting)["status"] == "Saved"
    assert (await avatax.document("in_2"))["totalTax"]
