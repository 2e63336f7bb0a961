"""Decides a customer's conversations twice, a bounded stretch of them at a time, and writes nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from usage_rating.domain.days import day_of
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.what_if import Outcome, Span, Turn, compare, reach
from usage_rating.state import decode_conversation
from usage_rating.store.reading import Reading

BUDGET_S = 0.3  # of a request: whoever asks for more sends `next` again
FETCHED = 200  # rows at once; the largest are 200 kB
SLICE_BYTES = 16_000  # of states, decided twice in half a millisecond: then whatever else waits here has its turn


@dataclass(slots=True)
class Sums:
    """What the conversations looked at so far come to. `turned`: how many, and one of them, by turn."""

    looked_at: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    turned: dict[Turn, tuple[int, str]] = field(default_factory=dict)

    def add(self, conversation: str, outcome: Outcome) -> None:
        """Count one conversation."""
        self.looked_at += 1
        self.before += outcome.before
        self.after += outcome.after
        for turn in outcome.turns:
            count, example = self.turned.get(turn, (0, conversation))
            self.turned[turn] = count + 1, example


class WhatIf:
    """One request at a time decides here, on the connections of the ordinary reads: none of the hot path's."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._turn = asyncio.Lock()

    async def page(
        self, customer: str, timeline: ContractTimeline, draft: ContractTimeline, *, span: Span, after: str
    ) -> tuple[Sums, str | None]:
        """
        Decide conversations behind `after`, for BUDGET_S at most; with the name to go on behind, None at the end.

        Each stretch is one statement, so no lock outlives it. Conversations whose last signal lies more than the
        longest window before the span are passed over: nothing of theirs can count in it.
        """
        first_day = day_of(span.start - reach(timeline, draft))
        sums, behind = Sums(), after
        async with self._turn:
            ends_at = time.monotonic() + BUDGET_S
            while True:
                rows = await self._reading.stretch(customer, after=behind, first_day=first_day, limit=FETCHED)
                for slice_ in _slices(rows):
                    for row in slice_:
                        _decide(sums, row, timeline, draft, span)
                    behind = slice_[-1]["conversation"]
                    await asyncio.sleep(0)
                    if time.monotonic() >= ends_at:
                        return sums, behind
                if len(rows) < FETCHED:
                    return sums, None


def _slices(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """As many rows at a time as come to SLICE_BYTES; the largest is a slice of its own."""
    slice_: list[Any] = []
    size = 0
    for row in rows:
        slice_.append(row)
        size += len(row["state"] or b"")
        if size >= SLICE_BYTES:
            yield slice_
            slice_, size = [], 0
    if slice_:
        yield slice_


def _decide(sums: Sums, row: Any, timeline: ContractTimeline, draft: ContractTimeline, span: Span) -> None:
    if row["state"] is None:
        return
    state = decode_conversation(row["state"])
    outcome = compare(state.signals, state.others, timeline, draft, span=span, read_up_to=row["read_up_to"])
    sums.add(row["conversation"], outcome)
