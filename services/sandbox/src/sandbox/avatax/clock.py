"""Business time of the AvaTax stand-in, and the one thing that it brings about: what is filed is locked."""

from __future__ import annotations

import asyncio
from datetime import datetime

from event_schemas.times import from_micros, to_micros
from sandbox.avatax.domain.filing import filed_before
from sandbox.avatax.journal import Batch
from sandbox.avatax.state import State
from sandbox.business_time import NeverBack
from sandbox.group_commit import GroupCommit


class Clock:
    """Moves forward in steps, and locks what Avalara has filed meanwhile for companies that let it file."""

    def __init__(self, state: State, journal: GroupCommit[Batch]) -> None:
        self._state, self._journal = state, journal
        self._moved = asyncio.Condition()

    async def advance(self, to: datetime) -> None:
        """Move forward; durable on return. The first call only sets the clock. Raises NeverBack."""
        micros, before = to_micros(to), self._state.stepped_micros
        if before is not None and micros < before:
            raise NeverBack
        if before is not None:
            self._file(from_micros(before), to)
        self._state.move_clock(micros)
        await self._journal.committed()
        async with self._moved:
            self._moved.notify_all()

    def _file(self, before: datetime, now: datetime) -> None:
        """What was committed when a 10th passed, of the months before it."""
        until = filed_before(now).isoformat()
        if until == filed_before(before).isoformat():
            return
        for company_id, company in self._state.companies.values():
            if not company.managed_returns:
                continue
            for body in self._state.of_company(company_id):
                if body["status"] == "Committed" and not body["locked"] and body["date"] < until:
                    body["locked"] = True
                    self._state.put(body)

    async def wait_for_version(self, newer_than: int, wait_s: float) -> None:
        """Return once the clock's version is newer, or the wait is over."""
        if self._state.clock_version > newer_than or wait_s <= 0:
            return
        async with self._moved:
            try:
                async with asyncio.timeout(wait_s):
                    await self._moved.wait_for(lambda: self._state.clock_version > newer_than)
            except TimeoutError:
                return
