"""The way of Stripe's part to PostgreSQL and back: what one transaction writes, and what is read at the start."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from sandbox.group_commit import GroupCommit
from sandbox.stripe.domain.usage import REMEMBERED_S, MeterEvent
from sandbox.stripe.state import Answer, Body, State

_OBJECTS = """
INSERT INTO objects (id, kind, number, body) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
ON CONFLICT (id) DO UPDATE SET body = excluded.body"""
_EVENTS = """
INSERT INTO meter_events
    (number, identifier, event_name, customer, value, timestamp, received, payload, state, key, fingerprint)
SELECT n, i, e, c, v::numeric, t, r, p, s, k, f FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[],
    $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[],
    $11::text[]) AS u (n, i, e, c, v, t, r, p, s, k, f)
ON CONFLICT (number) DO UPDATE SET state = excluded.state"""
_ANSWERS = """
INSERT INTO answers (key, fingerprint, status, body, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bigint[])
ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
    at = excluded.at"""
_CLOCK = """
INSERT INTO control (name, value) VALUES ('clock', $1::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes: a picture of the changes at one moment."""

    objects: list[tuple[str, str, int, str]]
    events: list[tuple[Any, ...]]
    answers: list[tuple[str, str, int, bytes, int]]
    clock: str | None
    deliveries: list[Body]


class Journal(GroupCommit[Batch]):
    """Stripe's: webhook deliveries go on their way once they are committed."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], state: State, *, gather_ms: float) -> None:
        super().__init__(
            lambda: take(state), lambda batch: write(pool, batch), gather_ms=gather_ms, written=self._committed
        )
        self.on_deliveries: Callable[[list[Body]], None] = lambda deliveries: None

    def _committed(self, batch: Batch) -> None:
        if batch.deliveries:
            self.on_deliveries(batch.deliveries)


def take(state: State) -> Batch:
    """Take the changes out of the state; they are encoded here and now, so later changes are the next batch's."""
    clock = None
    if state.clock_moved:
        clock = json.dumps(
            {"micros": state.stepped_micros, "shown": state.shown_micros, "version": state.clock_version}
        )
    batch = Batch(
        objects=[
            (id_, body["object"], state.numbers[id_], msgspec.json.encode(body).decode())
            for id_, body in state.dirty.items()
        ],
        events=[_event_row(event) for event in state.dirty_events.values()],
        answers=[(key, a.fingerprint, a.status, a.body, a.at) for key, a in state.dirty_answers.items()],
        clock=clock,
        deliveries=state.new_deliveries,
    )
    state.dirty, state.dirty_events, state.dirty_answers = {}, {}, {}
    state.new_deliveries, state.clock_moved = [], False
    return batch


def _event_row(event: MeterEvent) -> tuple[Any, ...]:
    kept = "accepted" if event.state == "counted" else event.state  # counting is repeated at the start, not stored
    return (
        event.number,
        event.identifier,
        event.event_name,
        event.customer,
        str(event.value),
        event.timestamp,
        event.received,
        event.payload,
        kept,
        event.key,
        event.fingerprint,
    )


async def write(pool: asyncpg.Pool[asyncpg.Record], batch: Batch) -> None:
    """One transaction; repeating it changes nothing. A single statement is one by itself: three round trips less."""
    rows = ((_EVENTS, batch.events), (_OBJECTS, batch.objects), (_ANSWERS, batch.answers))
    statements: list[tuple[str, list[Any]]] = [
        (statement, list(map(list, zip(*given, strict=True)))) for statement, given in rows if given
    ]
    if batch.clock is not None:
        statements.append((_CLOCK, [batch.clock]))
    if not statements:
        return
    async with pool.acquire() as connection:
        if len(statements) == 1:
            await connection.execute(statements[0][0], *statements[0][1])
            return
        async with connection.transaction():
            for statement, arguments in statements:
                await connection.execute(statement, *arguments)


async def load(pool: asyncpg.Pool[asyncpg.Record], state: State) -> None:
    """Fill an empty state from the tables. Deliveries that were under way wait in `new_deliveries`."""
    async with pool.acquire() as connection, connection.transaction():
        clock = await connection.fetchval("SELECT value::text FROM control WHERE name = 'clock'")
        if clock is not None:
            read = json.loads(clock)
            state.stepped_micros, state.shown_micros = read["micros"], read["shown"]
            state.clock_version = read["version"]
        async for row in connection.cursor("SELECT id, number, body FROM objects ORDER BY number", prefetch=1000):
            body: Body = msgspec.json.decode(row["body"])
            state.numbers[row["id"]] = row["number"]
            state.number = max(state.number, row["number"])
            state.index(body)
            if body["object"] == "delivery" and body["status"] == "pending":
                state.new_deliveries.append(body)
        async for row in connection.cursor("SELECT * FROM meter_events ORDER BY number", prefetch=5000):
            _load_event(state, row)
        await connection.execute("DELETE FROM answers WHERE at <= $1", state.now - REMEMBERED_S)
        for row in await connection.fetch("SELECT key, fingerprint, status, body, at FROM answers ORDER BY at"):
            state.answers[row["key"]] = Answer(row["fingerprint"], row["status"], row["body"], row["at"])


def _load_event(state: State, row: asyncpg.Record) -> None:
    event = MeterEvent(
        row["number"],
        row["identifier"],
        row["event_name"],
        row["customer"],
        Decimal(row["value"]),
        row["timestamp"],
        row["received"],
        row["payload"],
        row["state"],
        row["key"],
        row["fingerprint"],
    )
    state.number = max(state.number, event.number)
    state.accepted += 1
    state.identifiers[event.identifier] = event
    if event.key is not None and state.now - event.received < REMEMBERED_S:
        state.keyed_events[event.key] = event
    if event.state != "accepted":
        return
    if event.event_name in state.meters and event.customer in state.objects["customer"]:
        event.state = "counted"  # whatever became of the meter or customer since: what was counted stays counted
        state.tally(event.customer, event.event_name).add(event)
    else:
        state.waiting.append(event)


async def wipe(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Forget everything."""
    async with pool.acquire() as connection, connection.transaction():
        for table in ("objects", "meter_events", "answers", "control"):
            await connection.execute(f"DELETE FROM {table}")
