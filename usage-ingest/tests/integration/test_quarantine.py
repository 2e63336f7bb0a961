"""The quarantine: kept with its reason, listed, counted, driven again; and what readers of the bus hand back."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest

from usage_ingest.testing import Running, accepted, an_event, produce


@pytest.fixture
def source() -> str:
    return f"urn:quarantine:{os.urandom(4).hex()}"


@pytest.fixture
def customer() -> str:
    return f"customer-{os.urandom(4).hex()}"


def rows_of(service: Running, operator: str, **criteria: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/quarantine", operator, **criteria)["items"]
    return items


def test_the_same_event_delivered_again_is_one_row_and_counts_each_delivery(
    service: Running, operator: str, source: str
) -> None:
    event = an_event(1, source=source, type="chat")
    before = service.get("/v1/counts")

    service.send([event, event], operator)
    service.send([event], operator)
    service.send([an_event(1, source=source, type="chat", subject="other content")], operator)

    rows = rows_of(service, operator, source=source)
    after = service.get("/v1/counts")
    assert [(row["event_id"], row["deliveries"]) for row in rows] == [("e1", 3), ("e1", 1)]
    assert after["by_reason"]["unknown_type"] - before["by_reason"].get("unknown_type", 0) == 4
    assert after["received"] - before["received"] == 4
    assert after["received"] == after["accepted"] + after["quarantined"]


def test_content_is_kept_only_where_it_fits_the_schema(
    service: Running, operator: str, source: str, customer: str
) -> None:
    service.send(
        [
            an_event(1, source=source, customer=customer, note="dropped"),
            an_event(2, source=source, time="2020-01-01T00:00:00Z"),
            an_event(3, source=source, time="2027-01-01T00:00:00Z"),
            an_event(4, source=source, data={"signal": "ai_answer", "text": "hunter2"}),
            an_event(5, source=source, subject="white space", data={"signal": "hunter2"}),
        ],
        operator,
    )

    rows = {row["event_id"]: row for row in rows_of(service, operator, source=source)}
    assert {name: row["event"] is not None for name, row in rows.items()} == {
        "e1": True,
        "e2": True,
        "e3": True,
        "e4": False,
        "e5": False,
    }
    assert rows["e1"]["event"]["receivedat"] == "2026-03-02T10:00:10Z"
    assert rows["e5"]["subject"] is None
    assert rows["e4"]["field"] == "data"
    assert rows["e4"]["detail"].startswith("data holds a field that its type does not have")
    assert "hunter2" not in json.dumps(rows)


def test_a_replay_keeps_the_id_and_the_first_received_at(
    service: Running, operator: str, source: str, customer: str, base_env: dict[str, str]
) -> None:
    event = an_event(1, source=source, customer=customer)
    service.send([event], operator)
    service.send([event], operator)
    before = service.get("/v1/counts")
    too_early = service.post("/v1/quarantine/replay", operator, {"customer": customer})
    service.post("/v1/customers", operator, {"customers": [customer]})

    replayed = service.post("/v1/quarantine/replay", operator, {"customer": customer})
    nothing = service.post("/v1/quarantine/replay", operator, {"customer": customer})

    assert [result["reason"] for result in too_early.json()["results"]] == ["unknown_customer"]
    assert replayed.json()["replayed"] == 1
    assert nothing.json()["results"] == []
    (record,) = accepted(base_env["KAFKA_BOOTSTRAP_SERVERS"], source=source)
    assert (record["id"], record["receivedat"]) == ("e1", "2026-03-02T10:00:10Z")
    (row,) = rows_of(service, operator, source=source, state="replayed")
    assert (row["deliveries"], row["replayed_at"]) == (2, "2026-03-02T10:00:10Z")
    after = service.get("/v1/counts")
    assert after["accepted"] - before["accepted"] == 1
    assert before["quarantined"] - after["quarantined"] == 2
    assert after["folded"] - before["folded"] == 1
    assert after["received"] == after["accepted"] + after["quarantined"]


def test_what_cannot_be_replayed_says_why(service: Running, operator: str, source: str) -> None:
    service.send(
        [an_event(1, source=source, type="chat"), an_event(2, source=source, time="2020-01-01T00:00:00Z")], operator
    )
    ids = [row["id"] for row in rows_of(service, operator, source=source)]

    answer = service.post("/v1/quarantine/replay", operator, {"ids": ids})

    assert answer.status_code == 200
    assert [(result["status"], result["reason"]) for result in answer.json()["results"]] == [
        ("still_quarantined", "unknown_type"),
        ("still_quarantined", "too_old"),
    ]
    assert len(rows_of(service, operator, source=source)) == 2


def test_lists_and_replays_go_page_by_page(service: Running, operator: str, source: str, customer: str) -> None:
    service.send([an_event(number, source=source, customer=customer) for number in range(7)], operator)
    service.post("/v1/customers", operator, {"customers": [customer]})

    first = service.get("/v1/quarantine", operator, customer=customer, limit=5)
    second = service.get("/v1/quarantine", operator, customer=customer, limit=5, after=first["next_after"])
    driven = service.post("/v1/quarantine/replay", operator, {"customer": customer, "limit": 4}).json()
    rest = service.post(
        "/v1/quarantine/replay", operator, {"customer": customer, "limit": 4, "after": driven["next_after"]}
    ).json()

    assert [len(first["items"]), len(second["items"]), second["next_after"]] == [5, 2, None]
    assert [driven["replayed"], rest["replayed"], rest["next_after"]] == [4, 3, None]


def test_a_replay_of_nothing_in_particular_is_refused(service: Running, operator: str) -> None:
    answer = service.post("/v1/quarantine/replay", operator, {})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_customer_with_a_contract_is_known(
    service: Running, operator: str, customer: str, base_env: dict[str, str]
) -> None:
    bootstrap = base_env["KAFKA_BOOTSTRAP_SERVERS"]

    produce(bootstrap, "contracts", "no customer id", b"{}")
    produce(bootstrap, "contracts", customer, b"{}")

    service.wait_until(lambda: service.get("/quiet", at="2026-03-02T10:00:10Z")["quiet"])
    assert service.send([an_event(customer=customer)], operator).json()["accepted"] == 1


def a_return(offset: int, **data: Any) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"events.accepted/3/{offset}",
            "source": "urn:settled:rating",
            "type": "event.quarantined",
            "subject": f"events.accepted/3/{offset}",
            "time": "2026-03-02T11:00:00Z",
            "data": {
                "source_topic": "events.accepted",
                "source_partition": 3,
                "source_offset": offset,
                "reason": "unreadable",
                "detail": "not an event",
                **data,
            },
        }
    ).encode()


def test_what_a_reader_hands_back_is_kept_once_and_counts_apart(
    service: Running, operator: str, source: str, base_env: dict[str, str]
) -> None:
    bootstrap, offset = base_env["KAFKA_BOOTSTRAP_SERVERS"], int.from_bytes(os.urandom(4))
    readable = a_return(offset + 1, event=an_event(1, source=source, receivedat="2026-03-02T10:00:09Z"))
    before = service.get("/v1/counts")

    for value in (a_return(offset), a_return(offset), readable, b"what is this"):
        produce(bootstrap, "events.quarantined", "3", value)

    service.wait_until(lambda: service.get("/v1/counts")["returned"] == before["returned"] + 3)
    after = service.get("/v1/counts")
    rows = [row for row in rows_of(service, operator, reason="unreadable", limit=1000) if row["origin"] == "reader"]
    assert (after["received"], after["quarantined"]) == (before["received"], before["quarantined"])
    assert [row["record"] for row in rows[-3:-1]] == [f"events.accepted/3/{offset}", f"events.accepted/3/{offset + 1}"]
    assert (rows[-2]["event_id"], rows[-2]["received_at"]) == ("e1", "2026-03-02T10:00:09Z")
    assert rows[-1]["record"].startswith("events.quarantined/0/")
    replayed = service.post("/v1/quarantine/replay", operator, {"ids": [rows[-2]["id"], rows[-3]["id"]]})
    assert [result["status"] for result in replayed.json()["results"]] == ["still_quarantined", "replayed"]


def test_senders_that_repeat_the_same_bad_events_at_once_neither_deadlock_nor_lose_a_count(
    service: Running, operator: str, source: str
) -> None:
    events = [an_event(number, source=source, type="chat") for number in range(60)]
    batches = [events if turn % 2 else events[::-1] for turn in range(24)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda batch: service.send(batch, operator), batches))

    rows = rows_of(service, operator, source=source, limit=1000)
    assert {answer.status_code for answer in answers} == {202}
    assert [row["deliveries"] for row in rows] == [24] * 60


def test_two_replays_at_once_put_each_event_on_the_bus_once(
    service: Running, operator: str, source: str, customer: str, base_env: dict[str, str]
) -> None:
    service.send([an_event(number, source=source, customer=customer) for number in range(200)], operator)
    service.post("/v1/customers", operator, {"customers": [customer]})

    with ThreadPoolExecutor(4) as pool:
        replay = {"customer": customer}
        answers = list(pool.map(lambda _: service.post("/v1/quarantine/replay", operator, replay), range(4)))

    assert sum(answer.json()["replayed"] for answer in answers) == 200
    assert len(accepted(base_env["KAFKA_BOOTSTRAP_SERVERS"], source=source)) == 200


async def test_the_services_own_role_cannot_delete_what_waits(service: Running, base_env: dict[str, str]) -> None:
    connection = await asyncpg.connect(base_env["DATABASE_URL"])
    try:
        await connection.execute("SET ROLE ingest_app")

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM ingest.quarantine")
    finally:
        await connection.close()
