"""Whole contracts over HTTP: all of a request or none, once; two at once do not mix; the bus gets what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chassis.testing import stored
from contracts_service.agreements.domain.commands import Agree
from contracts_service.agreements.domain.decide import Decided
from contracts_service.agreements.store import append_revision
from contracts_service.testing import a_catalog, asked, from_the_file, terms
from embedded_stack import Stack
from event_schemas.contract_v2 import from_version_1
from event_schemas.contract_v2.testing import a_document
from event_schemas.contracts import Contract

from .conftest import NOW, Process, Running, Start
from .test_gaps import KAFKA, published

DEARER = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "1.99"}}]


def request(*documents: dict[str, Any], name: str = "file", **fields: Any) -> dict[str, Any]:
    """These contracts as one request, each command under a key of its own."""
    commands = [
        asked("agree", contract=one, **fields) | {"key": f"{name}-{one.get('customer')}-{one.get('revision')}"}
        for one in documents
    ]
    return {"commands": commands}


async def agree(running: Running, *documents: dict[str, Any], **fields: Any) -> httpx.Response:
    return await running.client.post("/v1/contracts", json=request(*documents, **fields))


async def test_a_file_is_agreed_on_once_and_stands_on_the_bus_as_it_was_written(
    start: Start, fresh_database: str, customer: str
) -> None:
    """Where no catalogue is applied: a whole contract asks for none."""
    names = [f"{customer}-{place:03d}" for place in range(150)]
    documents = [from_the_file(name) for name in names]
    async with start(fresh_database) as running:
        first = await agree(running, *documents)
        again = await agree(running, *documents, name="again")
        repeated = await agree(running, *documents)
        await running.published()
        records = [json.loads(one.value or b"") for one in await stored(running.kafka, "contracts", 0)]

    assert [row["repeated"] for row in first.json()["contracts"]] == [False] * 150
    for answer in (again, repeated):
        assert [row["repeated"] for row in answer.json()["contracts"]] == [True] * 150
    found = [one["data"] for one in records if one["subject"] in names]
    assert [Contract.model_validate(one) for one in found] == [Contract.model_validate(one) for one in documents]


async def test_all_of_a_request_is_agreed_on_or_nothing_and_every_reason_is_told(start: Start, customer: str) -> None:
    names = [f"{customer}-{place}" for place in range(4)]
    async with start() as running:
        await agree(running, from_the_file(names[0], revision=2))
        refused = await agree(
            running,
            from_the_file(names[3]),
            from_the_file(names[0], revision=2, metered=DEARER),
            from_the_file(names[1], currency="DOLLAR"),
            a_document(customer=names[2], revision=7),
            name="second",
        )
        gone = [(await running.client.get(f"/v1/contracts/{name}")).status_code for name in names]

    assert refused.status_code == 422
    assert [(one["customer"], one["code"]) for one in refused.json()["refusals"]] == [
        (names[0], "revision_differs"),
        (names[1], "unknown_word"),
        (names[2], "revision_without_history"),
    ]
    assert gone == [200, 404, 404, 404]


async def test_a_dry_run_writes_nothing_and_a_request_names_nobody_twice(start: Start, customer: str) -> None:
    async with start() as running:
        body = request(from_the_file(customer))
        tried = await running.client.post("/v1/contracts", json=body, params={"dry_run": True})
        gone = await running.client.get(f"/v1/contracts/{customer}")
        twice = await agree(running, from_the_file(customer), from_the_file(customer, revision=2))
        reused = [await agree(running, from_the_file(customer), reason=reason) for reason in ("a", "b")]

    assert (tried.json()["dry_run"], tried.json()["contracts"][0]["revision"], gone.status_code) == (True, 1, 404)
    assert (twice.status_code, twice.json()["code"]) == (422, "named_twice")
    assert [one.status_code for one in reused] == [200, 409]
    assert reused[1].json()["code"] == "key_reused"


async def test_a_contract_that_version_1_cannot_say_says_why_it_waits(start: Start, customer: str) -> None:
    trial = {"from": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00Z", "allowances": []}
    document = a_document(customer=customer, billing_anchor="2026-03-01T00:00:00Z", trial=trial)
    async with start(publish_version_2=False) as running:
        waiting = await agree(running, document)
        await running.published()
        assert await running.records("contracts", customer) == []

    assert waiting.status_code == 200, waiting.text
    assert waiting.json()["contracts"][0]["waits"] == "it has a trial"


async def test_with_version_2_each_goes_out_in_the_lowest_version_that_says_it(start: Start, customer: str) -> None:
    async with start(publish_version_2=True) as running:
        await running.apply()
        await agree(running, from_the_file(customer))
        await running.published()
        more = asked("change_seats", key=f"{customer}-2", at="2026-03-10T12:00:00Z", quantity=5, product="basic_seat")
        await running.do(customer, more)
        await running.do(customer, asked("undo", key=f"{customer}-3", revision=2))
        await running.published()
        records = await running.records("contracts", customer)

    versions = [(one["data"]["revision"], one["data"].get("schema_version", 1)) for one in records]
    assert versions == [(1, 1), (2, 2), (3, 2)]  # the third could be said in version 1, and readers know the second


def test_of_two_processes_one_wins_and_the_other_is_told(process: Callable[..., Process], customer: str) -> None:
    """Two processes, two clients, one database: each revision is one file's whole, and no loser is left in the dark."""
    processes = (process(), process())
    names = [f"{customer}-{place}" for place in range(20)]
    processes[0].client.post("/v1/contracts", json=request(*map(from_the_file, names))).raise_for_status()

    def apply(place: int) -> httpx.Response:
        priced = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": f"{place + 2}"}}]
        ordered = names if place else names[::-1]
        documents = [from_the_file(name, revision=2, metered=priced) for name in ordered]
        return processes[place].client.post("/v1/contracts", json=request(*documents, name=f"of-{place}"))

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(apply, range(2)))

    won = [place for place, answer in enumerate(answers) if answer.status_code == 200]
    assert len(won) == 1, [answer.text for answer in answers]
    lost = answers[1 - won[0]].json()
    assert (lost["code"], lost["status"]) in {("changed_meanwhile", 409), ("revision_differs", 422)}
    for name in names:
        contract = processes[1].client.get(f"/v1/contracts/{name}").json()["contract"]
        (item,) = [one for one in contract["items"] if one["kind"] == "metered"]
        assert (contract["revision"], item["price"]["unit_price"]) == (2, f"{won[0] + 2}")


