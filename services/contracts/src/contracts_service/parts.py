"""What routes and the publisher work with: made once in `app.py`, handed to everything else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.bus import BatchProducer
from chassis.clock import BusinessClock
from chassis.problems import Problem
from chassis.testing import SetClock
from contracts_service.settings import Settings

# The database's absence, by whichever way it is noticed. OSError holds TimeoutError and refused connections.
STORE_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, PoolTimeoutError)


@dataclass(slots=True)
class Parts:
    """The service's clients and its state in memory."""

    settings: Settings
    clock: BusinessClock | SetClock
    engine: AsyncEngine
    producer: BatchProducer
    ready: bool = False
    written: asyncio.Event = field(default_factory=asyncio.Event)  # there is something to publish

    def require_ready(self) -> None:
        """Raises Problem 503 while the service is still starting."""
        if not self.ready:
            raise Problem(503, "starting", "the service is starting; ask again", headers={"Retry-After": "1"})


def must_be_storable(document: Any) -> None:
    """Raises Problem 422 where a text in a document holds a NUL, which JSON can say and PostgreSQL cannot store."""
    if "\\u0000" in json.dumps(document):
        raise Problem(422, "malformed", "a text in it holds the character NUL, which no text needs: take it out")


class StoreOrProblem:
    """Turns an absent database into a 503."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, STORE_AWAY):
            raise Problem(503, "away", "the database is away; ask again", headers={"Retry-After": "1"}) from error
