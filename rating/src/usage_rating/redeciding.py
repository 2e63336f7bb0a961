"""Decides again what a new contract can change, a bounded number of rows in a transaction: load, decide, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from usage_rating.changes import change_conversation, change_record
from usage_rating.failpoints import failpoints
from usage_rating.handlers import Handled, Rows, Timelines, Work, count_conversation
from usage_rating.state import decode_conversation, decode_record
from usage_rating.store.hot import Draft, HotStore
from usage_rating.walks import Redecision


async def handle_redecisions(
    walks: Sequence[Redecision],
    *,
    rows: Rows,
    store: HotStore,
    ledger_id: str,
    timelines: Timelines,
    now: int,
    limit: int,
) -> tuple[Handled, list[Redecision], list[Redecision]]:
    """
    Take the next rows of walks of one kind, at most about `limit`, and decide again those that can come out otherwise.

    Decisions and how far the walks have got are one transaction, so whoever owns the partitions next goes on behind it.
    A row that moves ahead of its walk by a new signal was decided by the new contract then; meeting it again does no
    harm. Returns what was done, the walks that go on, and those that have come to their end.
    """
    partitions = {walk.partition for walk in walks}
    draft = Draft.of({number: rows[number] for number in partitions})
    work = Work(draft, store, ledger_id, timelines, now)
    each = max(1, limit // len(walks))
    if walks[0].kind == "conversations":
        found = await store.load_conversations_again(walks, each)
        _decide_conversations(work, walks, found)
        reached = {row["place"]: {"after_day": row["last_day"], "after_name": row["conversation"]} for row in found}
    else:
        found = await store.load_records_again(walks, each)
        _decide_records(work, walks, found)
        reached = {row["place"]: {"after_name": row["meter"], "after_subject": row["subject"]} for row in found}
    counts = [0] * len(walks)
    for row in found:
        counts[row["place"]] += 1
    for place, walk in enumerate(walks):
        if counts[place] == each:
            draft.walked.append(replace(walk, **reached[place]))
        else:
            draft.ended.append(walk)
    draft.conversations.sort(key=lambda change: change[0])
    draft.records.sort(key=lambda change: change[0])
    failpoints.reach("redecide-before-commit")
    await work.write()
    failpoints.reach("redecide-after-commit")
    return work.handled(), draft.walked, draft.ended


def _decide_conversations(work: Work, walks: Sequence[Redecision], found: Sequence[Any]) -> None:
    for place, conversation, encoded, status, due_at, _ in found:
        walk = walks[place]
        state = decode_conversation(encoded)
        if state.signals[-1].at < walk.since:
            continue  # of the first day, which holds the instant
        row = work.draft.rows[walk.partition]
        key = (walk.customer, conversation)
        change = change_conversation(
            key, state, status, due_at, (), work.timelines(walk.customer), work.here[walk.partition], row.next_seq
        )
        count_conversation(row, change)
        work.note(walk.partition, change)
        if change.state is not None:
            work.draft.conversations.append((key, walk.partition, change))


def _decide_records(work: Work, walks: Sequence[Redecision], found: Sequence[Any]) -> None:
    for place, meter, subject, encoded, status in found:
        walk = walks[place]
        row = work.draft.rows[walk.partition]
        key = (walk.customer, meter, subject)
        change = change_record(
            key,
            decode_record(encoded),
            status,
            (),
            work.timelines(walk.customer),
            work.here[walk.partition],
            row.next_seq,
        )
        work.note(walk.partition, change)
        if change.entries or change.status != status:
            work.draft.records.append((key, walk.partition, change))
