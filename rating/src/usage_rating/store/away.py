"""The errors that mean: the database is away, or has ended this connection. Nothing of the transaction is known."""

from __future__ import annotations

import asyncpg

AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.OperatorInterventionError,  # shut down, crashed, starting
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,  # a former owner still holds the row
    OSError,
    TimeoutError,
)
