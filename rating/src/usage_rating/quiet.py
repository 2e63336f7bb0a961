"""Whether rating has anything left to do up to an instant of business time, in all partitions, whoever owns them."""

from __future__ import annotations

from datetime import datetime

from aiokafka.errors import KafkaError

from chassis.clock import Clock
from chassis.store import AWAY
from event_schemas.times import to_micros
from usage_rating.contract_book import ContractBook
from usage_rating.log_ends import LogEnds
from usage_rating.store.alerts import AlertStore
from usage_rating.store.reading import Reading

MINUTE = 60_000_000


class QuietCheck:
    """Answers `/quiet` from the rows and the broker, never from this process's memory of other partitions."""

    def __init__(
        self, reading: Reading, ends: LogEnds, *, clock: Clock, book: ContractBook, alerts: AlertStore
    ) -> None:
        self._reading = reading
        self._alerts = alerts
        self._ends = ends
        self._clock = clock
        self._book = book

    async def waiting_for(self, at: datetime) -> list[str]:
        """What is still to do up to `at`; empty: quiet. While the database or the broker is away, that."""
        try:
            return await self._waiting_for(at)
        except (KafkaError, *AWAY):
            return ["the database or the broker, which is away"]

    async def _waiting_for(self, at: datetime) -> list[str]:
        waiting = []
        if self._clock.now() < at:
            waiting.append("business time")
        ends = await self._ends.ask()
        if self._book.position < ends.contracts:
            waiting.append("contracts to be read")
        rows = {row["partition"]: row for row in await self._reading.partitions()}
        known_to = to_micros(at) - MINUTE
        for number, end in sorted(ends.accepted.items()):
            row = rows.get(number)
            if row is None:
                waiting.append(f"partition {number}: an owner")
                continue
            if row["next_offset"] < end:
                waiting.append(f"partition {number}: {end - row['next_offset']} unread events")
            elif row["read_up_to"] < known_to:
                waiting.append(f"partition {number}: time to be noted")
            if row["published_seq"] < row["next_seq"] - 1:
                waiting.append(f"partition {number}: entries to be published")
            if row["contracts_applied"] != ends.contracts:
                waiting.append(f"partition {number}: contracts to be applied")
        if not waiting and await self._alerts.waiting(sorted(self._book.watches)):
            waiting.append("alerts to be counted and told")
        if not waiting:
            deciding = await self._reading.with_redecisions()
            waiting += [f"partition {number}: conversations to be decided again" for number in deciding]
            waiting += [f"partition {number}: timers" for number in await self._reading.with_due_timers()]
        return waiting
