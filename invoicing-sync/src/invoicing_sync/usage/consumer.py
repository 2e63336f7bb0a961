"""
What this service reads of the bus, and the order of effects.

    usage.rated      entries, deliveries, corrections and offsets in one transaction   failpoint entries-stored
                     then the lanes are woken; if we die before, the scan finds them
    contracts        the newest revision of each customer, stored                      failpoint contract-stored
                     then the applier is woken; if we die before, it finds the row
    rating.progress  the furthest of each partition and the offset in one transaction; then the gate is woken

`contracts` is compacted and read from its beginning at each start: repeating it changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from chassis.broker import Broker
from chassis.bus import TopicReader
from chassis.clock import Clock
from chassis.log_ends import LogEnds
from event_schemas.contract_content import differing_fields
from event_schemas.contract_v2 import AnyContract
from event_schemas.events.contract_v2 import AnyContractEvent
from event_schemas.topics import CONTRACTS, RATING_PROGRESS, USAGE_RATED
from event_schemas.wire import ProgressData, RatedEntry, RatingProgress, UsageRated
from invoicing_sync import metrics
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.reception import Doorkeeper
from invoicing_sync.contracts.store import contracts
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.domain.freeze import Freeze
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.handlers import Offsets, handle_entries, handle_progress
from invoicing_sync.usage.store.deliveries import Lane
from invoicing_sync.usage.topic_reader import BatchReader

log = logging.getLogger(__name__)

_entry = msgspec.json.Decoder(UsageRated)
_progress = msgspec.json.Decoder(RatingProgress)


class Intake:
    """The three readers of the bus."""

    def __init__(
        self,
        broker: Broker,
        pool: Pool,
        clock: Clock,
        *,
        freeze: Freeze,
        issuers: Issuers,
        gather_ms: int,
        wake_lanes: Callable[[Iterable[Lane]], None],
        wake_applier: Callable[[], None],
        wake_gate: Callable[[], None],
    ) -> None:
        self._pool, self._clock, self._freeze, self._issuers = pool, clock, freeze, issuers
        self._doorkeeper = Doorkeeper(pool, clock, issuers=issuers)
        self._wake_lanes, self._wake_applier, self._wake_gate = wake_lanes, wake_applier, wake_gate
        self.rated = BatchReader(broker, USAGE_RATED.name, self._take_entries, pool=pool, gather_ms=gather_ms)
        self.progress = BatchReader(broker, RATING_PROGRESS.name, self._take_progress, pool=pool, gather_ms=gather_ms)
        self.contracts = TopicReader(broker, CONTRACTS.name, self._take_contract)
        self._ends = LogEnds(broker)

    async def _take_entries(self, records: Sequence[ConsumerRecord], offsets: Offsets) -> None:
        batch: list[RatedEntry] = []
        for record in records:
            try:
                batch.append(_entry.decode(record.value or b"").data)
            except msgspec.DecodeError as error:
                await self._unreadable(record, error)
        taken = await handle_entries(batch, offsets, pool=self._pool, freeze=self._freeze, issuers=self._issuers)
        failpoints.reach("entries-stored")
        metrics.entries_stored.inc(taken.new)
        metrics.of_other_doors.inc(taken.of_other_doors)
        self._wake_lanes(taken.lanes)
        self._wake_gate()

    async def _take_progress(self, records: Sequence[ConsumerRecord], offsets: Offsets) -> None:
        furthest: dict[int, ProgressData] = {}
        for record in records:
            try:
                data = _progress.decode(record.value or b"").data
            except msgspec.DecodeError as error:
                await self._unreadable(record, error)
                continue
            furthest[data.partition] = data
        await handle_progress(list(furthest.values()), offsets, pool=self._pool)
        self._wake_gate()

    async def _take_contract(self, record: ConsumerRecord) -> None:
        if not record.value:
            return  # a tombstone of compaction: contracts end by a revision, never by vanishing
        try:
            contract = AnyContractEvent.model_validate_json(record.value).data
        except ValidationError as error:
            await self._unreadable(record, error)
            return
        if not await self._doorkeeper.admits(contract):
            return
        kept = await contracts.keep_newest(self._pool, contract)
        if kept.revision == contract.revision and (fields := differing_fields(kept, contract)):
            await self._say_conflict(contract, fields)
        elif kept.revision == contract.revision:
            failpoints.reach("contract-stored")
            self._wake_applier()

    async def _say_conflict(self, contract: AnyContract, fields: Sequence[str]) -> None:
        """Of a revision the first content counts; another one is never applied, and somebody meant it."""
        sentence = (
            f"revision {contract.revision} came again and says something else in {', '.join(fields)}; the first "
            f"content stays in force: publish what is meant as revision {contract.revision + 1}"
        )
        await cases.open_case_once(
            self._pool,
            "contract_conflict",
            contract.customer,
            now=self._clock.now(),
            customer=contract.customer,
            revision=contract.revision,
            fields=list(fields),
            sentence=sentence,
        )

    async def _unreadable(self, record: ConsumerRecord, error: Exception) -> None:
        """A record of our own house that does not decode is a bug there: a case, named by its place on the bus."""
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.error("an unreadable record", extra={"place": place, "error": type(error).__name__})
        await cases.open_case(self._pool, "unreadable_record", place, now=self._clock.now(), error=type(error).__name__)

    async def begin(self) -> None:
        """Before anything is read. Raises WrongSetting where ISSUERS cannot be."""
        await self._doorkeeper.begin()

    def works(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """The readers as background work."""
        return {"usage.rated": self.rated.run, "rating.progress": self.progress.run, "contracts": self.contracts.run}

    @property
    def position(self) -> tuple[int, int]:
        """Something that moves whenever a batch was taken in."""
        return self.rated.handled, self.progress.handled

    async def unread(self) -> dict[str, int]:
        """Records not handled yet, by topic."""
        return await self._ends.unread(self.rated, self.progress, self.contracts)

    async def close(self) -> None:
        """Disconnect what asks the broker; the readers end with their work."""
        await self._ends.stop()
