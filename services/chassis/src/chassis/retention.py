"""Takes away what is no longer needed: a few rows in a transaction, with pauses, for as long as the service runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from chassis.store import AWAY, raise_if_ours

log = logging.getLogger(__name__)
REST = 4  # a pause lasts at least so many times its step: pruning never takes more than a fifth of one connection


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step did: rows taken away, and whether the same rule has more to do now."""

    rows: int
    more: bool


Step = Callable[[int], Awaitable[Pruned]]  # takes away at most so many rows in one transaction; may be repeated at will


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently: rounds `every_s` seconds apart, steps of at most `rows`, at least `pause_s` between two steps."""

    every_s: float
    rows: int
    pause_s: float


class Retention:
    """
    Rounds over named rules, one step at a time.

    A step is one transaction, so dying between two loses nothing and repeats nothing. While the database is away the
    round ends and the next one goes on; any other error stops the service, as every bug does.
    """

    def __init__(self, rules: Mapping[str, Step], pace: Pace) -> None:
        self._rules, self._pace = rules, pace

    async def run(self) -> None:
        """Prune until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(self._pace.every_s)

    async def round(self) -> dict[str, int]:
        """Carry every rule out until it has no more to do now; the rows taken away, by rule."""
        taken: dict[str, int] = {}
        try:
            for name, step in self._rules.items():
                taken[name] = await self._whole(step)
        except AWAY as error:
            raise_if_ours(error)
            log.warning("pruning waits for the database", extra={"error": type(error).__name__})
        if any(taken.values()):
            log.info("pruned", extra={"rows": taken})
        return taken

    async def _whole(self, step: Step) -> int:
        total = 0
        while True:
            began = time.monotonic()
            pruned = await step(self._pace.rows)
            total += pruned.rows
            if not pruned.more:
                return total
            await asyncio.sleep(max(self._pace.pause_s, REST * (time.monotonic() - began)))
