"""Conversation text planted wherever a sender can put it is found nowhere but under an operator's seal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Consumer, TopicPartition

from chassis.testing import ClockServer
from embedded_stack.children import free_port
from usage_ingest.testing import Running, an_event

MARK = f"my cat sat on the modem {os.urandom(6).hex()}"


def planted(source: str) -> list[Any]:
    """Events with the text in each place: values, names, nested objects and lists, identifiers, attributes."""
    signal = {"signal": "customer_message", "intent": "question"}
    return [
        an_event(1, source=source, data={**signal, "text": MARK}),
        an_event(2, source=source, data={**signal, MARK: 1}),
        an_event(3, source=source, data={**signal, "context": {"messages": [{"body": MARK}]}}),
        an_event(4, source=source, data={"signal": MARK}),
        an_event(5, source=source, data={**signal, "evidence": MARK}),
        an_event(6, source=source, type="chat.message", data={"body": MARK}),
        an_event(7, source=source, type=MARK),
        an_event(8, source=source, subject=MARK),
        an_event(9, source=source, customer=MARK),
        an_event(10, source=source, time=MARK),
        an_event(11, source=source, data=MARK),
        an_event(12, source=source, note=MARK, data={**signal, "flag": "spam"}),
        an_event(13, source=source, note=MARK),
        an_event(14, source=source, note=MARK, customer="stranger"),
        {"id": MARK, MARK: MARK},
        [MARK],
        MARK,
    ]


@pytest.fixture
def service(
    env: dict[str, str], clock: ClockServer, tmp_path: Path, keys: Any
) -> Iterator[tuple[Running, str, dict[str, str]]]:
    """A service that logs all it can, into a file of its own; with a sender's key for the customer acme."""
    running = Running.start({**env, "LOG_LEVEL": "DEBUG"}, tmp_path / "planted.log", port=free_port())
    name, sender = keys.make("--customer", "acme")
    yield running, sender, {**env, "SENDER": name}
    running.close()


async def test_planted_text_is_found_nowhere_without_an_operators_key(
    service: tuple[Running, str, dict[str, str]], operator: str
) -> None:
    running, sender, env = service
    source = f"urn:planted:{os.urandom(4).hex()}"
    running.wait_until(lambda: running.send([], sender).status_code == 202)

    answer = running.send(planted(source), sender, headers={"X-Note": MARK, "User-Agent": MARK}, params={"q": MARK})
    _binary(running, sender, source)
    running.send(json.dumps({"broken": MARK}).encode()[:-1], sender)
    _repair(running, operator, source)

    assert answer.status_code == 202
    refused = [result["id"] for result in answer.json()["results"] if result["status"] == "refused"]
    assert refused == ["e9", "e14"]
    assert not any(MARK in str(result.get("detail")) for result in answer.json()["results"])
    _assert_clean("the log", running.log.read_text())
    for path in ("/metrics", "/v1/counts", "/openapi.json", "/healthz", "/readyz", "/quiet?at=2026-03-02T10:00:10Z"):
        _assert_clean(path, running.client.get(running.url + path).text)
    for state in ("waiting", "replayed"):  # not even in an operator's list
        _assert_clean("the list", json.dumps(running.get("/v1/quarantine", operator, state=state, limit=1000)))
    tables = await _tables(env["DATABASE_URL"])
    assert {"ingest.quarantine", "ingest.sealed_contents"} <= set(tables)
    for name, rows in tables.items():
        _assert_clean(name, rows)
    topics = _topics(env["KAFKA_BOOTSTRAP_SERVERS"])
    assert any(source.encode() in value for value in topics)  # so the search does look where events lie
    for value in topics:
        _assert_clean("a topic", value.decode("utf-8", "replace"))
    await _only_what_is_sealed_holds_it(running, operator, env, source)


def _binary(running: Running, key: str, source: str) -> None:
    attributes = an_event(20, source=source)
    attributes.pop("data")
    headers = {**{f"ce-{name}": str(value) for name, value in attributes.items()}, "ce-note": MARK.replace(" ", "%20")}
    answer = running.send(json.dumps({"signal": "ai_answer", "text": MARK}).encode(), key, headers=headers)
    assert answer.json()["quarantined"] == 1


def _repair(running: Running, operator: str, source: str) -> None:
    """Changes whose paths and values hold the text leave no trace either, done or not."""
    rows = {row["event_id"]: row["id"] for row in running.get("/v1/quarantine", operator, source=source)["items"]}
    for event_id, change in (
        ("e2", {"drop": [f"data.{MARK}"]}),
        ("e1", {"set": {"data.text": MARK}}),
        ("e3", {"drop": [f"data.context.{MARK}"]}),
    ):
        running.post("/v1/quarantine/replay", operator, {"ids": [rows[event_id]], **change})
    done = running.get("/v1/quarantine", operator, source=source, state="replayed")["items"]
    assert [row["event_id"] for row in done] == ["e2"]


def _assert_clean(where: str, text: str) -> None:
    for form in (MARK, MARK.replace(" ", "%20"), MARK.replace(" ", "+"), MARK.encode().hex()):
        assert form not in text, f"{where} holds the planted text"


async def _tables(database_url: str) -> dict[str, str]:
    """Every row of every table of every schema as text; bytes as hexadecimal digits."""
    connection = await asyncpg.connect(database_url)
    try:
        names = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return {
            row["name"]: "\n".join(r[0] for r in await connection.fetch(f"SELECT t::text FROM {row['name']} t"))
            for row in names
        }
    finally:
        await connection.close()


def _topics(bootstrap: str) -> list[bytes]:
    """Keys, values and headers of all records of all topics."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "planted", "enable.auto.commit": False})
    try:
        listed = consumer.list_topics(timeout=10).topics
        places = [TopicPartition(name, number, 0) for name, topic in listed.items() for number in topic.partitions]
        left = sum(high - low for low, high in (consumer.get_watermark_offsets(place, timeout=10) for place in places))
        consumer.assign(places)
        found: list[bytes] = []
        while left > 0:
            messages = consumer.consume(500, timeout=5)
            assert messages, f"{left} records were not read"
            for message in messages:
                assert message.error() is None, message.error()
                found.append(
                    (message.key() or b"") + b"\0" + (message.value() or b"") + repr(message.headers()).encode()
                )
            left -= len(messages)
        return found
    finally:
        consumer.close()


async def _only_what_is_sealed_holds_it(running: Running, operator: str, env: dict[str, str], source: str) -> None:
    connection = await asyncpg.connect(env["DATABASE_URL"])
    try:
        own = (  # other tests seal under keys of their own, and break seals
            "SELECT quarantine_id FROM ingest.sealed_contents JOIN ingest.quarantine USING (quarantine_id)"
            " WHERE key_name = $1"
        )
        ids = [row[0] for row in await connection.fetch(own, env["SENDER"])]
    finally:
        await connection.close()
    contents = [running.get(f"/v1/quarantine/{number}/content", operator)["content"] for number in ids]
    holding = [content for content in contents if MARK in content]
    without = {"e9", "e14", "e2", "e12", "e13"}  # refused, refused, mended, kept without the attribute, accepted
    assert len(holding) == len(planted(source)) + 1 - len(without)
    assert not any(f'"{name}"' in content for content in holding for name in without)