def test_of_two_commands_through_two_processes_one_wins(process: Callable[..., Process], customer: str) -> None:
    processes = (process(), process())
    body = {"commands": [asked("agree", key=f"{customer}-1", contract=from_the_file(customer))]}
    processes[0].client.post("/v1/contracts", json=body).raise_for_status()

    def change(place: int) -> httpx.Response:
        command = asked("change_seats", key=f"{customer}-of-{place}", quantity=10 + place, product="basic_seat")
        path = f"/v1/contracts/{customer}/commands"
        return processes[place].client.post(path, json=command | {"expected_revision": 1})

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(change, range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 409], [answer.text for answer in answers]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert lost["code"] in {"changed_meanwhile", "revision_moved"}
    history = processes[0].client.get(f"/v1/contracts/{customer}/history").json()["revisions"]
    assert [one["revision"] for one in history] == [1, 2]


def test_of_a_file_and_a_command_through_two_processes_none_is_lost(
    process: Callable[..., Process], customer: str
) -> None:
    """The file's number leaves one out, so that the numbers of both would never collide."""
    processes = (process(), process())
    names = [f"{customer}-{place}" for place in range(10)]
    processes[0].client.post("/v1/contracts", json=request(*map(from_the_file, names))).raise_for_status()

    def apply(name: str) -> httpx.Response:
        body = request(from_the_file(name, revision=3, metered=DEARER), name="late")
        return processes[0].client.post("/v1/contracts", json=body)

    def rename(name: str) -> httpx.Response:
        command = asked("change_billing", key=f"{name}-renamed", name="Acme Group")
        return processes[1].client.post(f"/v1/contracts/{name}/commands", json=command)

    with ThreadPoolExecutor(2) as pool:
        for name in names:
            answers = [one.result() for one in (pool.submit(apply, name), pool.submit(rename, name))]
            told = [(answer.status_code, answer.json().get("code")) for answer in answers]
            history = processes[0].client.get(f"/v1/contracts/{name}/history").json()["revisions"]
            contract = processes[1].client.get(f"/v1/contracts/{name}").json()["contract"]

            assert set(told) <= {(200, None), (409, "changed_meanwhile"), (422, "beyond_version_1")}, told
            stored = [row["revision"] for row in history]
            assert stored in ([1, 2], [1, 3], [1, 3, 4]), told  # the file never comes over the command
            assert len(stored) == 1 + told.count((200, None))
            last = "Acme Ltd" if stored == [1, 3] else "Acme Group"
            assert (contract["revision"], contract["billing"][-1]["name"]) == (stored[-1], last)


