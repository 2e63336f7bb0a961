"""Keys: scopes, quotas, rotation, revocation, and who may do what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.testing import HouseKeys
from usage_ingest.testing import Running, an_event


@pytest.fixture
def patient(service: Running) -> Any:
    """Waits until a key opens, or no longer does: keys are refreshed about every second."""

    def wait(key: str, *, opens: bool) -> None:
        service.wait_until(lambda: (service.send([], key).status_code == 202) == opens, within_s=10)

    return wait


def test_events_outside_the_scope_are_refused_and_the_others_stored(service: Running, keys: Any, patient: Any) -> None:
    _, key = keys.make("--source", "urn:helpdesk:*", "--customer", "acme")
    patient(key, opens=True)

    answer = service.send(
        [
            an_event(1),
            an_event(2, source="urn:shop"),
            an_event(3, customer="beta"),
            an_event(4, customer="beta", id=""),
        ],
        key,
    )

    assert answer.status_code == 202
    assert [(result["status"], result.get("reason")) for result in answer.json()["results"]] == [
        ("accepted", None),
        ("refused", "forbidden_source"),
        ("refused", "forbidden_customer"),
        ("refused", "forbidden_customer"),
    ]
    assert answer.json()["refused"] == 3


def test_a_request_of_which_nothing_is_allowed_is_403(service: Running, keys: Any, patient: Any, operator: str) -> None:
    _, key = keys.make("--customer", "beta")
    patient(key, opens=True)
    before = service.get("/v1/counts")["received"]

    answer = service.send([an_event(1), an_event(2)], key)

    assert (answer.status_code, answer.json()["code"]) == (403, "nothing_allowed")
    assert [result["reason"] for result in answer.json()["results"]] == ["forbidden_customer"] * 2
    assert service.get("/v1/counts")["received"] == before


def test_a_quota_refuses_the_whole_request_and_stores_nothing(service: Running, keys: Any, patient: Any) -> None:
    _, key = keys.make("--quota-per-second", "0.5", "--burst", "10")
    patient(key, opens=True)
    before = service.get("/v1/counts")["received"]

    first = service.send([an_event(number) for number in range(8)], key)
    second = service.send([an_event(number) for number in range(8)], key)
    never = service.send([an_event(number) for number in range(11)], key)

    assert first.status_code == 202
    assert (second.status_code, second.json()["code"]) == (429, "quota_exceeded")
    assert 10 <= int(second.headers["retry-after"]) <= 12
    assert (never.status_code, never.json()["code"]) == (413, "over_burst")
    assert service.get("/v1/counts")["received"] == before + 8


def test_a_revoked_key_is_shut_out_soon_and_for_good(service: Running, keys: Any, patient: Any) -> None:
    name, key = keys.make()
    patient(key, opens=True)

    keys.run("revoke", name)

    patient(key, opens=False)
    with pytest.raises(AssertionError, match="was revoked"):
        keys.run("rotate", name)
    with pytest.raises(AssertionError, match="already"):
        keys.run("create", "--name", name)


def test_after_a_rotation_both_secrets_open_until_the_overlap_ends(service: Running, keys: Any, patient: Any) -> None:
    name, old = keys.make()

    new = json.loads(keys.run("rotate", name, "--json"))["key"]
    patient(new, opens=True)
    patient(old, opens=True)
    newest = json.loads(keys.run("rotate", name, "--overlap-hours", "0", "--json"))["key"]

    patient(newest, opens=True)
    patient(new, opens=False)
    patient(old, opens=False)


def test_the_list_shows_no_secret(keys: Any) -> None:
    name, key = keys.make("--customer", "acme")

    listed = keys.run("list", "--json")

    assert key not in listed
    assert name in [row["name"] for row in json.loads(listed)["keys"]]


def test_a_plain_key_may_not_do_what_operators_do(service: Running, keys: Any, patient: Any) -> None:
    _, key = keys.make()
    patient(key, opens=True)

    answers = [
        service.post("/v1/customers", key, {"customers": ["x"]}),
        service.post("/v1/quarantine/replay", key, {"everything": True}),
        service.client.get(f"{service.url}/v1/quarantine", headers={"Authorization": f"Bearer {key}"}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "scope_too_small")] * 3
    assert "; usage-ingest/key-" in answers[0].json()["detail"]
    assert service.client.get(f"{service.url}/v1/quarantine").status_code == 401


def test_an_operators_key_of_an_earlier_state_opens_what_it_opened(service: Running, operator: str) -> None:
    assert service.get("/v1/quarantine", operator)["items"] is not None
    assert service.get("/v1/counts", operator)["received"] >= 0
    assert service.post("/v1/customers", operator, {"customers": ["acme"]}).status_code == 200


def test_a_key_of_the_house_opens_by_its_scope_and_sends_no_events(service: Running, house_keys: HouseKeys) -> None:
    registering = {"customers": ["acme"]}

    assert service.post("/v1/customers", house_keys.read, registering).status_code == 403
    assert service.post("/v1/customers", house_keys.operate, registering).status_code == 200
    assert service.send([an_event()], house_keys.admin).status_code == 401
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if '"audit"' in line]
    mine = [(line["key"], line["route"], line["status"]) for line in lines if line["key"].startswith("test-")]
    assert mine == [("test-read", "/v1/customers", 403), ("test-operate", "/v1/customers", 200)]
    assert house_keys.operate not in service.log.read_text()


def test_the_database_holds_hashes_and_no_secrets(base_env: dict[str, str], keys: Any) -> None:
    import asyncio

    import asyncpg

    _, key = keys.make()

    async def everything() -> str:
        connection = await asyncpg.connect(base_env["DATABASE_URL"])
        try:
            rows = await connection.fetch("SELECT row_to_json(s)::text FROM ingest.key_secrets s")
            return "".join(row[0] for row in rows)
        finally:
            await connection.close()

    assert key.removeprefix("stl_") not in asyncio.run(everything())
