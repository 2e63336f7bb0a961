"""
Tells who has reached a threshold or a hard limit: counts the ledger behind the batches, never inside one.

One round is one transaction: entries behind the cursors are added up for the customers that are watched, crossings are
written down under a unique key, cursors move. Then the crossings go to `usage.alerts`. Any process may take a round;
the others take over what it wrote, since each of them answers for every customer (`may_run.py`).
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from chassis.bus import BatchProducer, confirmed, partition_of_key
from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours
from event_schemas.times import Period, iso, to_micros
from event_schemas.topics import USAGE_ALERTS
from event_schemas.values import EXACT, decimal_text
from usage_rating import metrics
from usage_rating.contract_book import ContractBook
from usage_rating.domain.alerts import Crossing, crossings, judged_at, marks_at
from usage_rating.entries import SOURCE
from usage_rating.failpoints import failpoints
from usage_rating.store.alerts import ENTRIES_AT_ONCE, AlertStore, Key, Telling, Turn
from usage_rating.watching import Board, Count, Watch

log = logging.getLogger(__name__)

PUBLISHED_AT_ONCE = 500
AWAY_OR_LATER: tuple[type[Exception], ...] = (TryLater, KafkaError, *AWAY)


class AlertCounter:
    """One for each process; the only writer of its board."""

    def __init__(
        self,
        store: AlertStore,
        book: ContractBook,
        board: Board,
        producer: BatchProducer,
        clock: Clock,
        *,
        pause_s: float,
    ) -> None:
        self._store = store
        self._book = book
        self._board = board
        self._producer = producer
        self._clock = clock
        self._pause_s = pause_s
        self._changed: set[Key] = set()  # counts that this process has not held against the contracts it knows
        self._judged: dict[str, tuple[int, int]] = {}  # customer: contract's revision, instant of the next look

    async def run(self) -> None:
        """Count and tell until cancelled."""
        failures = 0
        while True:
            try:
                at_once = await self.step()
                failures = 0
                if not at_once:
                    await asyncio.sleep(self._pause_s)
            except AWAY_OR_LATER as error:
                raise_if_ours(error)
                failures += 1
                log.warning("counting for alerts is tried again", extra={"why": str(error), "failures": failures})
                await asyncio.sleep(backoff_s(failures, base_s=0.1, cap_s=3.0))

    async def step(self) -> bool:
        """One look and, where there is something to do, one round; whether more waits already."""
        if self._board.round >= 0 and not self._book.watches and not self._board.since:
            return False  # nobody wants to be told anything: the ledger is not even looked at
        now = self._clock.now()
        look = await self._store.look()
        if look.round != self._board.round:
            await self._take_over(self._store, look.round)
        due = self._due(to_micros(now))
        counted: bool | None = True
        if look.behind or due or self._changed or self._unknown():
            counted = await self._round(now, due)
        if counted:
            self._board.confirm(now)
        if look.unpublished or counted is not None:
            await self._publish()
        return counted is False

    def _unknown(self) -> list[Watch]:
        return [watch for watch in self._book.watches.values() if not self._board.knows(watch)]

    def _due(self, now: int) -> list[Watch]:
        """Watches under a new contract, or at an instant at which a period or a clause begins or ends."""
        never = (0, 0)
        return [
            watch
            for watch in self._book.watches.values()
            if (judged := self._judged.get(watch.customer, never))[0] != watch.revision or judged[1] <= now
        ]

    async def _take_over(self, source: AlertStore | Turn, round_: int) -> None:
        """Know what others have counted; what they held against older contracts is looked at again."""
        since, counts = await source.changed_since(self._board.round)
        self._board.since |= since
        self._board.put(counts)
        self._board.round = round_
        self._changed |= {_key(count) for count in counts}

    # ── one round ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _round(self, now: datetime, due: Sequence[Watch]) -> bool | None:
        """Count, judge and write down, in one transaction; whether all is counted. None: it is another's turn."""
        with metrics.TRANSACTION_S.labels("alerts").time():
            async with self._store.turn() as turn:
                if turn is None:
                    return None
                if turn.before != self._board.round:
                    await self._take_over(turn, turn.before)
                if any(self._book.contract(customer) is None for customer in self._board.since):
                    return None  # another process knows contracts that this one has still to read
                counts, complete = await self._count(turn)
                unknown = self._unknown()
                for watch in unknown:
                    counts += await self._begin(turn, watch, now)
                keys = {_key(count) for count in counts} | self._changed | self._running(due, now)
                tellings = await self._judge(turn, keys, to_micros(now))
                await turn.tell(tellings, now=now)
                await turn.end()
                failpoints.reach("alerts-before-commit")
        failpoints.reach("alerts-after-commit")
        self._board.round = turn.round
        self._board.since |= {watch.customer: watch.since for watch in unknown}
        self._board.put(sorted(counts, key=lambda count: count.start))
        self._changed.clear()
        at = to_micros(now)
        self._judged |= {watch.customer: (watch.revision, watch.changes_after(at)) for watch in due}
        for telling in tellings:
            metrics.ALERTS.labels(telling.kind, "reached" if telling.ordinal % 2 else "taken_back").inc()
        return complete

    async def _count(self, turn: Turn) -> tuple[list[Count], bool]:
        """Add up what lies behind the cursors; where nobody was counted until now they only move to the end."""
        counted = sorted(self._board.since)
        uncounted = await turn.uncounted()
        most = ENTRIES_AT_ONCE if counted else sys.maxsize
        reach = [(number, begun, min(last, begun + most)) for number, begun, last in uncounted]
        entries = await turn.entries(reach, counted)
        await turn.move_cursors(reach)
        complete = all(upto == last for (_, _, upto), (_, _, last) in zip(reach, uncounted, strict=True))
        return await turn.count(self._sums(entries)), complete

    def _sums(self, entries: Iterable[Any]) -> list[Count]:
        """Entries as what they add to each customer, meter and period that is counted."""
        periods: dict[str, Period] = {}
        sums: dict[Key, tuple[Decimal, datetime, datetime]] = {}
        for customer, meter, op, quantity, effective_at, recorded_at in entries:
            if effective_at < self._board.since[customer]:
                continue
            period = periods.get(customer)
            if period is None or effective_at not in period:
                period = periods[customer] = self._period_of(customer, effective_at)
            key = (customer, meter, period.start)
            signed = quantity if op == "charge" else -quantity
            used, counted_to, end = sums.get(key, (Decimal(0), recorded_at, period.end))
            sums[key] = (EXACT.add(used, signed), max(counted_to, recorded_at), end)
        return [Count(*key, end, used, counted_to) for key, (used, counted_to, end) in sums.items()]

    async def _begin(self, turn: Turn, watch: Watch, now: datetime) -> list[Count]:
        """Count a customer for the first time: all of its ledger from the first period on that has a mark."""
        period = watch.period_of(to_micros(watch.since))
        periods = [period]
        while period.start <= now:
            period = watch.period_of(to_micros(period.end))
            periods.append(period)
        await turn.watch(watch.customer, watch.since)
        return await turn.count(await turn.history(watch.customer, periods), anew=True)

    def _running(self, due: Iterable[Watch], now: datetime) -> set[Key]:
        """The running periods of watches, of each meter that has a mark."""
        starts = ((watch, watch.period_of(to_micros(now)).start) for watch in due)
        return {(watch.customer, meter, start) for watch, start in starts for meter in watch.meters}

    async def _judge(self, turn: Turn, keys: set[Key], now: int) -> list[Telling]:
        """What these counts have crossed."""
        ordered = sorted(keys)
        counts = {_key(count): count for count in await turn.counts(ordered)}
        told = await turn.told(ordered)
        found: list[Telling] = []
        for key in ordered:
            customer, meter, start = key
            watch = self._book.watches.get(customer)
            period, count = self._period_of(customer, start), counts.get(key)
            instant = judged_at(now, to_micros(period.start), to_micros(period.end))
            in_force = marks_at(watch.marks if watch else (), meter, instant)
            used = count.used if count is not None else Decimal(0)
            crossed = crossings(used, in_force, told.get(key, {}))
            found += [self._telling(key, period, crossing, count) for crossing in crossed]
        return found

    def _telling(self, key: Key, period: Period, crossing: Crossing, count: Count | None) -> Telling:
        contract = self._book.contract(key[0])
        assert contract is not None  # whoever is counted has one, see `_round`
        counted_to = count.counted_to if count is not None else None
        kind, units, ordinal, used = crossing.kind, crossing.units, crossing.ordinal, crossing.used
        return Telling(key, period.end, kind, units, ordinal, used, counted_to, contract.revision)

    def _period_of(self, customer: str, instant: datetime) -> Period:
        contract = self._book.contract(customer)
        assert contract is not None  # whoever is counted has one, see `_round`
        return contract.period_of(instant)

    # ── the bus ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _publish(self) -> None:
        """Crossings that are written down and not on the bus, in order; one process at a time says them."""
        while await self._publish_some():
            pass

    async def _publish_some(self) -> bool:
        async with self._store.publishing() as unpublished:
            rows = await unpublished.oldest(PUBLISHED_AT_ONCE) if unpublished is not None else []
            if unpublished is None or not rows:
                return False
            partitions = await self._producer.partitions_for(USAGE_ALERTS.name)
            waiting = set()
            for row in rows:
                key = row["customer"].encode()
                waiting.add(
                    self._producer.append(USAGE_ALERTS.name, partition_of_key(key, partitions), key, to_wire(row))
                )
            await confirmed(waiting)
            failpoints.reach("alerts-after-publish")
            await unpublished.published([row["number"] for row in rows])
        return True


def _key(count: Count) -> Key:
    return count.customer, count.meter, count.start


def alert_of(row: Any) -> dict[str, Any]:
    """The facts of a crossing as the bus and the API say them."""
    same = ("customer", "meter", "kind", "units", "ordinal", "contract_revision")
    return {
        **{name: row[name] for name in same},
        "state": "reached" if row["ordinal"] % 2 else "taken_back",
        "used": decimal_text(row["used"]),
        "period_start": iso(row["period_start"]),
        "period_end": iso(row["period_end"]),
        "counted_to": None if row["counted_to"] is None else iso(row["counted_to"]),
    }


def to_wire(row: Any) -> bytes:
    """The record on `usage.alerts`: the same bytes for the same crossing, published first or again."""
    data = alert_of(row)
    parts = [data[name] for name in ("customer", "meter", "period_start", "kind", "units", "ordinal")]
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "type": "usage.alert",
            "id": "/".join(map(str, parts)),
            "source": SOURCE,
            "subject": data["customer"],
            "time": iso(row["told_at"]),
            "data": data,
        }
    )
