"""
Publishes what is committed: entries to `usage.rated`, then `published_seq`, then `rating.progress`.

Runs beside the worker, so that a slow broker does not stop deciding. Per partition entries go out by `seq`; after a
failed round the same entries go out again, and readers know them by their ids.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from chassis.bus import BatchProducer, confirmed, partition_of_key
from chassis.errors import TryLater
from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours
from event_schemas.times import from_micros
from event_schemas.topics import RATING_PROGRESS, USAGE_RATED
from event_schemas.wire import ProgressData, RatedEntry, RatingProgress
from usage_rating import metrics
from usage_rating.entries import SOURCE, to_wire
from usage_rating.failpoints import failpoints
from usage_rating.store.hot import HotStore
from usage_rating.store.partitions import PartitionRow

log = logging.getLogger(__name__)

ROUND_ENTRIES = 5_000  # per partition and round: bounds what is sent again after a failed one
PAGE_ENTRIES = 2_000

AWAY_OR_LATER: tuple[type[Exception], ...] = (TryLater, *AWAY)

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Mark:
    """All up to `read_up_to` (microseconds) is decided, in entries up to `seq`."""

    read_up_to: int
    seq: int


@dataclass(slots=True)
class _Lane:
    """What is to be published for one owned partition."""

    topic_id: str
    epoch: int
    published_seq: int
    entries: deque[RatedEntry] = field(default_factory=deque)
    mark: Mark | None = None
    told: Mark | None = None


class Publisher:
    """One for each process; the worker hands over partitions, committed entries and marks."""

    def __init__(
        self, producer: BatchProducer, store: HotStore, *, gather_ms: int, progress_ms: int, most_waiting: int
    ) -> None:
        self._producer = producer
        self._store = store
        self._gather_s = gather_ms / 1000
        self._progress_s = progress_ms / 1000
        self._most_waiting = most_waiting
        self._lanes: dict[int, _Lane] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._round = asyncio.Lock()
        self._told_at = 0.0
        self.waiting = 0
        self.confirmed = 0

    async def own(self, row: PartitionRow) -> None:
        """Take a partition over: what its former owner left unpublished goes out at once."""
        lane = _Lane(row.topic_id, row.epoch, row.published_seq)
        after = row.published_seq
        while after < row.last_seq:
            page = await self._store.unpublished(row.partition, after, limit=PAGE_ENTRIES)
            if not page:
                raise RuntimeError(f"partition {row.partition}: the ledger ends before seq {row.last_seq}")
            lane.entries.extend(page)
            after = page[-1].seq
        self._lanes[row.partition] = lane
        self._count(len(lane.entries))

    async def release(self) -> None:
        """Give all partitions back, once the round under way is through: the next owner publishes the rest."""
        async with self._round:
            self._lanes.clear()
            self._count(-self.waiting)

    def append(self, partition: int, entries: list[RatedEntry]) -> None:
        """Entries of a committed transaction, in order of `seq`."""
        self._lanes[partition].entries.extend(entries)
        self._count(len(entries))

    def mark(self, row: PartitionRow) -> None:
        """A partition has nothing due any more up to its `read_up_to`: tell it once its entries are out."""
        lane = self._lanes[row.partition]
        mark = Mark(row.read_up_to, row.last_seq)
        if mark != lane.mark:
            lane.mark = mark
            self._wake.set()

    async def room(self) -> None:
        """Return when not too much waits for the broker."""
        await self._room.wait()

    async def run(self) -> None:
        """Publish until cancelled. Raises StaleEpoch when another owner has taken a partition over."""
        failures = 0
        await self._partitions()
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._gather_s)
            self._wake.clear()
            try:
                async with self._round:
                    await self._publish()
                    await self._tell()
                failures = 0
            except AWAY_OR_LATER as error:
                raise_if_ours(error)
                failures += 1
                log.warning("publishing is tried again", extra={"why": str(error), "failures": failures})
                await asyncio.sleep(backoff_s(failures, cap_s=5.0))
                self._wake.set()

    async def _partitions(self) -> None:
        self._rated_partitions = await self._producer.partitions_for(USAGE_RATED.name)
        self._progress_partitions = await self._producer.partitions_for(RATING_PROGRESS.name)

    async def _publish(self) -> None:
        chosen = {
            number: (lane, list(islice(lane.entries, ROUND_ENTRIES)))
            for number, lane in self._lanes.items()
            if lane.entries
        }
        if not chosen:
            return
        began = time.monotonic()
        failpoints.reach("before-publish")
        waiting = set()
        for _, entries in chosen.values():
            for entry in entries:
                key = entry.customer.encode()
                partition = partition_of_key(key, self._rated_partitions)
                waiting.add(self._producer.append(USAGE_RATED.name, partition, key, to_wire(entry)))
        await confirmed(waiting)
        metrics.PUBLISH_S.observe(time.monotonic() - began)
        failpoints.reach("after-publish")
        await self._store.store_published(
            {number: (lane.epoch, entries[-1].seq) for number, (lane, entries) in chosen.items()}
        )
        failpoints.reach("after-published-seq")
        for lane, entries in chosen.values():
            lane.published_seq = entries[-1].seq
            for _ in entries:
                lane.entries.popleft()
            self._count(-len(entries))
            self.confirmed += len(entries)

    async def _tell(self) -> None:
        """Publish progress where a partition's mark is reached; not more often than agreed."""
        ready = {
            number: lane
            for number, lane in self._lanes.items()
            if lane.mark is not None and lane.mark != lane.told and lane.mark.seq <= lane.published_seq
        }
        if not ready:
            return
        early = self._told_at + self._progress_s - time.monotonic()
        if early > 0:
            asyncio.get_running_loop().call_later(early, self._wake.set)
            return
        self._told_at = time.monotonic()
        told = {number: lane.mark for number, lane in ready.items() if lane.mark is not None}
        waiting = set()
        for number, mark in told.items():
            key = str(number).encode()
            partition = partition_of_key(key, self._progress_partitions)
            value = _progress(number, ready[number].topic_id, mark)
            waiting.add(self._producer.append(RATING_PROGRESS.name, partition, key, value))
        await confirmed(waiting)
        failpoints.reach("after-progress")
        for number, mark in told.items():
            ready[number].told = mark

    def _count(self, more: int) -> None:
        self.waiting += more
        metrics.UNPUBLISHED.set(self.waiting)
        if self.waiting > self._most_waiting:
            self._room.clear()
        else:
            self._room.set()
        if more > 0:
            self._wake.set()


def _progress(partition: int, topic_id: str, mark: Mark) -> bytes:
    read_up_to = from_micros(mark.read_up_to)
    data = ProgressData(topic_id=topic_id, partition=partition, read_up_to=read_up_to, seq=mark.seq)
    identity = f"{topic_id}/{partition}/{mark.seq}/{mark.read_up_to}"
    return _encode(RatingProgress(id=identity, source=SOURCE, subject=str(partition), time=read_up_to, data=data))
