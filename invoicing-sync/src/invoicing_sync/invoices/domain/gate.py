"""When a frozen period is complete, and whether its invoice may be finalised. Source: design rule 8."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class PeriodState(StrEnum):
    """open -> frozen -> complete -> (held <->) finalising -> finalised."""

    OPEN = "open"
    FROZEN = "frozen"  # later entries are corrections; earlier ones may still arrive and be sent
    COMPLETE = "complete"  # every entry of the frozen set is here and settled
    HELD = "held"  # Stripe's numbers and ours differ, on the draft or after finalising: looked at again
    FINALISING = "finalising"  # the draft agrees; the intent to finalise is stored
    CHECKING = "checking"  # Stripe has finalised; neither compared nor collected
    COLLECTING = "collecting"  # every line and the total agree; the intent to send or charge is stored
    FINALISED = "finalised"  # compared in both stages and handed over: the invoice is issued
    VOIDED = "voided"  # a person has voided the invoice: nothing more happens here


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """How far rating is in one partition, and how far this service holds its ledger without a gap."""

    partition: int
    read_up_to: datetime
    seq: int  # the last entry that rating had published when it was at `read_up_to`
    held_up_to: int  # every entry up to this one is here
    held_recorded_at: datetime | None  # `recorded_at` of that entry


def lagging(progress: Iterable[PartitionProgress], *, partitions: int, freeze_at: datetime) -> tuple[int, ...]:
    """
    The partitions that may still bring an entry recorded before `freeze_at`; empty when the frozen set is complete.

    A partition is done when rating has read past the freeze and all it had published by then is here. `recorded_at`
    never goes back within a partition, so an entry held without a gap and recorded at the freeze or later proves the
    same: that is how a busy partition, whose `seq` runs ahead all the time, gets done.
    """
    done = {
        p.partition
        for p in progress
        if p.read_up_to >= freeze_at
        and (p.held_up_to >= p.seq or (p.held_recorded_at is not None and p.held_recorded_at >= freeze_at))
    }
    return tuple(number for number in range(partitions) if number not in done)


@dataclass(frozen=True, slots=True)
class MeterCheck:
    """One meter's net in a period: what our frozen ledger holds and what Stripe has summed."""

    meter: str
    ledger: Decimal
    stripe: Decimal


def usage_differences(checks: Iterable[MeterCheck]) -> tuple[str, ...]:
    """What stands between the frozen ledger and Stripe's summaries, as sentences with both numbers."""
    return tuple(
        f"meter {check.meter}: ledger {check.ledger}, Stripe {check.stripe}"
        for check in checks
        if check.ledger != check.stripe
    )


def ledger_of(values: Iterable[tuple[str, Decimal]], meters: Iterable[str]) -> Mapping[str, Decimal]:
    """Net quantity by meter; every meter named is there, with 0 where nothing happened."""
    net = dict.fromkeys(meters, Decimal(0))
    for meter, value in values:
        net[meter] = net.get(meter, Decimal(0)) + value
    return net


def is_a_finding(differs_since: datetime, now: datetime, settle: timedelta) -> bool:
    """
    Whether a difference has lasted long enough to be a case; before that Stripe may still be summing.

    Both instants are process time: Stripe's summaries are eventually consistent in real time.
    """
    return now - differs_since >= settle
