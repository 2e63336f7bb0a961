"""API keys at rest: what a key may do, and the hashes of its secrets. No secret is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from usage_ingest.store.tables import API_KEYS, KEY_SECRETS


class KeyRefused(Exception):
    """The command does not fit the key's state; the message is for the person who gave it."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """What `create` is told. A quota and its burst come together or not at all."""

    name: str
    sources: Sequence[str]
    customers: Sequence[str]
    operator: bool
    quota_per_second: float | None
    burst: float | None


async def create_key(engine: AsyncEngine, key: NewKey, digest: bytes) -> None:
    """Store a new key with its first secret. Raises KeyRefused where the name was ever used."""
    try:
        async with engine.begin() as connection:
            await connection.execute(
                insert(API_KEYS).values(
                    name=key.name,
                    sources=list(key.sources),
                    customers=list(key.customers),
                    operator=key.operator,
                    quota_per_second=key.quota_per_second,
                    burst=key.burst,
                )
            )
            await connection.execute(insert(KEY_SECRETS).values(digest=digest, name=key.name))
    except IntegrityError as error:
        raise KeyRefused(f"there is a key named {key.name} already, or the name is not one") from error


async def rotate_key(engine: AsyncEngine, name: str, digest: bytes, *, overlap: timedelta) -> datetime:
    """A new secret; the old ones end after `overlap` at the latest. Answers when. Raises KeyRefused."""
    columns = KEY_SECRETS.c
    async with engine.begin() as connection:
        key = await _locked(connection, name)
        if key["revoked_at"] is not None:
            raise KeyRefused(f"the key {name} was revoked; make a new one under another name")
        ends_at: datetime = (await connection.execute(select(func.now() + overlap))).scalar_one()
        await connection.execute(
            update(KEY_SECRETS)
            .where(columns.name == name, columns.expires_at.is_(None) | (columns.expires_at > ends_at))
            .values(expires_at=ends_at)
        )
        await connection.execute(insert(KEY_SECRETS).values(digest=digest, name=name))
    return ends_at


async def revoke_key(engine: AsyncEngine, name: str) -> None:
    """All secrets of the key end now, for good. Safe to repeat. Raises KeyRefused where there is no such key."""
    async with engine.begin() as connection:
        key = await _locked(connection, name)
        if key["revoked_at"] is None:
            await connection.execute(update(API_KEYS).where(API_KEYS.c.name == name).values(revoked_at=func.now()))


async def list_keys(engine: AsyncEngine) -> list[RowMapping]:
    """All keys ever made, by name, with how many of their secrets are valid now."""
    valid = KEY_SECRETS.c.expires_at.is_(None) | (KEY_SECRETS.c.expires_at > func.now())
    live = select(func.count()).where(KEY_SECRETS.c.name == API_KEYS.c.name, valid).scalar_subquery()
    query = select(API_KEYS, live.label("valid_secrets")).order_by(API_KEYS.c.name)
    async with engine.connect() as connection:
        return list((await connection.execute(query)).mappings())


async def valid_secrets(engine: AsyncEngine) -> list[dict[str, Any]]:
    """The secrets that open the door now, each with what its key may do and when it ends (null: never)."""
    query = (
        select(KEY_SECRETS.c.digest, KEY_SECRETS.c.expires_at, API_KEYS)
        .join(API_KEYS, API_KEYS.c.name == KEY_SECRETS.c.name)
        .where(
            API_KEYS.c.revoked_at.is_(None),
            KEY_SECRETS.c.expires_at.is_(None) | (KEY_SECRETS.c.expires_at > func.now()),
        )
    )
    async with engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _locked(connection: AsyncConnection, name: str) -> RowMapping:
    query = select(API_KEYS).where(API_KEYS.c.name == name).with_for_update()
    found = (await connection.execute(query)).mappings().one_or_none()
    if found is None:
        raise KeyRefused(f"there is no key named {name}")
    return found
