"""Concurrency, faults, business time and durability: what happens around an operation."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chassis.testing import HouseKeys
from embedded_stack.processes import Services, ServiceSpec
from sandbox.netsuite.testing import Driver

NAME = "netsuite"
BODY = {"companyName": "Acme", "subsidiary": {"id": "1"}}


def code(answer: httpx.Response) -> str:
    return str(answer.json()["o:errorDetails"][0]["o:errorCode"])


async def customers(netsuite: Driver) -> int:
    return len((await netsuite.control("GET", "dump"))["records"]["customer"])


# -- concurrency ---------------------------------------------------------------------------------------------------


async def test_the_account_takes_so_many_requests_at_once(netsuite: Driver) -> None:
    """Of 20 at once, records and SuiteQL together, 3 are let through, the others are 429 at once and change nothing."""
    await netsuite.control("POST", "limits", concurrency=3, request_ms=300)

    async def one(number: int) -> httpx.Response:
        if number % 4 == 0:
            return await netsuite.ask("SELECT id FROM customer")
        return await netsuite.record("PUT", f"customer/eid:cus_{number}", BODY)

    answers = await asyncio.gather(*(one(number) for number in range(20)))

    done = [answer for answer in answers if answer.is_success]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(done), len(refused)) == (3, 17)
    assert {code(answer) for answer in refused} == {"CONCURRENCY_LIMIT_EXCEEDED"}
    assert all("Retry-After" not in answer.headers for answer in refused)
    assert await customers(netsuite) == len([one for one in done if one.status_code == 204])
    assert (await netsuite.control("POST", "limits", concurrency=3))["most_under_way"] == 3
    governed = await netsuite.call("GET", "/services/rest/system/v1/governanceLimits")
    assert governed.json() == {"accountConcurrencyLimit": 3}


async def test_as_many_lanes_as_the_limit_are_never_refused(netsuite: Driver) -> None:
    """Five lanes, one after the other in each: all 50 go through, and upserts of one id at once make one record."""

    async def lane(number: int) -> list[int]:
        return [
            (await netsuite.record("PUT", f"customer/eid:cus_{number % 2}_{turn}", BODY)).status_code
            for turn in range(10)
        ]

    statuses = await asyncio.gather(*(lane(number) for number in range(5)))

    assert {status for each in statuses for status in each} == {204}
    assert await customers(netsuite) == 20


# -- faults --------------------------------------------------------------------------------------------------------


async def test_slow(netsuite: Driver) -> None:
    await netsuite.fault("slow", delay_ms=300, count=1)
    begin = time.monotonic()
    assert (await netsuite.record("GET", "customer")).status_code == 200
    assert time.monotonic() - begin >= 0.3


async def test_429(netsuite: Driver) -> None:
    await netsuite.fault("concurrency_429", count=1)
    answer = await netsuite.record("PUT", "customer/eid:cus_1", BODY)
    assert (answer.status_code, code(answer)) == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    assert await customers(netsuite) == 0
    assert (await netsuite.record("PUT", "customer/eid:cus_1", BODY)).status_code == 204


@pytest.mark.parametrize(("kind", "made"), [("error_500_before_commit", 0), ("error_500_after_commit", 1)])
async def test_5xx_before_and_after_the_write(netsuite: Driver, kind: str, made: int) -> None:
    """The caller cannot tell one from the other; the same upsert again ends with one record."""
    await netsuite.fault(kind, path="/services/rest/record/v1/customer", count=1)

    answer = await netsuite.record("PUT", "customer/eid:cus_1", BODY)

    assert (answer.status_code, code(answer)) == (500, "UNEXPECTED_ERROR")
    assert "Error ID: " in answer.json()["o:errorDetails"][0]["detail"]
    assert await customers(netsuite) == made
    assert (await netsuite.record("PUT", "customer/eid:cus_1", BODY)).status_code == 204
    assert await customers(netsuite) == 1


async def test_time_out_after_the_write(netsuite: Driver) -> None:
    await netsuite.fault("timeout_after_commit", count=1, delay_ms=50)
    with pytest.raises(httpx.RemoteProtocolError):
        await netsuite.record("PUT", "customer/eid:cus_1", BODY)
    assert await customers(netsuite) == 1


async def test_an_expired_token_stays_expired(netsuite: Driver) -> None:
    await netsuite.fault("expired_token", count=1)
    for _ in range(2):
        answer = await netsuite.record("GET", "customer")
        assert (answer.status_code, code(answer)) == (401, "INVALID_LOGIN")
        assert "invalid_token" in answer.headers["WWW-Authenticate"]
    await netsuite.log_in()
    assert (await netsuite.record("GET", "customer")).status_code == 200


async def test_overload_that_looks_like_a_wrong_login(netsuite: Driver) -> None:
    """As production shows it: late, and the same token is good again."""
    await netsuite.fault("overload_as_invalid_login", count=1, delay_ms=100)
    assert (await netsuite.record("GET", "customer")).status_code == 401
    assert (await netsuite.record("GET", "customer")).status_code == 200


async def test_a_locked_record(netsuite: Driver) -> None:
    """Writes are refused, reading is not."""
    await netsuite.a_customer()
    await netsuite.fault("record_locked", path="/services/rest/record/v1/customer", count=1)
    assert (await netsuite.record("GET", "customer/eid:cus_acme")).status_code == 200
    answer = await netsuite.record("PATCH", "customer/eid:cus_acme", {"comments": "x"})
    assert (answer.status_code, code(answer)) == (409, "RCRD_HAS_BEEN_CHANGED")
    assert (await netsuite.record("PATCH", "customer/eid:cus_acme", {"comments": "x"})).status_code == 204


async def test_a_maintenance_window(netsuite: Driver) -> None:
    """Records, SuiteQL and the token endpoint answer 503 with a page that is no JSON; the control path is there."""
    await netsuite.fault("maintenance", count=3)
    answers = [
        await netsuite.record("GET", "customer"),
        await netsuite.ask("SELECT id FROM customer"),
        await netsuite.ask_token(),
    ]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all("text/html" in answer.headers["content-type"] for answer in answers)
    assert (await netsuite.record("GET", "customer")).status_code == 200


async def test_a_script_of_the_account_changes_a_total(netsuite: Driver) -> None:
    """What is read back is not what was sent: one cent more on the last line."""
    await netsuite.an_item()
    await netsuite.a_customer()
    await netsuite.fault("total_changed", path="/services/rest/record/v1/invoice", count=1)
    id_ = await netsuite.an_invoice("inv_1", "10", "20")
    shown = await netsuite.get("invoice", id_)
    assert (shown["total"], shown["item"]["items"][1]["amount"]) == (Decimal("30.01"), Decimal("20.01"))


async def test_a_fault_that_nobody_knows_is_refused(netsuite: Driver) -> None:
    assert (await netsuite.http.post("/_sandbox/faults", json={"kind": "webhook_lost"})).status_code == 422


async def test_switches_are_turned_by_the_control_path_until_a_reset(netsuite: Driver) -> None:
    assert (await netsuite.control("GET", "answers"))["put_lines"] == "added"
    assert (await netsuite.control("POST", "answers", put_lines="replaced"))["put_lines"] == "replaced"
    wrong = await netsuite.http.post("/_sandbox/answers", json={"put_lines": "perhaps"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "no_such_answer")
    await netsuite.control("POST", "reset")
    assert (await netsuite.control("GET", "answers"))["put_lines"] == "added"


# -- business time -------------------------------------------------------------------------------------------------


async def test_records_live_by_business_time(netsuite: Driver) -> None:
    """The day of a document without one; never back; quiet once it is reached."""
    await netsuite.an_item()
    await netsuite.a_customer()
    await netsuite.control("POST", "clock/advance", to="2026-12-05T23:30:00Z")
    shown = await netsuite.get("invoice", await netsuite.an_invoice("inv_1", "1"))
    assert (shown["tranDate"], shown["createdDate"]) == ("2026-12-05", "2026-12-05T23:30:00Z")

    back = await netsuite.http.post("/_sandbox/clock/advance", json={"to": "2026-12-01T00:00:00Z"})
    assert (back.status_code, back.json()["code"]) == (409, "clock_never_goes_back")
    quiet = [
        (await netsuite.http.get("/quiet", params={"at": at})).json()["quiet"]
        for at in ("2026-12-05T23:30:00Z", "2026-12-06T00:00:00Z")
    ]
    assert quiet == [True, False]


async def test_follows_the_clock_of_another_sandbox(
    netsuite: Driver, standins: Services, house_keys: HouseKeys
) -> None:
    """It is moved by its owner alone; the long poll of the owner wakes it at once."""
    env = {**house_keys.env, "NETSUITE_NAME": "second", "SANDBOX_CLOCK_URL": f"{netsuite.url}/_sandbox/clock"}
    standins.start(ServiceSpec("second", "sandbox.netsuite", env=env))
    standins.wait_ready("second")
    try:
        async with httpx.AsyncClient(base_url=standins.url("second"), headers=house_keys.header) as second:
            refused = await second.post("/_sandbox/clock/advance", json={"to": "2026-12-01T00:00:00Z"})
            assert (refused.status_code, refused.json()["code"]) == (409, "clock_of_another")
            await netsuite.control("POST", "clock/advance", to="2026-11-20T00:00:00Z")
            async with asyncio.timeout(10):
                while not (await second.get("/quiet", params={"at": "2026-11-20T00:00:00Z"})).json()["quiet"]:
                    await asyncio.sleep(0.01)
            assert (await second.get("/_sandbox/clock")).json()["now"] == "2026-11-20T00:00:00Z"
    finally:
        standins.stop("second")


# -- durability ----------------------------------------------------------------------------------------------------


async def test_a_kill_under_load_loses_nothing(netsuite: Driver, standins: Services) -> None:
    """kill -9 while eight lanes write: what was answered is there, with balances, tokens, periods and clock."""
    await netsuite.control("POST", "limits", concurrency=20)
    await netsuite.an_item()
    await netsuite.a_customer()
    await netsuite.control("POST", "periods", month="2026-10", closed=True)
    answered: dict[str, Decimal] = {}

    async def lane(number: int) -> None:
        for turn in range(10_000):
            external, amount = f"inv_{number}_{turn}", Decimal(turn + 1) + Decimal("0.10")
            line = {"item": {"externalId": "item_resolution"}, "amount": amount}
            body = {"entity": {"externalId": "cus_acme"}, "item": {"items": [line]}}
            try:
                answer = await netsuite.record("PUT", f"invoice/eid:{external}", body, replace="item")
            except httpx.TransportError:
                return
            assert answer.status_code == 204, answer.text
            answered[external] = amount

    lanes = [asyncio.create_task(lane(number)) for number in range(8)]
    async with asyncio.timeout(30):
        while len(answered) < 150:
            await asyncio.sleep(0.01)
    standins.kill(NAME)
    await asyncio.gather(*lanes)
    standins.restart(NAME)
    await asyncio.to_thread(standins.wait_ready, NAME)

    rows = await netsuite.rows("SELECT externalid, foreigntotal FROM transaction")  # with the token from before
    held = {row["externalid"]: Decimal(row["foreigntotal"]) for row in rows}
    assert answered.items() <= held.items()
    assert len(held) - len(answered) <= 8  # at most what was under way in each lane
    assert (await netsuite.control("GET", "clock"))["now"] == "2026-11-02T09:00:00Z"
    late: Any = await netsuite.record("PATCH", "invoice/eid:inv_0_0", {"tranDate": "2026-10-05"})
    assert "closed or locked" in late.json()["o:errorDetails"][0]["detail"]
    new = await netsuite.an_invoice("inv_after", "5")
    assert int(new) > max(
        int(one["id"])
        for one in await netsuite.rows("SELECT MAX(id) AS id FROM transaction WHERE externalid <> 'inv_after'")
    )


async def test_an_answer_waits_for_a_database_that_is_away(netsuite: Driver, stack: Any) -> None:
    stack.kill("postgres")
    waiting = asyncio.create_task(netsuite.record("PUT", "customer/eid:cus_1", BODY))
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    stack.postgres_only()
    answer = await waiting

    assert (done, answer.status_code) == (set(), 204)
    assert await customers(netsuite) == 1
