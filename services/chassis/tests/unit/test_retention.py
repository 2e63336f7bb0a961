"""Pruning goes in small steps, rests between them, and survives a database that is away."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from chassis.retention import Pace, Pruned, Retention

PACE = Pace(every_s=0.01, rows=10, pause_s=0.0)


class Table:
    """So many rows to take away."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.steps: list[int] = []

    async def step(self, most: int) -> Pruned:
        gone = min(most, self.rows)
        self.rows -= gone
        self.steps.append(gone)
        return Pruned(gone, more=self.rows > 0)


async def test_a_round_takes_everything_in_steps_of_bounded_size() -> None:
    first, second = Table(25), Table(3)

    taken = await Retention({"first": first.step, "second": second.step}, PACE).round()

    assert taken == {"first": 25, "second": 3}
    assert first.steps == [10, 10, 5]


async def test_a_pause_lasts_four_times_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    async def slow_step(_: int) -> Pruned:
        await sleep(0.02)
        return Pruned(10, more=len(pauses) < 2)

    monkeypatch.setattr("chassis.retention.asyncio.sleep", note)
    await Retention({"slow": slow_step}, PACE).round()

    assert len(pauses) == 2
    assert all(pause >= 4 * 0.02 for pause in pauses)


async def test_rounds_go_on_after_the_database_was_away() -> None:
    table, answers = Table(5), [asyncpg.PostgresConnectionError("gone")]

    async def step(most: int) -> Pruned:
        if answers:
            raise answers.pop()
        return await table.step(most)

    running = asyncio.create_task(Retention({"table": step}, PACE).run())
    async with asyncio.timeout(10):
        while table.rows:
            await asyncio.sleep(0.01)
    running.cancel()

    assert table.steps[0] == 5


async def test_a_bug_is_not_taken_for_a_database_that_is_away() -> None:
    async def step(_: int) -> Pruned:
        raise asyncpg.UndefinedTableError("no such table")

    with pytest.raises(asyncpg.UndefinedTableError):
        await Retention({"broken": step}, PACE).round()
