"""Dying in each gap between two writes: nothing acknowledged is lost, and asking again makes it whole."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from chassis.testing import stored
from contracts_service.testing import a_catalog, asked, terms
from embedded_stack import Stack

from .conftest import Process, Start

KAFKA = "KAFKA_BOOTSTRAP_SERVERS"


def apply(process: Process, **changes: Any) -> httpx.Response:
    body = {"catalog": a_catalog(**changes), "actor": "person:ann", "reason": "as agreed"}
    return process.client.post("/v1/catalog/apply", json=body)


def sign_up(process: Process, customer: str) -> httpx.Response:
    command = asked("sign_up", key=f"{customer}-1", terms=terms())
    return process.client.post(f"/v1/contracts/{customer}/commands", json=command)


def published(process: Process, customer: str) -> dict[str, Any]:
    """The newest revision once it is on the bus."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found: dict[str, Any] = process.client.get(f"/v1/contracts/{customer}/history").json()["revisions"][-1]
        if found["state"] != "due":
            return found
    raise AssertionError("it was not published in time")


async def on_the_bus(stack: Stack, customer: str) -> dict[str, list[str]]:
    """Ids of the records about a customer, by topic."""
    found: dict[str, list[str]] = {}
    for topic in ("contracts", "contract.changes"):
        records = [json.loads(one.value or b"") for one in await stored(stack.urls.env()[KAFKA], topic, 0)]
        found[topic] = [record["id"] for record in records if record["subject"] == customer]
    return found


def test_a_catalogue_is_applied_once_whoever_died_before_saying_so(
    process: Callable[..., Process], customer: str
) -> None:
    name = {"plans__basic__name": customer}
    dying = process(SETTLED_FAILPOINT="contracts.catalog.before-answer")
    with pytest.raises(httpx.TransportError):
        apply(dying, **name)
    assert dying.dead() == -9

    again = apply(process(), **name)

    assert (again.status_code, again.json()["changes"]) == (200, [])


@pytest.mark.parametrize("gap", ["command.before-answer", "publish.between-topics", "publish.before-mark"])
async def test_a_contract_is_made_once_and_published_whole(
    gap: str, process: Callable[..., Process], start: Start, customer: str, stack: Stack
) -> None:
    async with start() as running:
        await running.apply()
    dying = process(SETTLED_FAILPOINT=f"contracts.{gap}")
    if gap == "command.before-answer":
        with pytest.raises(httpx.TransportError):  # nothing was acknowledged
            sign_up(dying, customer)
    else:
        assert sign_up(dying, customer).status_code == 200  # publishing comes after the answer
    assert dying.dead() == -9

    revived = process()
    again = sign_up(revived, customer)

    assert (again.status_code, again.json()["revision"], again.json()["repeated"]) == (200, 1, True)
    assert published(revived, customer)["state"] == "published"
    found, once = await on_the_bus(stack, customer), f"{customer}/1"
    assert found["contracts"] == [once] * (1 if gap == "command.before-answer" else 2)
    assert found["contract.changes"] == [once] * (2 if gap == "publish.before-mark" else 1)
