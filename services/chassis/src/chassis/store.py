"""
PostgreSQL: one schema, one owner role and one app role for each service; migrations; connections as the app role.

SQLAlchemy and Alembic are imported by the functions that use them: a service that needs neither to serve starts in half
the time without them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from chassis.database import Database
from chassis.database import HotConnection as HotConnection

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

# asyncpg's classes take type parameters for the type checker only
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

# The database is away, or has ended this connection; nothing of the transaction is known.
AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used between the server's last word and the closing of its socket
    asyncpg.exceptions.OperatorInterventionError,  # shut down, crashed, starting
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,  # somebody who is gone still holds the row
    OSError,
    TimeoutError,
)

_DIALECT = "postgresql+asyncpg://"  # where the server is, and how it is reached, is the business of `Database`
_LOCK = 7_105_131_819  # any fixed number: one migration of the installation at a time
_NAME = re.compile(r"[a-z][a-z_]{0,40}\Z")


def raise_if_ours(error: Exception) -> None:
    """
    Raise an error of AWAY again that is not the database's: an argument that cannot be encoded stays so for ever.

    asyncpg derives it from the same class as "the connection is closed".
    """
    if isinstance(error, asyncpg.DataError):
        raise error


def _server_settings(schema: str) -> dict[str, str]:
    return {"role": f"{schema}_app", "search_path": schema, "timezone": "UTC", "application_name": schema, "jit": "off"}


async def create_pool(url: str, schema: str, *, size: int = 4, **options: Any) -> Pool:
    """An asyncpg pool that acts as the service's app role in its own schema. For the hot statements."""
    pool = await asyncpg.create_pool(
        connect=Database.of(url).connect,
        min_size=1,
        max_size=size,
        server_settings=_server_settings(schema),
        command_timeout=60,
        **options,
    )
    assert pool is not None
    return pool


def create_engine(url: str, schema: str, *, size: int = 4) -> AsyncEngine:
    """A SQLAlchemy engine that acts as the service's app role in its own schema. For ordinary statements."""
    from sqlalchemy.ext.asyncio import create_async_engine

    connect = partial(Database.of(url).connect, server_settings=_server_settings(schema), command_timeout=60)
    return create_async_engine(_DIALECT, async_creator=connect, pool_size=size, max_overflow=0, pool_pre_ping=True)


async def migrate(url: str, schema: str, versions: Path) -> None:
    """
    Bring a service's schema up to its newest migration; safe to repeat and to run at the same time elsewhere.

    Makes `<schema>_owner` and `<schema>_app` where they are missing. Tables belong to the owner; the app role gets
    SELECT, INSERT, UPDATE and DELETE on all of them by default, and a migration takes away what it must not have.

    Args:
        url: the administrator's URL (it may make roles).
        versions: the folder of the service's Alembic revisions.
    """
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    if not _NAME.match(schema):
        raise ValueError(f"not a schema name: {schema!r}")
    engine = create_async_engine(_DIALECT, async_creator=Database.of(url).connect)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            for statement in _preparation(schema):
                await connection.execute(text(statement))
            await connection.run_sync(_upgrade, schema, versions)
    finally:
        await engine.dispose()


def _preparation(schema: str) -> list[str]:
    owner, app = f"{schema}_owner", f"{schema}_app"
    make_role = (
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{0}') THEN CREATE ROLE {0} NOLOGIN; "
        "END IF; END $$"
    )
    return [
        make_role.format(owner),
        make_role.format(app),
        f"GRANT {owner}, {app} TO CURRENT_USER",
        f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}",
        f"GRANT USAGE ON SCHEMA {schema} TO {app}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {app}",
        f"SET LOCAL ROLE {owner}",
        f"SET LOCAL search_path = {schema}",
        "SET LOCAL lock_timeout = '10s'",
    ]


def _upgrade(connection: Connection, schema: str, versions: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[HotConnection]:
    """One transaction on a connection of the pool: committed on leaving, rolled back on any error."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection  # type: ignore[misc]
