"""Business time: it is kept, it is followed, and it locks what Avalara has filed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from chassis.testing import ClockServer, HouseKeys
from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec
from sandbox.avatax.testing import US_COMPANY, Driver, a_document, write_account
from sandbox.testing import until


async def test_a_list_without_a_date_goes_back_thirty_days_of_business_time(avatax: Driver) -> None:
    """And a filter is Avalara's language, so far as it is carried out."""
    for n, day in enumerate(("2026-08-31", "2026-09-15", "2026-10-14"), 1):
        await avatax.create(code=f"in_{n}", date=day, commit=n == 3)

    async def codes(**params: str) -> list[str]:
        rows = await avatax.ok("GET", "/companies/SETTLED-US/transactions", params=params)
        return [row["code"] for row in rows["value"]]

    assert await codes() == ["in_2", "in_3"]
    assert await codes(**{"$filter": "date between '2026-08-01' and '2026-09-30'"}) == ["in_1", "in_2"]
    assert await codes(**{"$filter": "status eq Committed and date gte 2026-08-01"}) == ["in_3"]
    assert await codes(**{"$filter": "code eq 'in_1' and date gte '2026-01-01' and totalTax gt 8"}) == ["in_1"]
    assert await codes(**{"$top": "1", "$skip": "1"}) == ["in_3"]
    await avatax.control("POST", "clock/advance", to="2026-10-20T00:00:00Z")
    assert await codes() == ["in_3"]


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"$filter": "color eq 'red'"}, (400, "FieldNotQueryableError", 1408)),
        ({"$filter": "code like 'x'"}, (400, "MalformedFilterException", 182)),
        ({"$filter": "date gte 'soon'"}, (400, "InvalidQueryValue", 18)),
        ({"$top": "many"}, (400, "ModelStateInvalid", 70)),
        ({"$orderBy": "code"}, (400, "SandboxUnsupported", 0)),
        ({"$sort": "code"}, (400, "ModelStateInvalid", 70)),
    ],
    ids=str,
)
async def test_a_filter_that_is_not_understood_is_refused(
    avatax: Driver, params: dict[str, str], refusal: object
) -> None:
    assert await avatax.refused("GET", "/companies/SETTLED-US/transactions", params=params) == refusal


async def test_after_the_tenth_what_was_committed_the_month_before_is_locked(avatax: Driver) -> None:
    """For a company that lets Avalara file; what is saved, or of this month, is not, and a late one neither."""
    await avatax.control("POST", "companies", **{**US_COMPANY, "managed_returns": True})
    await avatax.control("POST", "companies", code="OTHER", nexus=["US-NY"])
    await avatax.create(code="of_october", date="2026-10-31", commit=True)
    await avatax.create(code="saved", date="2026-10-31")
    await avatax.create(code="of_november", date="2026-11-01", commit=True)
    await avatax.create(code="elsewhere", companyCode="OTHER", date="2026-10-31", commit=True)
    await avatax.control("POST", "clock/advance", to="2026-11-10T23:59:59Z")
    not_yet = [row["code"] for row in await avatax.control("GET", "dump") if row["locked"] == "True"]
    await avatax.control("POST", "clock/advance", to="2026-11-11T00:00:00Z")
    await avatax.create(code="late", date="2026-10-31", commit=True)
    locked = [row["code"] for row in await avatax.control("GET", "dump") if row["locked"] == "True"]

    assert not_yet == []
    assert locked == ["of_october"]
    model = {"createTransactionModel": a_document(code="of_october", date="2026-10-31")}
    refusal = await avatax.refused("POST", "/transactions/createoradjust", model)
    assert refusal == (400, "CannotModifyLockedTransaction", 1100)


async def test_business_time_never_goes_back_and_a_long_poll_waits_for_it(avatax: Driver) -> None:
    """The same control paths as Stripe's part has."""
    before = await avatax.control("GET", "clock")
    back = await avatax.http.post("/_sandbox/clock/advance", json={"to": "2026-10-14T00:00:00Z"})
    made = await avatax.create()
    moved = await avatax.control("POST", "clock/advance", to="2026-10-16T12:00:00Z")
    again = await avatax.create()
    polled = await avatax.control("GET", f"clock?newer_than={before['version']}&wait_s=5")
    quiet = [
        (await avatax.http.get("/quiet", params={"at": at})).json()["quiet"]
        for at in (moved["now"], "2030-01-01T00:00:00Z")
    ]

    assert (before["now"], back.status_code) == ("2026-10-15T00:00:00Z", 409)
    assert polled == moved
    assert made["modifiedDate"] == "2026-10-15T00:00:00.000"
    assert again["modifiedDate"] == "2026-10-16T12:00:00.000"
    assert quiet == [True, False]


@pytest.fixture
def owner() -> Iterator[ClockServer]:
    """Another sandbox's clock."""
    server = ClockServer(datetime(2026, 10, 1, tzinfo=UTC))
    yield server
    server.close()


async def test_it_follows_another_sandboxs_clock(
    stack: Stack, house_keys: HouseKeys, tmp_path: Path, owner: ClockServer
) -> None:
    """And refuses to be moved by hand; its account has neither address service nor returns."""
    services = Services(tmp_path, {"DATABASE_URL": stack.postgres.url, **house_keys.env})
    account = write_account(tmp_path, services=["AvaTaxPro"])
    env = {"AVATAX_ACCOUNT_FILE": str(account), "SANDBOX_CLOCK_URL": owner.url, "SANDBOX_NAME": "follower"}
    services.start(ServiceSpec("avatax", "sandbox", args=("serve", "avatax"), env=env))
    try:
        services.wait_ready("avatax")
        async with httpx.AsyncClient(base_url=services.url("avatax"), headers=house_keys.header) as client:
            follower = Driver(services.url("avatax"), client)

            async def is_there() -> bool:
                return bool((await follower.control("GET", "clock"))["now"] == "2026-11-02T00:00:00Z")

            owner.step(datetime(2026, 11, 2, tzinfo=UTC))
            await until(is_there)
            by_hand = await client.post("/_sandbox/clock/advance", json={"to": "2026-12-01T00:00:00Z"})
            made = await follower.create(commit=True)
            resolved = await follower.refused("POST", "/addresses/resolve", {"postalCode": "10010"})
            path = "/companies/SETTLED-US/transactions/in_1/lock"
            locked = await follower.refused("POST", path, {"isLocked": True})
    finally:
        services.stop("avatax")

    assert by_hand.status_code == 409
    assert made["modifiedDate"] == "2026-11-02T00:00:00.000"
    assert resolved == locked == (403, "SubscriptionRequired", 600)
