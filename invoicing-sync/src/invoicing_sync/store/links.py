"""Stripe objects by what they are to us; the intent to make one is stored before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from invoicing_sync.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Link:
    """`stripe_id` None: intended and not known to exist. `fresh`: the intent was stored just now."""

    stripe_id: str | None
    intended_at: datetime
    attempt: int
    fresh: bool
    secret: str | None = None


async def intend_once(pool: Pool, kind: str, key: str, *, now: datetime) -> Link:
    """Store the intent to make an object, or find what became of an earlier one."""
    fresh = await pool.fetchval(
        "INSERT INTO stripe_links (kind, natural_key, intended_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING "
        "RETURNING true",
        kind,
        key,
        now,
    )
    row = await pool.fetchrow(
        "SELECT stripe_id, intended_at, attempt, secret FROM stripe_links WHERE kind = $1 AND natural_key = $2",
        kind,
        key,
    )
    assert row is not None
    return Link(row["stripe_id"], row["intended_at"], row["attempt"], bool(fresh), row["secret"])


async def link(pool: Pool, kind: str, key: str, stripe_id: str, *, secret: str | None = None) -> None:
    """The object exists; repeating it changes nothing."""
    await pool.execute(
        "UPDATE stripe_links SET stripe_id = $3, secret = $4 WHERE kind = $1 AND natural_key = $2",
        kind,
        key,
        stripe_id,
        secret,
    )


async def next_attempt(pool: Pool, kind: str, key: str) -> int:
    """Stripe answered 5xx and replays it for the key used: the number of the next key."""
    attempt = await pool.fetchval(
        "UPDATE stripe_links SET attempt = attempt + 1 WHERE kind = $1 AND natural_key = $2 RETURNING attempt",
        kind,
        key,
    )
    return int(attempt)


async def id_of(pool: Pool, kind: str, key: str) -> str | None:
    """Stripe's id of an object of ours; None where it is not known to exist."""
    found: str | None = await pool.fetchval(
        "SELECT stripe_id FROM stripe_links WHERE kind = $1 AND natural_key = $2", kind, key
    )
    return found


async def ids(pool: Pool, kind: str) -> dict[str, str]:
    """All known objects of a kind: natural key to Stripe's id."""
    rows = await pool.fetch(
        "SELECT natural_key, stripe_id FROM stripe_links WHERE kind = $1 AND stripe_id IS NOT NULL", kind
    )
    return {row["natural_key"]: row["stripe_id"] for row in rows}


async def forget_secrets(pool: Pool) -> int:
    """Forget the signing secrets of the endpoints that we made: how many they were. The endpoints stay."""
    rows = await pool.fetch("UPDATE stripe_links SET secret = NULL WHERE secret IS NOT NULL RETURNING kind")
    return len(rows)


async def secrets(pool: Pool) -> list[str]:
    """The signing secrets of the endpoints that this service made."""
    rows = await pool.fetch("SELECT secret FROM stripe_links WHERE secret IS NOT NULL")
    return [row["secret"] for row in rows]
