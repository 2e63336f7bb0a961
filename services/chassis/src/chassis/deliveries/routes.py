"""The routes about deliveries that a door includes: list, one with its journal, drive again, cancel."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chassis import problems
from chassis.access import Who
from chassis.deliveries.domain.states import NotAllowed, State
from chassis.deliveries.store import people, reading
from chassis.problems import Problem
from chassis.store import Pool
from event_schemas.sentences import WORDS

Text = Annotated[str | None, Query(max_length=200, pattern=r"^[\x21-\x7e]+$")]
DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class DeliveryAnswer(BaseModel):
    """
    One intended effect. `code`, `sentence`: the vendor's last; `reference`: its id of the record.

    `due_at`: process time of its next turn; `waits_for`: the parent record that must be there first.
    """

    id: int
    destination: str
    record: str
    version: int
    kind: str
    parents: list[str]
    state: State
    caused_at: datetime
    created_at: datetime
    due_at: datetime | None
    waits_for: str | None
    calls: int
    sent_at: datetime | None
    settled_at: datetime | None
    code: str
    sentence: str
    reference: str | None


class JournalEntry(BaseModel):
    """One intent, one answer, or one act of a person; `by` is the replica or the name of a key."""

    at: datetime
    call: int
    what: str
    act: str | None
    answer: str | None
    code: str
    sentence: str
    by: str


class WholeDelivery(DeliveryAnswer):
    """One delivery with what is wanted there and all that happened about it."""

    content: dict[str, Any]
    journal: list[JournalEntry]


class DeliveriesAnswer(BaseModel):
    """One page; `next_after` is what the next page is asked with, null on the last."""

    deliveries: list[DeliveryAnswer]
    next_after: int | None


class Reason(BaseModel):
    """Why a person does this: kept with the name of their key."""

    reason: str = Field(min_length=3, max_length=500, pattern=WORDS)


class Deliveries:
    """The routes under /v1/deliveries; `wake` is called with a destination that has something due."""

    def __init__(self, pool: Pool, wake: Callable[[str], None]) -> None:
        self._pool, self._wake = pool, wake
        self.router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])
        missing = problems.responses(404, 422)
        refused = problems.responses(400, 404, 409, 422)
        add = self.router.add_api_route
        add("", self.page, methods=["GET"], responses=problems.responses(422))
        add("/{delivery_id}", self.one, methods=["GET"], responses=missing)
        add("/{delivery_id}/drive-again", self.drive_again, methods=["POST"], responses=refused)
        add("/{delivery_id}/cancel", self.cancel, methods=["POST"], responses=refused)

    async def page(
        self,
        state: Annotated[list[State] | None, Query()] = None,
        destination: Text = None,
        record: Text = None,
        after: After = 0,
        limit: Limit = 100,
    ) -> DeliveriesAnswer:
        """Deliveries in the order in which they were handed over; dead letters are `refused`, `waiting_for_person`."""
        rows = await reading.page(
            self._pool, states=state, destination=destination, record=record, after=after, limit=limit
        )
        last = rows[-1]["delivery_id"] if len(rows) == limit else None
        return DeliveriesAnswer(deliveries=[DeliveryAnswer(**_fields(row)) for row in rows], next_after=last)

    async def one(self, delivery_id: DeliveryId) -> WholeDelivery:
        """One delivery: what is wanted there, every intent and answer, and what people did about it."""
        row = await reading.one(self._pool, delivery_id)
        if row is None:
            raise _missing()
        entries = [JournalEntry(**dict(entry)) for entry in await reading.journal(self._pool, delivery_id)]
        return WholeDelivery(**_fields(row), content=json.loads(row["content"]), journal=entries)

    async def drive_again(self, delivery_id: DeliveryId, why: Reason, who: Who) -> DeliveryAnswer:
        """
        Send it again at once: what was refused, waits for a person, waits for its next try, or was cancelled.

        Where a person changed the record over there, this puts ours in its place.
        """
        return await self._act(people.drive_again, delivery_id, why, who.name)

    async def cancel(self, delivery_id: DeliveryId, why: Reason, who: Who) -> DeliveryAnswer:
        """Give it up: it is not sent any more. Repeating it changes nothing."""
        return await self._act(people.cancel, delivery_id, why, who.name)

    async def _act(
        self, act: Callable[..., Awaitable[State | None]], delivery_id: int, why: Reason, by: str
    ) -> DeliveryAnswer:
        try:
            state = await act(self._pool, delivery_id, by=by, reason=why.reason)
        except NotAllowed as error:
            raise Problem(409, "not_allowed", str(error), field="delivery_id") from None
        row = await reading.one(self._pool, delivery_id) if state is not None else None
        if row is None:
            raise _missing()
        self._wake(row["destination"])
        return DeliveryAnswer(**_fields(row))


def _fields(row: asyncpg.Record) -> dict[str, Any]:
    fields = dict(row)
    fields["id"] = fields.pop("delivery_id")
    del fields["content"]
    return fields


def _missing() -> Problem:
    return Problem(
        404, "no_such_delivery", "No delivery has this id; GET /v1/deliveries lists them.", field="delivery_id"
    )
