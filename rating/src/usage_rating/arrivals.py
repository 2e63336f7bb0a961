"""Records of `events.accepted`, decoded and grouped by what they are about. The hottest loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from event_schemas.times import EPOCH, MICROSECOND
from event_schemas.vocabulary import RANK, SignalType
from event_schemas.wire import ConversationSignal, ProductEvent, Resolution
from usage_rating.domain.signal import Report, Signal

_decode = msgspec.json.Decoder(ProductEvent).decode
_RANKS = {signal.value: rank for signal, rank in RANK.items()}
_RESOLUTION = RANK[SignalType.RESOLUTION]

ConversationKey = tuple[str, str]  # customer, conversation
RecordKey = tuple[str, str, str]  # customer, meter, subject


class LogRecord(Protocol):
    """A record as the consumer hands it over."""

    offset: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be decoded: where it lies and why, without its content."""

    partition: int
    offset: int
    detail: str


@dataclass(slots=True)
class Reach:
    """How far a batch gets in one partition. `received_at` in microseconds, 0 where no record could be decoded."""

    first_offset: int
    next_offset: int
    received_at: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class Arrivals:
    """A batch: what arrived for each conversation and record, and how far it gets in each partition."""

    signals: defaultdict[ConversationKey, list[Signal]] = field(default_factory=lambda: defaultdict(list))
    reports: defaultdict[RecordKey, list[Report]] = field(default_factory=lambda: defaultdict(list))
    partition_of: dict[ConversationKey | RecordKey, int] = field(default_factory=dict)
    reach: dict[int, Reach] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many records the batch holds."""
        return sum(reach.next_offset - reach.first_offset for reach in self.reach.values())

    def add(self, partition: int, records: Iterable[LogRecord]) -> None:
        """Decode the records of one partition, in order of their offsets."""
        reach = self.reach.get(partition)
        for record in records:
            if reach is None:
                reach = self.reach[partition] = Reach(record.offset, record.offset)
            reach.next_offset = record.offset + 1
            try:
                received_at = self._take(partition, record.value)
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
                reach.quarantined += 1
                self.unreadable.append(Unreadable(partition, record.offset, _without_content(error)))
                continue
            if received_at > reach.received_at:
                reach.received_at = received_at

    def _take(self, partition: int, value: bytes | None) -> int:
        event = _decode(value or b"")
        if event.receivedat is None:
            raise ValueError("receivedat is missing")
        at = (event.time - EPOCH) // MICROSECOND
        received_at: int = (event.receivedat - EPOCH) // MICROSECOND
        if isinstance(event, ConversationSignal):
            data = event.data
            signal = Signal(
                at,
                _RANKS[data.signal],
                event.source,
                event.id,
                data.intent or data.flag or data.into or "",
                data.outcome_type or "",
                data.channel,
                data.evidence or "",
                received_at,
            )
            key = (event.customer, event.subject)
            self.signals[key].append(signal)
            self.partition_of[key] = partition
        elif isinstance(event, Resolution):
            self._take_resolution(partition, event, at, received_at)
        else:
            usage = event.data
            corrects = (usage.corrects.source, usage.corrects.id) if usage.corrects else ()
            report = Report(at, event.source, event.id, usage.quantity, corrects, usage.evidence or "", received_at)
            record_key = (event.customer, usage.meter, event.subject)
            self.reports[record_key].append(report)
            self.partition_of[record_key] = partition
        return received_at

    def _take_resolution(self, partition: int, event: Resolution, at: int, received_at: int) -> None:
        said = event.data
        key = (event.customer, event.subject)
        self.signals[key].append(
            Signal(
                at,
                _RESOLUTION,
                event.source,
                event.id,
                said.state,
                said.outcome_type,
                said.channel,
                said.evidence or "",
                received_at,
            )
        )
        self.partition_of[key] = partition


def _without_content(error: Exception) -> str:
    """The error's sentence; msgspec names places and types, and a quoted value is cut off."""
    return str(error).split(" '")[0][:200] if isinstance(error, msgspec.MsgspecError) else str(error)[:200]
