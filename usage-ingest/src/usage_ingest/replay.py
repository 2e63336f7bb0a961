"""
Driving quarantined events again: the same event, the same id, the first `received_at`, the checks applied anew.

Order of effects: the rows are locked, the events go on the bus with acks, then the rows are marked and committed. Who
dies in between (`replay.before-mark`) leaves the rows waiting; the next replay sends the events once more, and rating
knows them by their identity.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping

from chassis.errors import TryLater
from usage_ingest import metrics
from usage_ingest.broker import all_done
from usage_ingest.convert import from_row_event
from usage_ingest.domain.flaws import flaw_in
from usage_ingest.domain.limits import bounds_at
from usage_ingest.gaps import FAILPOINTS
from usage_ingest.handlers import append_event
from usage_ingest.parts import Parts
from usage_ingest.store.quarantine import Selection, lock_waiting, mark_replayed


@dataclass(frozen=True, slots=True)
class Driven:
    """What became of one row."""

    id: int
    status: str  # replayed | still_quarantined | not_stored
    reason: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class ReplayOutcome:
    """One page of a replay; `next_after` continues it, None at its end."""

    driven: list[Driven] = field(default_factory=list)
    next_after: int | None = None


async def replay(selection: Selection, *, parts: Parts) -> ReplayOutcome:
    """Drive the waiting rows of a page again. Safe to repeat."""
    outcome = ReplayOutcome()
    async with parts.engine.begin() as connection:
        rows, more = await lock_waiting(connection, selection)
        outcome.next_after = rows[-1]["quarantine_id"] if more else None
        on_their_way: list[tuple[int, asyncio.Future[None]]] = []
        for row in rows:
            driven = _drive(row, parts, on_their_way)
            if driven is not None:
                outcome.driven.append(driven)
        stored = await _stored(on_their_way, outcome)
        if stored:
            FAILPOINTS.reach("replay.before-mark")
            await mark_replayed(connection, stored, at=parts.clock.now())
    outcome.driven.sort(key=lambda driven: driven.id)
    for driven in outcome.driven:
        metrics.REPLAYED.labels(driven.status).inc()
    return outcome


def _drive(row: RowMapping, parts: Parts, on_their_way: list[tuple[int, asyncio.Future[None]]]) -> Driven | None:
    """Put one row's event on its way, or say why not."""
    number: int = row["quarantine_id"]
    received_at: datetime = row["received_at"]
    if row["event"] is None:
        detail = "its content was not kept, since it did not fit the schema; have it sent again, repaired"
        return Driven(number, "still_quarantined", row["reason"], detail)
    event = from_row_event(row["event"])
    if event is None:
        return Driven(number, "still_quarantined", "malformed", "it does not fit today's schema")
    flaw = flaw_in(event, bounds=bounds_at(received_at), customers=parts.register.known)
    if flaw is not None:
        return Driven(number, "still_quarantined", flaw.reason.value, flaw.sentence)
    try:
        future = append_event(event, received_at, parts.producer, parts.settings.event_partitions)
    except TryLater as error:
        return Driven(number, "not_stored", None, str(error))
    on_their_way.append((number, future))
    return None


async def _stored(on_their_way: list[tuple[int, asyncio.Future[None]]], outcome: ReplayOutcome) -> list[int]:
    await all_done({future for _, future in on_their_way}, after_each=lambda: None)
    stored = []
    for number, future in on_their_way:
        if future.cancelled() or future.exception():
            outcome.driven.append(Driven(number, "not_stored", None, "the broker did not confirm it in time"))
        else:
            stored.append(number)
            outcome.driven.append(Driven(number, "replayed"))
    return stored
