"""Cases that were closed long ago go; open ones, and those closed lately, stay."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


def closed_cases(world: Any, customer: str) -> set[str]:
    return {row["about"] for row in world.query("SELECT about FROM cases WHERE customer = $1", customer)}


def test_only_what_was_closed_long_ago_goes(world: Any, customer: str) -> None:
    now = world.time.now
    opened = now - 2_000 * DAY
    for about, closed_at in (("long ago", now - 801 * DAY), ("lately", now - 799 * DAY), ("open", None)):
        world.query(
            "INSERT INTO cases (kind, customer, subject, about, sentence, opened_at, closed_at) "
            "VALUES ('disagreement', $1, 'c1', $2, 'a sentence', $3, $4)",
            customer,
            about,
            opened,
            closed_at,
        )

    world.rating(PRUNE_EVERY_S="0.1", PRUNE_ROWS="1", PRUNE_PAUSE_S="0")

    deadline = time.monotonic() + 60
    while "long ago" in closed_cases(world, customer):
        assert time.monotonic() < deadline, "it was never taken away"
        time.sleep(0.05)
    assert closed_cases(world, customer) == {"lately", "open"}
