"""Decides again what a new contract can change, a bounded number of rows in a transaction: load, decide, write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from usage_rating.changes import change_conversation, change_record
from usage_rating.failpoints import failpoints
from usage_rating.handlers import Handled, Rows, Timelines, Work, count_conversation
from usage_rating.state import decode_conversation, decode_record
from usage_rating.store.hot import Draft, HotStore
from usage_rating.walks import Redecision, Tour

LOOKED_AT = 8  # rows are looked at for each that may be decided: leaving one out is that much cheaper


async def handle_redecisions(
    tours: Sequence[Tour], *, rows: Rows, store: HotStore, ledger_id: str, timelines: Timelines, now: int, limit: int
) -> tuple[Handled, list[Redecision], list[Redecision]]:
    """
    Take the next rows of tours of one kind, at most about `limit`, and decide again those that can come out otherwise.

    Decisions and how far the walks have got are one transaction, so whoever owns the partitions next goes on behind it.
    A row that came since the contract was decided by it then, so a walk may miss it or meet it again. Returns what was
    done, the walks that go on, and those that have come to their end.
    """
    walks = [walk for tour in tours for walk in tour.walks]
    draft = Draft.of({walk.partition: rows[walk.partition] for walk in walks})
    work = Work(draft, store, ledger_id, timelines, now)
    each = max(1, limit // len(tours))
    if tours[0].kind == "conversations":
        await _walk_conversations(work, tours, each)
    else:
        await _walk_records(work, tours, each)
    failpoints.reach("redecide-before-commit")
    await work.write()
    failpoints.reach("redecide-after-commit")
    return work.handled(), draft.walked, draft.ended


async def _walk_conversations(work: Work, tours: Sequence[Tour], each: int) -> None:
    look_at = each * LOOKED_AT
    found = await work.store.load_conversations_again(tours, list(work.draft.rows), look_at=look_at, most=each)
    of_tour = _by_tour(found, tours)
    for tour, rows in zip(tours, of_tour, strict=True):
        for _, partition, conversation, encoded, status, due_at in rows:
            _decide_conversation(work, tour, partition, conversation, encoded, status, due_at)
    work.draft.conversations.sort(key=lambda change: change[0])
    all_looked_at = [tour for tour, rows in zip(tours, of_tour, strict=True) if len(rows) < each]
    ends = dict(zip(all_looked_at, await work.store.last_looked_at(all_looked_at, look_at=look_at), strict=True))
    for tour, rows in zip(tours, of_tour, strict=True):
        reached = ends[tour] if tour in ends else rows[-1]["conversation"]
        if reached is None:
            work.draft.ended += tour.walks
        else:
            work.draft.walked += tour.until(reached)


def _decide_conversation(
    work: Work, tour: Tour, partition: int, conversation: str, encoded: bytes, status: str, due_at: int | None
) -> None:
    state = decode_conversation(encoded)
    if state.signals[-1].at < tour.since:
        return  # of the first day, which holds the instant
    row = work.draft.rows[partition]
    key = (tour.customer, conversation)
    change = change_conversation(
        key, state, status, due_at, (), work.timelines(tour.customer), work.here[partition], row.next_seq
    )
    count_conversation(row, change)
    work.note(partition, change)
    if change.state is not None:
        work.draft.conversations.append((key, partition, change))


async def _walk_records(work: Work, tours: Sequence[Tour], each: int) -> None:
    found = await work.store.load_records_again(tours, each)
    for tour, rows in zip(tours, _by_tour(found, tours), strict=True):
        for _, partition, meter, subject, encoded, status in rows:
            if partition in work.draft.rows:
                _decide_record(work, tour, partition, meter, subject, encoded, status)
        if len(rows) < each:
            work.draft.ended += tour.walks
        else:
            work.draft.walked += tour.until(rows[-1]["meter"], rows[-1]["subject"])
    work.draft.records.sort(key=lambda change: change[0])


def _decide_record(
    work: Work, tour: Tour, partition: int, meter: str, subject: str, encoded: bytes, status: str
) -> None:
    row = work.draft.rows[partition]
    key = (tour.customer, meter, subject)
    timeline = work.timelines(tour.customer)
    change = change_record(key, decode_record(encoded), status, (), timeline, work.here[partition], row.next_seq)
    work.note(partition, change)
    if change.entries or change.status != status:
        work.draft.records.append((key, partition, change))


def _by_tour(found: Sequence[Any], tours: Sequence[Tour]) -> list[list[Any]]:
    of_tour: list[list[Any]] = [[] for _ in tours]
    for row in found:
        of_tour[row["place"]].append(row)
    return of_tour
