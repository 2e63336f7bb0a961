"""A 202 keeps the event: what does not fit its schema waits under seal, is healed without resending, and then goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.testing import ClockServer
from usage_ingest.seals import new_key
from usage_ingest.testing import Running, accepted, an_event, command

Start = Callable[..., Running]


@pytest.fixture
def source() -> str:
    return f"urn:sealed:{os.urandom(4).hex()}"


@pytest.fixture
def second_operator(keys: Any) -> tuple[str, str]:
    """(name, secret) of an operator's key of this test alone."""
    made: tuple[str, str] = keys.make("--operator")
    return made


@pytest.fixture
def bootstrap(base_env: dict[str, str]) -> str:
    return base_env["KAFKA_BOOTSTRAP_SERVERS"]


def a_new_field(number: int, source: str, **data: Any) -> dict[str, Any]:
    """An event of a product that has deployed a field which the schema does not have."""
    asked = {"signal": "customer_message", "intent": "question", "sentiment": "cross", **data}
    return an_event(number, source=source, data=asked)


def rows_of(service: Running, operator: str, source: str, **criteria: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/quarantine", operator, source=source, limit=1000, **criteria)[
        "items"
    ]
    return items


def replay(service: Running, operator: str, rows: list[dict[str, Any]], **more: Any) -> Any:
    answer = service.post("/v1/quarantine/replay", operator, {"ids": [row["id"] for row in rows], **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def query(base_env: dict[str, str], statement: str, *arguments: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(base_env["DATABASE_URL"])
    try:
        found: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        return found
    finally:
        await connection.close()


async def sealed_contents(base_env: dict[str, str], rows: list[dict[str, Any]]) -> int:
    ids = [row["id"] for row in rows]
    return len(await query(base_env, "SELECT FROM ingest.sealed_contents WHERE quarantine_id = ANY($1)", ids))


class TestHealing:
    async def test_a_products_new_field_for_a_day_is_healed_without_resending(
        self,
        start: Start,
        clock: ClockServer,
        second_operator: tuple[str, str],
        operator: str,
        source: str,
        base_env: dict[str, str],
    ) -> None:
        service = start()
        ops, ops_key = second_operator
        for _ in range(24):
            clock.step(clock.now + timedelta(hours=1))
            service.wait_until(lambda: service.get("/quiet", at=clock.now.isoformat())["quiet"])
            hour = clock.now.hour + 100 * clock.now.day
            events = [{**a_new_field(hour * 10 + n, source), "time": clock.now.isoformat()} for n in range(5)]
            assert service.send(events, operator).json()["quarantined"] == 5
        waiting = rows_of(service, operator, source)
        counts = service.get("/v1/counts")

        answer = replay(service, ops_key, waiting, drop=["data.sentiment"])

        assert (len(waiting), answer["replayed"], answer["still_quarantined"]) == (120, 120, 0)
        records = {record["id"]: record for record in accepted(base_env["KAFKA_BOOTSTRAP_SERVERS"], source=source)}
        assert {row["event_id"]: row["received_at"] for row in waiting} == {
            name: record["receivedat"] for name, record in records.items()
        }
        assert len({record["receivedat"] for record in records.values()}) == 24
        assert all("sentiment" not in record["data"] for record in records.values())
        done = rows_of(service, operator, source, state="replayed")
        assert {row["replayed_by"] for row in done} == {f"usage-ingest/{ops}"}
        assert all(row["changes"] == {"drop": ["data.*"]} for row in done)
        assert all(row["content_kept_until"] is None for row in done)
        assert await sealed_contents(base_env, done) == 0
        after = service.get("/v1/counts")
        assert after["accepted"] - counts["accepted"] == counts["quarantined"] - after["quarantined"] == 120
        assert f'"key": "usage-ingest/{ops}"' in service.log.read_text()

    def test_fields_are_set_and_what_is_wrong_then_still_waits(
        self, service: Running, operator: str, source: str, bootstrap: str
    ) -> None:
        service.send(
            [
                an_event(1, source=source, data={"signal": "customer_message"}),
                an_event(2, source=source, type="usage", data={"meter": "sms", "quantity": 3}),
            ],
            operator,
        )
        rows = rows_of(service, operator, source)

        first = replay(service, operator, rows[:1], set={"data.intent": "question"})
        second = replay(service, operator, rows[1:], set={"data.quantity": 4})
        third = replay(service, operator, rows[1:], set={"data.quantity": "4"})

        assert (first["replayed"], second["replayed"], third["replayed"]) == (1, 0, 1)
        (still,) = second["results"]
        assert (still["reason"], still["detail"]) == (
            "malformed",
            "data.quantity is of the wrong type or size: expected str, got int",
        )
        records = {record["id"]: record["data"] for record in accepted(bootstrap, source=source)}
        assert records["e1"]["intent"] == "question"
        assert records["e2"]["quantity"] == "4"

    def test_an_event_without_the_field_stays_whole_and_says_so(
        self, service: Running, operator: str, source: str, bootstrap: str
    ) -> None:
        service.send([a_new_field(1, source), an_event(2, source=source, data={"signal": "shout"})], operator)

        answer = replay(
            service, operator, rows_of(service, operator, source), drop=["data.sentiment"], set={"subject": "s"}
        )

        assert [(result["status"], result["detail"]) for result in answer["results"]] == [
            ("replayed", None),
            ("still_quarantined", "it has no field data.sentiment that could be dropped; nothing of it was changed"),
        ]
        (left,) = rows_of(service, operator, source)
        content = service.get(f"/v1/quarantine/{left['id']}/content", operator)["content"]
        assert json.loads(content)["subject"] == "conversation-2"
        assert [record["subject"] for record in accepted(bootstrap, source=source)] == ["s"]

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"drop": ["id"]}, "id stays as it is"),
            ({"set": {"source": "urn:x"}}, "source stays as it is"),
            ({"drop": ["data"], "set": {"data.intent": "question"}}, "two of the paths"),
        ],
    )
    def test_a_change_that_makes_another_event_is_refused(
        self, service: Running, operator: str, change: dict[str, Any], sentence: str
    ) -> None:
        answer = service.post("/v1/quarantine/replay", operator, {"ids": [1], **change})

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert sentence in answer.json()["detail"]

    async def test_once_the_schema_has_learned_an_event_goes_as_it_is(
        self, service: Running, operator: str, source: str, bootstrap: str, base_env: dict[str, str]
    ) -> None:
        # what yesterday's schema did not take and today's does: a row of yesterday's reason with a sound content
        service.send([a_new_field(1, source)], operator)
        (row,) = rows_of(service, operator, source)
        assert replay(service, operator, [row])["replayed"] == 0
        await learn(base_env, row["id"], an_event(1, source=source))

        answer = replay(service, operator, [row])

        assert answer["replayed"] == 1
        (record,) = accepted(bootstrap, source=source)
        assert (record["id"], record["receivedat"]) == ("e1", row["received_at"])
        (done,) = rows_of(service, operator, source, state="replayed")
        assert done["changes"] is None

    def test_an_event_in_binary_mode_is_kept_with_its_headers(
        self, service: Running, operator: str, source: str, bootstrap: str
    ) -> None:
        attributes = an_event(1, source=source)
        attributes.pop("data")
        headers = {f"CE-{name}": value for name, value in attributes.items()}
        body = b'{"signal":"ai_answer","sentiment":"cross"}'

        answer = service.send(body, operator, headers={**headers, "ce-note": "of%20ours"})
        (row,) = rows_of(service, operator, source)
        content = json.loads(service.get(f"/v1/quarantine/{row['id']}/content", operator)["content"])

        assert answer.json()["quarantined"] == 1
        assert content == {
            **attributes,
            "note": "of ours",
            "datacontenttype": "application/json",
            "data": json.loads(body),
        }
        assert replay(service, operator, [row], drop=["data.sentiment"])["replayed"] == 1
        assert [record["id"] for record in accepted(bootstrap, source=source)] == ["e1"]


