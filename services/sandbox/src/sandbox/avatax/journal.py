"""The way of the AvaTax stand-in's memory to PostgreSQL and back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chassis.store import Pool
from sandbox.avatax import json_numbers
from sandbox.avatax.account import Company
from sandbox.avatax.state import FIRST_ID, State

Row = tuple[str, str, int, str]

_OBJECTS = """
INSERT INTO objects (id, kind, number, body) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
ON CONFLICT (id) DO UPDATE SET body = excluded.body"""
_CLOCK = """
INSERT INTO control (name, value) VALUES ('clock', $1::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes: a picture of the changes at one moment."""

    rows: list[Row]
    clock: str | None


def take(state: State) -> Batch:
    """Take the changes out of memory, encoded here and now."""
    rows: list[Row] = []
    for code in state.dirty_companies:
        id_, company = state.companies[code]
        rows.append((f"company {code}", "company", id_, company.model_dump_json()))
    for id_, body in state.dirty_documents.items():
        rows.append((str(id_), "document", id_ - FIRST_ID, json_numbers.encode(body).decode()))
    clock = None
    if state.clock_moved:
        clock = json.dumps({"micros": state.stepped_micros, "version": state.clock_version})
    batch = Batch(rows, clock)
    state.dirty_companies, state.dirty_documents, state.clock_moved = set(), {}, False
    return batch


async def write(pool: Pool, batch: Batch) -> None:
    """One transaction; repeating it changes nothing."""
    async with pool.acquire() as connection, connection.transaction():
        if batch.rows:
            await connection.execute(_OBJECTS, *map(list, zip(*batch.rows, strict=True)))
        if batch.clock is not None:
            await connection.execute(_CLOCK, batch.clock)


async def load(pool: Pool, state: State) -> None:
    """Fill an empty state from the tables."""
    async with pool.acquire() as connection, connection.transaction():
        clock = await connection.fetchval("SELECT value::text FROM control WHERE name = 'clock'")
        if clock is not None:
            read = json.loads(clock)
            state.stepped_micros = state.shown_micros = read["micros"]
            state.clock_version = read["version"]
        async for row in connection.cursor("SELECT kind, number, body FROM objects ORDER BY number", prefetch=1000):
            state.number = max(state.number, row["number"])
            if row["kind"] == "company":
                company = Company.model_validate_json(row["body"])
                state.companies[company.code] = (row["number"], company)
            else:
                state.index(json_numbers.decode(row["body"]))


async def wipe(pool: Pool) -> None:
    """Forget everything."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM objects")
        await connection.execute("DELETE FROM control")
