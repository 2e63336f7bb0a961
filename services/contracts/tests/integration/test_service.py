"""Commands and the catalogue over HTTP, on real PostgreSQL and Kafka."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from pydantic import TypeAdapter

from contracts_service.testing import a_catalog, asked, terms
from event_schemas.contract_v2 import AnyContract, ContractV2
from event_schemas.contracts import Contract

from .conftest import Start, sign_up

CONTRACTS: TypeAdapter[Contract | ContractV2] = TypeAdapter(AnyContract)


async def test_a_catalogue_is_planned_applied_and_shown(start: Start, fresh_database: str) -> None:
    async with start(fresh_database) as running:
        body = {"catalog": a_catalog()}
        planned = (await running.client.post("/v1/catalog/plan", json=body)).json()
        assert (planned["number"], len(planned["changes"]), planned["refusals"]) == (0, 22, [])
        assert (await running.client.get("/v1/catalog")).json() == {"number": 0, "catalog": {}}

        first, second = await running.apply(), await running.apply()
        assert (first.json()["number"], second.json()["number"], second.json()["changes"]) == (1, 1, [])
        assert (await running.client.get("/v1/catalog")).json()["number"] == 1

        assert (await running.do("acme", sign_up("c-1"))).status_code == 200
        edited = {"plans__basic__prices": {"USD": "45", "JPY": "5800"}}
        refused = await running.apply(**edited)
        assert (refused.status_code, refused.json()["code"]) == (422, "price_in_use")
        assert "1 customer has agreed to version 1 of the plan basic" in refused.json()["detail"]
        assert (await running.apply(**edited, plans__basic__version=2)).json()["number"] == 2

        second_customer = await running.do("beta", sign_up("c-2"))
        assert second_customer.json()["contract"]["items"][0]["price"]["unit_price"] == "45"
        unchanged = (await running.client.get("/v1/contracts/acme")).json()
        assert unchanged["contract"]["items"][0]["price"]["unit_price"] == "39"
        stale = await running.client.post(
            "/v1/catalog/apply", json={**body, "actor": "person:ann", "reason": "late", "number": 1}
        )
        assert (stale.status_code, stale.json()["code"]) == (409, "catalog_moved")


async def test_every_mistake_of_a_catalogue_is_told(start: Start) -> None:
    async with start() as running:
        refused = await running.apply(plans__basic__policy="strict", coupons__welcome__percent="101")

    assert (refused.status_code, refused.json()["code"]) == (422, "catalog_refused")
    assert {one["field"] for one in refused.json()["mistakes"]} == {"plans.basic.policy", "coupons.welcome.percent"}


async def test_a_command_is_carried_out_once_for_each_key(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        first = await running.do(customer, sign_up(f"{customer}-1"))
        again = await running.do(customer, sign_up(f"{customer}-1"))
        other = await running.do(customer, sign_up(f"{customer}-1", seats=9))
        elsewhere = await running.do(f"{customer}-2", sign_up(f"{customer}-1"))

        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json() == first.json() | {"repeated": True}
        assert [(r.status_code, r.json()["code"]) for r in (other, elsewhere)] == [(409, "key_reused")] * 2
        history = (await running.client.get(f"/v1/contracts/{customer}/history")).json()
        assert [(r["revision"], r["command"], r["asked_by"]) for r in history["revisions"]] == [
            (1, "sign_up", "test-admin")
        ]


async def test_a_dry_run_and_a_refusal_write_nothing(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        dry = await running.do(customer, sign_up(f"{customer}-1"), dry_run=True)
        no = await running.do(customer, sign_up(f"{customer}-1", plan="max"))
        gone = await running.client.get(f"/v1/contracts/{customer}")

        assert (dry.json()["revision"], dry.json()["dry_run"]) == (1, True)
        assert (dry.json()["money"]["before_minor"], dry.json()["money"]["after_minor"]) == (0, 11700)
        assert (no.status_code, no.json()["code"], no.json()["field"]) == (422, "unknown_plan", "plan")
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_customer")
        assert (await running.do(customer, sign_up(f"{customer}-1"))).json()["repeated"] is False


async def test_bad_input_is_told_and_nothing_of_it_is_kept(start: Start, customer: str) -> None:
    ramp = [{"at": "2026-06-10T12:00:00Z", "quantity": 1}]
    commitment = {"meter": "resolution", "unit_price": "1", "bill": "advance", "currency": "EUR", "ramp": ramp}
    bad: list[tuple[dict[str, Any], str, str]] = [
        (asked("commit", commitment=commitment), "other_currency", "commitments.resolution-commitment.currency"),
        (asked("give_discount", percent="100.01"), "discount_percent", "percent"),
        (asked("change_seats", at="2026-04-10T12:00:00Z", quantity=4), "period_closed", "at"),
        (asked("change_seats", quantity=-1), "invalid_request", "body.change_seats.quantity"),
        (asked("change_seats", quantity=10**9), "invalid_request", "body.change_seats.quantity"),
        (asked("set_alerts", meter="resolution", thresholds=[9, 5]), "thresholds_unsorted", "alerts"),
    ]
    async with start() as running:
        await running.apply()
        await running.do(customer, sign_up(f"{customer}-1"))
        running.clock.set(datetime(2026, 5, 11, tzinfo=UTC))
        for command, code, field in bad:
            answer = await running.do(customer, command | {"key": f"{customer}-{code}"})
            assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
            assert field in answer.text
            assert answer.json()["detail"]
        history = (await running.client.get(f"/v1/contracts/{customer}/history")).json()["revisions"]
        assert [one["revision"] for one in history] == [1]
        free = await running.do(customer, asked("change_seats", key=f"{customer}-period_closed", quantity=4))
        assert free.json()["revision"] == 2


async def test_a_text_that_no_database_stores_is_refused(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        quote = {
            "quote": f"Q-{customer}",
            "customer": customer,
            "deal": "D",
            "actor": "crm",
            "terms": terms(name="a\0"),
        }
        answers = [
            await running.apply(plans__basic__name="Ba\0sic"),
            await running.do(customer, sign_up(f"{customer}-1", name="Ac\0me")),
            await running.do(customer, sign_up(f"{customer}-1", billing_email="\0@acme.example")),
            await running.client.post("/v1/quotes", json=quote | {"valid_until": "2026-03-01T00:00:00Z"}),
        ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "malformed")] * 4


async def test_of_two_changes_at_once_one_wins_and_the_other_is_told(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        await running.do(customer, sign_up(f"{customer}-1"))
        commands = [asked("change_seats", key=f"{customer}-{n}", quantity=n) for n in range(10, 14)]
        answers = await asyncio.gather(*(running.do(customer, command) for command in commands))
        history = (await running.client.get(f"/v1/contracts/{customer}/history")).json()["revisions"]

        won = [answer.json()["revision"] for answer in answers if answer.status_code == 200]
        told = {(a.status_code, a.json()["code"]) for a in answers if a.status_code != 200}
        assert won
        assert sorted(won) == list(range(2, 2 + len(won)))
        assert told <= {(409, "changed_meanwhile")}
        assert [r["revision"] for r in history] == list(range(1, 2 + len(won)))

        looked = await running.do(
            customer, asked("change_seats", key=f"{customer}-late", quantity=20, expected_revision=1)
        )
        assert (looked.status_code, looked.json()["code"]) == (409, "revision_moved")


async def test_the_same_key_at_once_is_one_revision(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        answers = await asyncio.gather(*(running.do(customer, sign_up(f"{customer}-1")) for _ in range(4)))

        assert {answer.status_code for answer in answers} == {200}
        assert sorted(answer.json()["repeated"] for answer in answers) == [False, True, True, True]


async def test_a_deal_and_a_sign_up_give_the_same_contract(start: Start, customer: str) -> None:
    async with start() as running:
        await running.apply()
        quote = {"quote": f"Q-{customer}", "customer": customer, "deal": "D-7", "actor": "crm", "terms": terms()}
        quote |= {"valid_until": "2026-03-01T00:00:00Z"}
        made = await running.client.post("/v1/quotes", json=quote)
        again = await running.client.post("/v1/quotes", json=quote)
        edited = await running.client.post("/v1/quotes", json=quote | {"terms": terms(seats=4)})
        signed = await running.do(customer, asked("sign", key=f"{customer}-1", quote=quote["quote"]))
        web = await running.do(f"{customer}-web", sign_up(f"{customer}-2"))

        assert (made.status_code, again.json(), edited.json()["code"]) == (201, made.json(), "quote_exists")
        deal, own = signed.json()["contract"], web.json()["contract"]
        assert (deal.pop("channel"), own.pop("channel")) == ("sales_led", "self_serve")
        assert (deal.pop("customer"), own.pop("customer")) == (customer, f"{customer}-web")
        assert (deal["history"][0].pop("channel"), own["history"][0].pop("channel")) == ("sales_led", "self_serve")
        assert deal == own


async def test_what_version_1_can_say_is_published_and_the_rest_waits(start: Start, customer: str) -> None:
    async with start(publish_version_2=False) as running:
        await running.apply()
        await running.do(customer, sign_up(f"{customer}-1"))
        await running.do(customer, asked("change_seats", key=f"{customer}-2", at="2026-03-10T12:00:00Z", quantity=5))
        await running.published()
        row = await _row(running, customer)
        contracts, changes = [await running.records(topic, customer) for topic in ("contracts", "contract.changes")]

        assert (row["state"], row["why"]) == ("waiting_for_readers", "the number of basic_seat changes")
        assert [(r["data"]["revision"], "schema_version" in r["data"]) for r in contracts] == [(1, False)]
        assert CONTRACTS.validate_python(contracts[0]["data"]).revision == 1
        assert [(r["data"]["command"], r["data"]["changes"][0]["sentence"]) for r in changes] == [
            ("sign_up", "3 of basic_seat from 2026-02-10T12:00:00Z"),
            ("change_seats", "5 of basic_seat from 2026-03-10T12:00:00Z"),
        ]

        await running.do(customer, asked("undo", key=f"{customer}-3", revision=2))
        await running.published()
        assert [r["data"]["revision"] for r in await running.records("contracts", customer)] == [1, 3]
        history = (await running.client.get(f"/v1/contracts/{customer}/history")).json()["revisions"]
        assert [r["state"] for r in history] == ["published", "superseded", "published"]


async def test_what_waits_goes_out_once_readers_take_version_2(start: Start, customer: str) -> None:
    async with start(publish_version_2=False) as running:
        await running.apply()
        await running.do(customer, sign_up(f"{customer}-1", trial=True))
        await running.published()
        assert (await _row(running, customer))["why"] == "it has a trial"
        assert await running.records("contracts", customer) == []

    async with start(publish_version_2=True) as running:
        await running.published()
        (record,) = await running.records("contracts", customer)

        contract = CONTRACTS.validate_python(record["data"])
        assert isinstance(contract, ContractV2)
        assert contract.trial is not None
        assert (await _row(running, customer))["state"] == "published"


async def _row(running: Any, customer: str) -> dict[str, Any]:
    answer = await running.client.get("/v1/contracts", params={"after": customer[:-1], "limit": 1000})
    row: dict[str, Any] = next(row for row in answer.json()["contracts"] if row["customer"] == customer)
    return row


@pytest.mark.parametrize("table", ["revisions", "catalogs", "uses", "commands", "quotes"])
async def test_what_was_agreed_cannot_be_edited_by_the_service(database_url: str, table: str) -> None:
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "contracts_app", "search_path": "contracts"}
    )
    try:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {_COLUMN[table]} = {_COLUMN[table]}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


_COLUMN = {"revisions": "command", "catalogs": "document", "uses": "key", "commands": "revision", "quotes": "document"}
