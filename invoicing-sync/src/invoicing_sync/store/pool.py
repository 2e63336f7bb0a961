"""Connections: as the service's app role, with JSON columns as plain values."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg

from chassis.store import create_pool
from event_schemas.values import decimal_text

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# One intake or activation of a door at a time: an entry is placed by a contract that is there, or waits for one that is
# not. Doors of one database, each with its schema, do not wait for one another.
INTAKE_LOCK = "7105131820 + hashtext(current_schema())"


async def open_pool(url: str, schema: str, *, size: int) -> Pool:
    """A pool whose JSON columns read and write dicts and lists."""
    return await create_pool(url, schema, size=size, init=_teach_json)


async def _teach_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=json.loads, schema="pg_catalog")


def _dump(value: Any) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


async def steer(tx: Connection) -> None:
    """Keep this transaction's plans on the indexes: a plan made while a table was empty would read all of it."""
    await tx.execute("SET LOCAL enable_seqscan = off")


async def lock_intake(tx: Connection) -> None:
    """Wait for other intakes and activations; steer the plans as well, in one round trip."""
    await tx.execute(f"SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock({INTAKE_LOCK})")
