"""A page of a what-if is bounded, by time and by what is decided between two turns of the others."""

from __future__ import annotations

from typing import Any, cast

import pytest

from usage_rating import what_if
from usage_rating.domain.policy import DAY, HOUR
from usage_rating.domain.ranks import AI_ANSWER
from usage_rating.domain.signal import Signal
from usage_rating.domain.what_if import Span
from usage_rating.state import ConversationState, encode_state
from usage_rating.store.reading import Reading
from usage_rating.testing import a_timeline

SPAN = Span(0, 30 * DAY, 31 * DAY)
STATE = encode_state(ConversationState((Signal(HOUR, AI_ANSWER, "urn:a", "e1", received_at=HOUR),)))


class Stretches:
    """Conversations c000 to c449, of which every third is too old to count."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def stretch(self, customer: str, *, after: str, first_day: int, limit: int) -> list[dict[str, Any]]:
        self.asked.append((after, first_day))
        names = [f"c{number:03d}" for number in range(450)]
        return [
            {"conversation": name, "state": None if int(name[1:]) % 3 == 0 else STATE, "read_up_to": 40 * DAY}
            for name in names
            if name > after
        ][:limit]


async def pages(reading: Stretches) -> list[tuple[what_if.Sums, str | None]]:
    tried = what_if.WhatIf(cast("Reading", reading))
    own, found, after = a_timeline(), [], ""
    while True:
        sums, further = await tried.page("acme", own, own, span=SPAN, after=after)
        found.append((sums, further))
        if further is None:
            return found
        after = further


async def test_a_page_ends_with_the_conversations_where_time_allows() -> None:
    reading = Stretches()

    ((sums, _),) = await pages(reading)

    assert (sums.looked_at, sums.before) == (300, {"resolution": 300})
    assert [after for after, _ in reading.asked] == ["", "c199", "c399"]
    assert {day for _, day in reading.asked} == {-1}  # the longest window before the span


async def test_pages_without_time_go_on_behind_one_another_and_miss_and_repeat_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(what_if, "BUDGET_S", 0)
    monkeypatch.setattr(what_if, "SLICE_BYTES", 10 * len(STATE))

    found = await pages(Stretches())

    assert len(found) > 25
    assert sum(sums.looked_at for sums, _ in found) == 300
    assert max(sums.looked_at for sums, _ in found) == 10
