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


def raise_if_ours(error: Exception) -> None:
    """
    Raise an error of AWAY again that is not the database's: an argument that cannot be encoded stays so for ever.

    asyncpg derives it from the same class as "the connection is closed".
    """
    if isinstance(error, asyncpg.DataError):
        raise error
