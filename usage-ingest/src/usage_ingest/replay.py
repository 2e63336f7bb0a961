"""
Driving quarantined events again: the same event, the same id, the first `received_at`, the checks applied anew.

An operator may have fields dropped or set, and may answer for a time outside the bounds; the row then says so.

Order of effects: the rows are locked, the events go on the bus with acks, then the rows are marked, their sealed
contents deleted, and both committed. Who dies in between (`replay.before-mark`) leaves the rows waiting with their
contents; the next replay sends the events once more, and rating knows them by their identity.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.errors import TryLater
from event_schemas.wire import ProductEvent
from usage_ingest import metrics
from usage_ingest.broker import all_done
from usage_ingest.decode import Broken, decode_one
from usage_ingest.domain.amend import Amendment, NoSuchField, amended
from usage_ingest.domain.flaws import Flaw, accepted_time_flaw, flaw_in
from usage_ingest.domain.limits import bounds_at, bounds_of_accepted
from usage_ingest.gaps import FAILPOINTS
from usage_ingest.handlers import append_event
from usage_ingest.parts import Parts
from usage_ingest.seals import CannotOpen
from usage_ingest.store.contents import forget_contents, row_key, sealed_of
from usage_ingest.store.quarantine import Selection, lock_waiting, mark_replayed

log = logging.getLogger(__name__)


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


async def replay(selection: Selection, amendment: Amendment, *, by: str, parts: Parts) -> ReplayOutcome:
    """Drive the waiting rows of a page again, by the word of the operator whose key is named. Safe to repeat."""
    outcome = ReplayOutcome()
    async with parts.engine.begin() as connection:
        rows, more = await lock_waiting(connection, selection)
        outcome.next_after = rows[-1]["quarantine_id"] if more else None
        on_their_way: list[tuple[int, asyncio.Future[None]]] = []
        for row in rows:
            driven = await _drive(row, amendment, on_their_way, connection=connection, parts=parts)
            if driven is not None:
                outcome.driven.append(driven)
        stored = await _stored(on_their_way, outcome)
        if stored:
            FAILPOINTS.reach("replay.before-mark")
            changes = amendment.facts()
            await mark_replayed(connection, stored, at=parts.clock.now(), by=by, changes=changes)
            await forget_contents(connection, stored)
    if stored:
        log.info("quarantined events driven again", extra={"key": by, "rows": sorted(stored), "changes": changes})
    outcome.driven.sort(key=lambda driven: driven.id)
    for driven in outcome.driven:
        metrics.REPLAYED.labels(driven.status).inc()
    return outcome


async def _drive(
    row: RowMapping,
    amendment: Amendment,
    on_their_way: list[tuple[int, asyncio.Future[None]]],
    *,
    connection: AsyncConnection,
    parts: Parts,
) -> Driven | None:
    """Put one row's event on its way, or say why not."""
    number: int = row["quarantine_id"]
    received_at: datetime = row["received_at"]
    try:
        content = await _content_of(row, connection, parts)
    except CannotOpen as closed:
        return Driven(number, "still_quarantined", row["reason"], str(closed))
    if content is None:
        detail = "its content is not kept, or no longer; have it sent again, repaired"
        return Driven(number, "still_quarantined", row["reason"], detail)
    event = mended(content, amendment)
    if isinstance(event, NoSuchField):
        return Driven(number, "still_quarantined", row["reason"], event.sentence)
    if isinstance(event, Broken):
        return Driven(number, "still_quarantined", event.flaw.reason.value, event.flaw.sentence)
    flaw = _flaw_today(event, received_at, amendment, parts)
    if flaw is not None:
        return Driven(number, "still_quarantined", flaw.reason.value, flaw.sentence)
    try:
        future = append_event(event, received_at, parts.producer, parts.settings.event_partitions)
    except TryLater as error:
        return Driven(number, "not_stored", None, str(error))
    on_their_way.append((number, future))
    return None


async def _content_of(row: RowMapping, connection: AsyncConnection, parts: Parts) -> bytes | None:
    """The event's JSON: of the row, or under its seal. One at a time, since each may be as large as a request."""
    if row["event"] is not None:
        return json.dumps(row["event"]).encode()
    sealed = await sealed_of(connection, row["quarantine_id"])
    return parts.seals.open(sealed, row_key(row)) if sealed is not None else None


def mended(content: bytes, amendment: Amendment) -> ProductEvent | Broken | NoSuchField:
    """The event that a content becomes by an operator's changes."""
    if not amendment.changes_fields:
        return decode_one(content)
    try:
        event = json.loads(content)
        if isinstance(event, dict):
            changed = amended(event, amendment)
            return changed if isinstance(changed, NoSuchField) else decode_one(json.dumps(changed).encode())
    except (ValueError, RecursionError):
        pass  # as what is no object: it came broken
    return NoSuchField("", "it is no JSON object in UTF-8, so no field of it can be changed")


def _flaw_today(event: ProductEvent, received_at: datetime, amendment: Amendment, parts: Parts) -> Flaw | None:
    known = parts.register.known
    if amendment.accept_time:
        return accepted_time_flaw(event, bounds=bounds_of_accepted(parts.clock.now()), customers=known)
    return flaw_in(event, bounds=bounds_at(received_at), customers=known)


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
