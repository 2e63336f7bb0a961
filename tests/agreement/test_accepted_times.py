"""
A time for which an operator answers goes through the line: ingest's checks, rating's decision, the door's placing.

Each service's own functions, in the order in which an event meets them; the bus between them is a list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.bus import partition_of
from event_schemas.times import from_micros, to_micros
from event_schemas.wire import ProductEvent
from invoicing_sync.usage.domain.placement import place
from invoicing_sync.usage.domain.routing import Limits, too_old
from invoicing_sync.usage.domain.states import Correction
from usage_ingest.domain.amend import Amendment
from usage_ingest.domain.flaws import accepted_time_flaw, flaw_in
from usage_ingest.domain.limits import bounds_at, bounds_of_accepted
from usage_ingest.handlers import append_event
from usage_ingest.replay import mended
from usage_ingest.testing import an_event
from usage_rating.arrivals import Arrivals
from usage_rating.domain.outcome import decide
from usage_rating.domain.policy import ContractTimeline, Policy

RECEIVED_AT = datetime(2026, 3, 2, 10, 0, 10, tzinfo=UTC)
ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
TIMELINE = ContractTimeline((to_micros(ANCHOR),), (Policy(),))
STRIPE = Limits(timedelta(hours=20), timedelta(hours=23), timedelta(days=34.9))


@dataclass
class Record:
    """A record as rating reads it."""

    offset: int
    value: bytes | None


class Log(list[bytes]):
    """The partition that takes the event."""

    def append(self, topic: str, partition: int, key: bytes, value: bytes) -> Any:  # type: ignore[override]  # a producer's
        super().append(value)


def replayed(time: str, *, now: datetime) -> tuple[ProductEvent, bytes]:
    """The event and its record, after a replay by `accept_time` at a business time."""
    event = mended(json.dumps(an_event(time=time, data={"signal": "ai_answer"})).encode(), Amendment(accept_time=True))
    assert not hasattr(event, "flaw")
    assert flaw_in(event, bounds=bounds_at(RECEIVED_AT), customers={"acme"}) is not None  # it waited
    assert accepted_time_flaw(event, bounds=bounds_of_accepted(now), customers={"acme"}) is None
    log = Log()
    append_event(event, RECEIVED_AT, log, 8)  # type: ignore[arg-type]  # as the producer
    return event, log[0]


def arrived(record: bytes) -> Arrivals:
    arrivals = Arrivals()
    partition = partition_of("acme", "conversation-1", 8)
    arrivals.add(partition, [Record(0, record)])
    assert arrivals.unreadable == []
    assert arrivals.reach[partition].received_at == to_micros(RECEIVED_AT)  # its age moves no clock back
    return arrivals


@pytest.mark.parametrize("time", ["2024-11-05T09:00:00Z", "2025-01-01T00:00:00+05:00"])
def test_an_event_older_than_400_days_is_charged_at_its_time_as_a_correction(time: str) -> None:
    now = datetime(2026, 3, 5, tzinfo=UTC)
    event, record = replayed(time, now=now)

    decision = decide(arrived(record).signals["acme", "conversation-1"], TIMELINE, as_of=to_micros(now))

    assert (decision.status, decision.why) == ("charged", "assumed")
    (wanted,) = decision.wanted
    effective_at = from_micros(wanted.effective_at)
    assert effective_at == event.time + timedelta(hours=24)
    placement = place(
        billing_anchor=ANCHOR,
        billed_from=ANCHOR,
        effective_at=effective_at,
        recorded_at=now,
        freeze_after=timedelta(minutes=30),
    )
    assert placement.correction is Correction.AFTER_FREEZE
    assert effective_at in placement.period
    assert too_old(effective_at, now, STRIPE)


def test_an_event_older_than_the_contract_is_not_charged_and_says_why() -> None:
    _, record = replayed("2001-01-01T00:00:00Z", now=RECEIVED_AT)

    decision = decide(arrived(record).signals["acme", "conversation-1"], TIMELINE, as_of=to_micros(RECEIVED_AT))

    assert (decision.status, decision.why) == ("not_chargeable", "no_contract_in_force")


def test_an_event_that_was_ahead_matures_by_its_own_time() -> None:
    now = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
    _, record = replayed("2026-03-02T12:00:00Z", now=now)
    signals = arrived(record).signals["acme", "conversation-1"]

    early = decide(signals, TIMELINE, as_of=to_micros(now + timedelta(hours=23)))
    late = decide(signals, TIMELINE, as_of=to_micros(now + timedelta(hours=24)))

    assert (early.status, early.due_at) == ("pending", to_micros(datetime(2026, 3, 3, 12, tzinfo=UTC)))
    assert (late.status, from_micros(late.wanted[0].effective_at)) == ("charged", datetime(2026, 3, 3, 12, tzinfo=UTC))
