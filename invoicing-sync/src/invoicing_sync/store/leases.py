"""Who does what: instances, the roles that one of them holds, and the lanes that each has leased. Process time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.usage.store.deliveries import Lane


async def register(pool: Pool, name: str, lease: timedelta) -> int:
    """Start as instance `name`; its epoch. An older process of the same name finds its own epoch stale."""
    epoch = await pool.fetchval("SELECT nextval('epochs')")
    await pool.execute(
        """
        INSERT INTO instances VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, expires_at = excluded.expires_at
        """,
        name,
        epoch,
        lease,
    )
    return int(epoch)


async def beat(pool: Pool, name: str, epoch: int, lease: timedelta) -> int | None:
    """Renew the instance; how many are alive, or None when a newer process bears the name."""
    mine = await pool.fetchval(
        "UPDATE instances SET expires_at = clock_timestamp() + $3 WHERE name = $1 AND epoch = $2 RETURNING true",
        name,
        epoch,
        lease,
    )
    if not mine:
        return None
    alive = await pool.fetchval("SELECT count(*) FROM instances WHERE expires_at > clock_timestamp()")
    return int(alive)


async def leave(pool: Pool, name: str, epoch: int) -> None:
    """Give everything up, so that others need not wait for the leases to run out."""
    for table in ("instances", "roles", "lanes"):
        column = "name" if table == "instances" else "owner"
        await pool.execute(
            f"UPDATE {table} SET expires_at = clock_timestamp() WHERE {column} = $1 AND epoch = $2", name, epoch
        )


async def take_role(pool: Pool, role: str, name: str, epoch: int, lease: timedelta) -> bool:
    """Take or renew a role; false while another instance holds it."""
    taken = await pool.fetchval(
        """
        INSERT INTO roles VALUES ($1, $2, $3, clock_timestamp() + $4)
        ON CONFLICT (role) DO UPDATE
        SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at
        WHERE (roles.owner = excluded.owner AND roles.epoch <= excluded.epoch) OR roles.expires_at < clock_timestamp()
        RETURNING true
        """,
        role,
        name,
        epoch,
        lease,
    )
    return bool(taken)


async def take_lanes(tx: Connection, lanes: Sequence[Lane], name: str, epoch: int, lease: timedelta) -> set[Lane]:
    """Take or renew lanes; those that are ours now. Sorted, so that two instances cannot block one another."""
    rows = await tx.fetch(
        """
        INSERT INTO lanes (customer, meter, owner, epoch, expires_at)
        SELECT c, m, $3, $4, clock_timestamp() + $5 FROM unnest($1::text[], $2::text[]) AS t(c, m) ORDER BY 1, 2
        ON CONFLICT (customer, meter) DO UPDATE
        SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at
        WHERE (lanes.owner = excluded.owner AND lanes.epoch <= excluded.epoch) OR lanes.expires_at < clock_timestamp()
        RETURNING customer, meter
        """,
        [lane[0] for lane in lanes],
        [lane[1] for lane in lanes],
        name,
        epoch,
        lease,
    )
    return {(row["customer"], row["meter"]) for row in rows}
