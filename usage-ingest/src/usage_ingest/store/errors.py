"""What the database's absence looks like, by whichever way it is noticed."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# OSError holds TimeoutError and refused connections; PostgresError a server that is only just starting
STORE_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, PoolTimeoutError)