async def test_a_revision_is_followed_once_whatever_numbers_come_after_it(start: Start, customer: str) -> None:
    """What both transactions of such a race do in the end, one after the other."""
    command = Agree.model_validate(asked("agree", contract=from_the_file(customer)))
    decided = [
        Decided(
            from_version_1(Contract.model_validate(from_the_file(customer, revision=number)), agreed_at=NOW),
            frozenset(),
            follows=follows,
        )
        for number, follows in ((1, 0), (3, 1), (2, 1), (4, 1), (4, 3))
    ]
    async with start() as running, running.service.parts.engine.begin() as connection:
        stored = [await append_revision(connection, one, command, catalog=0, asked_by="test") for one in decided]

    assert stored == [True, True, False, False, True]


def test_a_sign_up_and_a_deal_through_two_processes_differ_in_channel_and_actor_alone(
    process: Callable[..., Process], customer: str
) -> None:
    web, sales = process(), process()
    begin = {"at": "2030-01-01T00:00:00Z"}
    quote = {"quote": f"Q-{customer}", "customer": f"{customer}-deal", "deal": "D-7", "actor": "crm", "terms": terms()}
    catalogue = {"catalog": a_catalog(), "actor": "person:ann", "reason": "as agreed"}
    web.client.post("/v1/catalog/apply", json=catalogue).raise_for_status()
    sales.client.post("/v1/quotes", json=quote | {"valid_until": "2199-01-01T00:00:00Z"}).raise_for_status()
    signed_up = asked("sign_up", key=f"{customer}-1", actor="self-serve", terms=terms(), **begin)
    signed = asked("sign", key=f"{customer}-2", actor="crm", quote=quote["quote"], **begin)

    own = web.client.post(f"/v1/contracts/{customer}-web/commands", json=signed_up).json()["contract"]
    deal = sales.client.post(f"/v1/contracts/{customer}-deal/commands", json=signed).json()["contract"]

    who = {"channel", "customer", "history"}
    assert {name: own[name] for name in own.keys() - who} == {name: deal[name] for name in deal.keys() - who}
    (mine,), (theirs,) = own["history"], deal["history"]
    differing = {name for name in mine if mine[name] != theirs[name]}
    assert differing == {"actor", "channel", "agreed_at"}  # and when, as time goes on between two requests


@pytest.mark.parametrize("gap", ["command.before-answer"])
async def test_a_request_is_carried_out_once_whoever_died_before_saying_so(
    gap: str, process: Callable[..., Process], customer: str, stack: Stack
) -> None:
    body = request(*(from_the_file(f"{customer}-{place}") for place in range(3)))
    dying = process(SETTLED_FAILPOINT=f"contracts.{gap}")
    with pytest.raises(httpx.TransportError):
        dying.client.post("/v1/contracts", json=body)
    assert dying.dead() == -9

    revived = process()
    again = revived.client.post("/v1/contracts", json=body).json()["contracts"]

    assert [(row["revision"], row["repeated"]) for row in again] == [(1, True)] * 3
    assert published(revived, f"{customer}-2")["state"] == "published"
    records = [json.loads(one.value or b"") for one in await stored(stack.urls.env()[KAFKA], "contracts", 0)]
    assert [one["id"] for one in records if one["subject"].startswith(customer)] == [
        f"{customer}-{place}/1" for place in range(3)
    ]
