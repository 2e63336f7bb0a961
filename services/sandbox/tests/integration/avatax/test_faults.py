"""The faults one by one: what the caller sees, and what is recorded all the same."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from sandbox.avatax.testing import Driver, a_document

CREATE = "/transactions/create"


async def recorded(avatax: Driver) -> list[str]:
    """The codes of what is recorded."""
    return [row["code"] for row in await avatax.control("GET", "dump")]


@pytest.mark.parametrize(
    ("kind", "refusal", "kept"),
    [
        ("rate_limit_429", (429, "RateLimitExceededError", 1723), []),
        ("error_500_before_commit", (500, "InternalServerError", 209), []),
        ("error_500_after_commit", (500, "InternalServerError", 209), ["in_1"]),
        ("expired_token", (401, "BearerTokenInvalid", 37), []),
        ("account_locked", (401, "AuthenticationException", 30), []),
        ("maintenance", (503, "ServiceNotReady", 1718), []),
    ],
)
async def test_a_refusal_on_purpose(avatax: Driver, kind: str, refusal: Any, kept: list[str]) -> None:
    """Once, as was asked for; the next call goes through."""
    await avatax.fault(kind, path=CREATE, count=1)

    assert await avatax.refused("POST", CREATE, a_document()) == refusal
    assert await recorded(avatax) == kept
    assert (await avatax.create())["status"] == "Saved"


async def test_a_429_says_when_to_come_back(avatax: Driver) -> None:
    """A fault's and that of the account's own limit."""
    await avatax.fault("rate_limit_429", count=1)
    answer = await avatax.raw("GET", "/companies/SETTLED-US/transactions")
    await avatax.control("POST", "limits", requests_per_second=1)
    answers = [await avatax.raw("GET", "/companies/SETTLED-US/transactions") for _ in range(3)]
    await avatax.control("POST", "limits", requests_per_second=5000)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert 429 in [each.status_code for each in answers]


async def test_a_time_out_after_the_write_leaves_it_written(avatax: Driver) -> None:
    """The caller does not know; createoradjust again is right, and makes a second version."""
    await avatax.fault("timeout_after_commit", path="/transactions/createoradjust", count=1, delay_ms=20)
    model = {"createTransactionModel": a_document(commit=True)}
    with pytest.raises(httpx.TransportError):
        await avatax.raw("POST", "/transactions/createoradjust", model)
    again = await avatax.ok("POST", "/transactions/createoradjust", model)

    assert (again["version"], again["status"]) == (2, "Committed")
    assert sorted(row["status"] for row in await avatax.control("GET", "dump")) == ["Adjusted", "Committed"]


async def test_slow_is_under_way_so_long(avatax: Driver) -> None:
    """At least the delay; what bounds it above is the caller's time-out."""
    await avatax.fault("slow", path=CREATE, count=1, delay_ms=300)
    began = time.monotonic()
    await avatax.create()

    assert time.monotonic() - began >= 0.3


async def test_a_gateway_answers_what_is_no_json(avatax: Driver) -> None:
    await avatax.fault("gateway_502", count=1)
    answer = await avatax.raw("POST", CREATE, a_document())

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")


async def test_a_document_that_is_filed_meanwhile_stays_locked(avatax: Driver) -> None:
    """The lock strikes between two calls of the client, and is one like any other."""
    await avatax.create(commit=True)
    await avatax.fault("document_locked", count=1)
    path = "/companies/SETTLED-US/transactions/in_1"
    refusal = await avatax.refused("POST", f"{path}/void", {"code": "DocVoided"})
    body = await avatax.document("in_1")
    model = {"createTransactionModel": a_document()}

    assert refusal == (400, "CannotModifyLockedTransaction", 1100)
    assert (body["locked"], body["status"]) == (True, "Committed")
    assert await avatax.refused("POST", "/transactions/createoradjust", model) == (
        400,
        "CannotModifyLockedTransaction",
        1100,
    )


async def test_ping_answers_in_maintenance_as_everything_does_and_an_expired_token_does_not_stop_it(
    avatax: Driver,
) -> None:
    await avatax.fault("expired_token", count=1)
    ping = await avatax.ok("GET", "/utilities/ping")
    await avatax.fault("maintenance", count=1)

    assert ping["authenticated"] is False
    assert await avatax.refused("GET", "/utilities/ping") == (503, "ServiceNotReady", 1718)


async def test_force_timeout_waits_and_fails(avatax: Driver) -> None:
    """AvaTax's own fault injection; the test's process waits 200 ms in place of its 30 s."""
    params = {"$include": "ForceTimeout"}
    began = time.monotonic()
    refusal = await avatax.refused("POST", CREATE, a_document(), params=params)

    assert time.monotonic() - began >= 0.2
    assert refusal == (500, "TimeoutRequested", 316)
    assert await recorded(avatax) == []


async def test_a_fault_that_is_unknown_is_refused(avatax: Driver) -> None:
    answer = await avatax.http.post("/_sandbox/faults", json={"kind": "webhook_lost"})

    assert answer.status_code == 422