async def learn(base_env: dict[str, str], quarantine_id: int, event: dict[str, Any]) -> None:
    from usage_ingest.seals import Seals

    (row,) = await query(base_env, "SELECT * FROM ingest.quarantine WHERE quarantine_id = $1", quarantine_id)
    key = (row["source"], row["event_id"], row["reason"], row["fingerprint"])
    sealed = Seals(base_env["QUARANTINE_KEYS"], None).seal(json.dumps(event).encode(), key)
    statement = "UPDATE ingest.sealed_contents SET key_id = $2, sealed = $3 WHERE quarantine_id = $1"
    await query(base_env, statement, quarantine_id, sealed.key_id, sealed.text)


class TestTimes:
    def test_an_operator_answers_for_a_time_that_is_too_old_or_was_ahead(
        self, start: Start, clock: ClockServer, operator: str, source: str, bootstrap: str
    ) -> None:
        service = start()
        old, ahead = "2024-11-05T09:00:00Z", "2026-03-02T12:00:00Z"
        service.send([an_event(1, source=source, time=old), an_event(2, source=source, time=ahead)], operator)
        rows = rows_of(service, operator, source)

        unasked = replay(service, operator, rows)
        early = replay(service, operator, rows, accept_time=True)
        clock.step(clock.now + timedelta(hours=2))
        service.wait_until(lambda: service.get("/quiet", at=clock.now.isoformat())["quiet"])
        late = replay(service, operator, rows, accept_time=True)

        assert [result["reason"] for result in unasked["results"]] == ["too_old", "in_the_future"]
        assert [result["status"] for result in early["results"]] == ["replayed", "still_quarantined"]
        assert early["results"][1]["detail"].startswith("time still lies ahead of the business time now")
        assert late["replayed"] == 1
        records = {
            record["id"]: (record["time"], record["receivedat"]) for record in accepted(bootstrap, source=source)
        }
        assert records == {"e1": (old, "2026-03-02T10:00:10Z"), "e2": (ahead, "2026-03-02T10:00:10Z")}
        done = rows_of(service, operator, source, state="replayed")
        assert [row["changes"] for row in done] == [{"accept_time": True}] * 2
        assert '"accept_time": true' in service.log.read_text()

    def test_a_time_that_no_clock_says_is_taken_by_nobody(self, service: Running, operator: str, source: str) -> None:
        times = ["0001-01-01T00:00:00+05:00", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59-05:00"]
        service.send([an_event(n, source=source, time=time) for n, time in enumerate(times)], operator)

        answer = replay(service, operator, rows_of(service, operator, source), accept_time=True)

        assert [result["reason"] for result in answer["results"]] == ["too_old", "too_old", "in_the_future"]

    def test_or_the_time_is_set(self, service: Running, operator: str, source: str, bootstrap: str) -> None:
        service.send([an_event(1, source=source, time="2036-03-02T10:00:00Z")], operator)
        rows = rows_of(service, operator, source)

        answer = replay(service, operator, rows, set={"time": "2026-03-02T10:00:00Z"})

        assert answer["replayed"] == 1
        assert [record["time"] for record in accepted(bootstrap, source=source)] == ["2026-03-02T10:00:00Z"]


class TestReading:
    def test_an_operator_reads_what_was_sent_and_the_log_says_who(
        self, service: Running, operator: str, second_operator: tuple[str, str], source: str
    ) -> None:
        name, reader = second_operator
        service.wait_until(lambda: service.send([], reader).status_code == 202)
        event = a_new_field(1, source, sentiment="cross as two sticks")
        service.send([event], operator)
        (row,) = rows_of(service, operator, source)
        path = f"{service.url}/v1/quarantine/{row['id']}/content"

        answer = service.client.get(path, headers={"Authorization": f"Bearer {reader}"})

        assert json.loads(answer.json()["content"]) == event
        assert answer.headers["cache-control"] == "no-store"
        assert row["content_kept_until"] == "2026-04-01T10:00:10Z"
        lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
        assert [(line["key"], line["row"]) for line in lines if line["message"] == "sealed content read"][-1] == (
            f"usage-ingest/{name}",
            row["id"],
        )
        assert "two sticks" not in service.log.read_text()

    def test_nobody_else_does(self, service: Running, operator: str, keys: Any, source: str) -> None:
        _, sender = keys.make()
        service.wait_until(lambda: service.send([], sender).status_code == 202)
        service.send([a_new_field(1, source)], operator)
        (row,) = rows_of(service, operator, source)
        path = f"{service.url}/v1/quarantine/{row['id']}/content"

        answers = [
            service.client.get(path, headers={"Authorization": f"Bearer {key}"} if key else {})
            for key in (None, "stl_wrong", sender)
        ]

        assert [answer.status_code for answer in answers] == [401, 401, 403]
        assert not any("cross" in answer.text for answer in answers)

    def test_what_is_not_there_is_404(self, service: Running, operator: str, source: str) -> None:
        service.send([an_event(1, source=source, customer="stranger")], operator)
        (row,) = rows_of(service, operator, source)

        answers = [
            service.client.get(
                f"{service.url}/v1/quarantine/{number}/content", headers={"Authorization": f"Bearer {operator}"}
            )
            for number in (row["id"], 2**62)
        ]

        assert [answer.json()["code"] for answer in answers] == ["no_content", "no_such_row"]

    async def test_a_sealed_text_in_another_row_does_not_open(
        self, service: Running, operator: str, source: str, base_env: dict[str, str]
    ) -> None:
        service.send([a_new_field(1, source), a_new_field(2, source)], operator)
        rows = rows_of(service, operator, source)
        move = """
            UPDATE ingest.sealed_contents AS one SET sealed = other.sealed FROM ingest.sealed_contents AS other
            WHERE one.quarantine_id = $1 AND other.quarantine_id = $2
        """
        await query(base_env, move, rows[0]["id"], rows[1]["id"])

        answer = service.client.get(
            f"{service.url}/v1/quarantine/{rows[0]['id']}/content", headers={"Authorization": f"Bearer {operator}"}
        )
        driven = replay(service, operator, rows, drop=["data.sentiment"])

        assert (answer.status_code, answer.json()["code"]) == (409, "seal_closed")
        assert [result["status"] for result in driven["results"]] == ["still_quarantined", "replayed"]
        assert "its seal is broken" in driven["results"][0]["detail"]


class TestKeeping:
    async def test_one_content_however_often_it_is_delivered(
        self, service: Running, operator: str, source: str, base_env: dict[str, str]
    ) -> None:
        event = a_new_field(1, source)

        service.send([event, event], operator)
        service.send([event], operator)

        (row,) = rows_of(service, operator, source)
        assert row["deliveries"] == 3
        assert await sealed_contents(base_env, [row]) == 1

    async def test_a_content_goes_after_its_days_and_its_row_stays(
        self, start: Start, clock: ClockServer, operator: str, source: str, base_env: dict[str, str]
    ) -> None:
        service = start(PRUNE_EVERY_S="0.1", QUARANTINE_CONTENT_DAYS="2")
        service.send([a_new_field(1, source), a_new_field(2, source)], operator)
        clock.step(clock.now + timedelta(days=1))
        service.wait_until(lambda: service.get("/quiet", at=clock.now.isoformat())["quiet"])
        service.send([a_new_field(2, source)], operator)  # its 202 promises two days more
        rows = rows_of(service, operator, source)

        clock.step(clock.now + timedelta(days=1, seconds=1))
        service.wait_until(lambda: rows_of(service, operator, source)[0]["content_kept_until"] is None)

        assert await sealed_contents(base_env, rows) == 1
        answer = replay(service, operator, rows, drop=["data.sentiment"])
        assert [(result["status"], result["detail"]) for result in answer["results"]] == [
            ("still_quarantined", "its content is not kept, or no longer; have it sent again, repaired"),
            ("replayed", None),
        ]
        service.send([a_new_field(1, source)], operator)  # sent again: kept again
        (left,) = rows_of(service, operator, source)
        assert left["deliveries"] == 2
        assert replay(service, operator, [left], drop=["data.sentiment"])["replayed"] == 1

    async def test_the_services_own_role_deletes_contents_and_nothing_else(
        self, service: Running, base_env: dict[str, str]
    ) -> None:
        tables = await query(
            base_env,
            "SELECT tablename, has_table_privilege('ingest_app', 'ingest.' || tablename, 'DELETE') AS may"
            " FROM pg_tables WHERE schemaname = 'ingest' AND tablename <> 'bus_positions'",
        )

        assert {row["tablename"] for row in tables if row["may"]} - {"alembic_version"} == {"sealed_contents"}


class TestKeys:
    def test_keys_rotate_and_everything_stays_readable(
        self, start: Start, env: dict[str, str], operator: str, source: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "keys"
        old, new = new_key(f"old-{source[-8:]}"), new_key(f"new-{source[-8:]}")
        file.write_text(old + "\n")
        env.pop("QUARANTINE_KEYS")
        service = start(QUARANTINE_KEYS_FILE=str(file), REFRESH_S="0.05")
        service.send([a_new_field(1, source)], operator)

        file.write_text(f"{new}\n{old}\n")
        service.wait_until(lambda: f'"{new.partition(":")[0]}"' in service.log.read_text())
        service.send([a_new_field(2, source)], operator)
        before = command({**env, "QUARANTINE_KEYS_FILE": str(file)}, "seals", "list", "--json")
        renewed = self._renew(env, file)
        file.write_text(new + "\n")
        service.wait_until(lambda: service.log.read_text().count("keys were read again") == 2)

        found = {row["key"]: row["contents"] for row in json.loads(before)["keys"]}
        assert (found[old.partition(":")[0]], found[new.partition(":")[0]]) == (1, 1)
        assert renewed["sealed_anew"] == 1
        assert old.partition(":")[0] not in renewed["left"]
        rows = rows_of(service, operator, source)
        contents = [service.get(f"/v1/quarantine/{row['id']}/content", operator)["content"] for row in rows]
        assert [json.loads(content)["id"] for content in contents] == ["e1", "e2"]
        for secret in (old, new):
            assert secret.partition(":")[2] not in service.log.read_text()

    def _renew(self, env: dict[str, str], file: Path) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "usage_ingest", "seals", "renew", "--json"],
            env={**os.environ, **env, "QUARANTINE_KEYS_FILE": str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        # contents of other tests are sealed by a key that is not given here: they are told, and stay
        assert done.returncode == (1 if json.loads(done.stdout)["left"] else 0), done.stderr
        return json.loads(done.stdout)

    def test_without_a_key_the_start_is_refused_with_a_sentence(self, base_env: dict[str, str]) -> None:
        env = {name: value for name, value in base_env.items() if name != "QUARANTINE_KEYS"}

        done = subprocess.run(
            [sys.executable, "-m", "usage_ingest", "serve"],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 3
        assert done.stderr == (
            "QUARANTINE_KEYS is not set: what is quarantined is kept sealed; "
            "make one with `python -m usage_ingest seals new-key`\n"
        )

    def test_a_new_key_is_one_that_the_setting_takes(self) -> None:
        made = command({}, "seals", "new-key", "--id", "2026-11").strip()

        assert made.startswith("2026-11:")
        assert len(made) == len("2026-11:") + 44
