"""What a transaction does to one conversation or record: union, decision, difference. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from event_schemas.wire import RatedEntry
from usage_rating.domain.days import FIRST
from usage_rating.domain.entries import Because, Wanted, difference
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import decide as decide_outcome
from usage_rating.domain.outcome import disagreement
from usage_rating.domain.policy import DAY, ContractTimeline
from usage_rating.domain.ranks import CLEARED, CUSTOMER_MESSAGE, FLAGGED, MERGED_INTO, RESOLUTION
from usage_rating.domain.signal import Report, Signal
from usage_rating.domain.usage import decide_usage
from usage_rating.entries import append_entries
from usage_rating.state import ConversationState, RecordState, encode_state

FEW_SIGNALS = 100  # up to here looking through all is cheaper than a set
SIGNALS_KEPT = 2_000  # above it only signals are taken that can reverse or exclude; a row stays below 200 kB
EXCLUDING = frozenset({FLAGGED, CLEARED, MERGED_INTO})
REVERSING_INTENTS = frozenset({"question", "needs_help", "human_request", "negative"})
NO_CONVERSATION = ConversationState()
NO_RECORD = RecordState()

Union = tuple[tuple[Signal, ...], tuple[Signal, ...], int, "Counts"]  # signals, others, left out, counts


class Counts(msgspec.Struct, frozen=True, gc=False):
    """How the arrived events were used: each is exactly one of these or quarantined."""

    applied: int = 0
    duplicate: int = 0
    conflicting: int = 0


NOTHING_ARRIVED = Counts()
ONE_APPLIED = Counts(1)


@dataclass(frozen=True, slots=True)
class CaseFound:
    """What a person has to look at. `about` keeps one case one; `sentence` None closes it."""

    kind: str
    customer: str
    subject: str
    about: str
    sentence: str | None


class Change(msgspec.Struct, frozen=True, gc=False):
    """
    What becomes of a row. `state` None: nothing to write. `due_at` is the value to store, in microseconds.

    `status_before` None: the row is new.
    """

    status_before: str | None
    status: str
    state: bytes | None
    due_at: int | None
    entries: Sequence[RatedEntry]
    counts: Counts
    cases: tuple[CaseFound, ...] = ()
    last_day: int = FIRST  # of a conversation's last signal


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all decisions of one partition in one transaction share; instants in microseconds."""

    ledger_id: str
    partition: int
    as_of: int
    recorded_at: int


def change_conversation(
    key: tuple[str, str],
    state: ConversationState,
    status_before: str | None,
    due_before: int | None,
    arrived: Sequence[Signal],
    timeline: ContractTimeline | None,
    here: Circumstances,
    first_seq: int,
) -> Change:
    """Add what arrived to a conversation and decide it again; with nothing arrived, only decide it again."""
    signals, others, left_out, counts = _union(state, arrived) if arrived else _as_it_is(state)
    decision = decide_outcome(signals, timeline, as_of=here.as_of)
    missing = _missing(decision.wanted, state, arrived, timeline, here)
    entries, held = _append(missing, state, key, "conversation", here, first_seq)
    due_at = _due_to_store(due_before, decision.due_at, here.as_of)
    unchanged = (
        status_before == decision.status
        and due_before == due_at
        and not entries
        and not counts.applied
        and not counts.conflicting
    )
    after = None if unchanged else encode_state(ConversationState(signals, others, held, left_out))
    cases = _conflicts(key, others) if counts.conflicting else ()
    if RESOLUTION in [signal.rank for signal in signals]:
        sentence = disagreement(signals, timeline, as_of=here.as_of)
        cases += (CaseFound("disagreement", key[0], key[1], "", sentence),)
    last_day = signals[-1].at // DAY
    return Change(status_before, decision.status, after, due_at, entries, counts, cases, last_day)


def _as_it_is(state: ConversationState) -> Union:
    return state.signals, state.others, state.left_out, NOTHING_ARRIVED


def _union(state: ConversationState, arrived: Sequence[Signal]) -> Union:
    """The set with what arrived in it, and how each of the arrived was used."""
    signals, left_out = state.signals, state.left_out
    if len(arrived) == 1 and len(signals) < FEW_SIGNALS and _is_new_and_last(signals, arrived[0]):
        return (*signals, arrived[0]), state.others, left_out, ONE_APPLIED
    taken = arrived
    if len(signals) + len(arrived) > SIGNALS_KEPT:
        taken = _still_taken(signals, arrived)
    not_taken = len(arrived) - len(taken)
    merged = merge(signals, state.others, taken)
    counts = Counts(merged.applied + not_taken, merged.duplicate, merged.conflicting)
    return merged.kept, merged.others, left_out + not_taken, counts


def _is_new_and_last(signals: Sequence[Signal], signal: Signal) -> bool:
    """The ordinary case, for which `merge` would come to the same: a new signal, later than all that are known."""
    if signals and not signals[-1] < signal:
        return False
    event_id = signal.id
    return event_id not in [known.id for known in signals]


def change_record(
    key: tuple[str, str, str],
    state: RecordState,
    status_before: str | None,
    arrived: Sequence[Report],
    timeline: ContractTimeline | None,
    here: Circumstances,
    first_seq: int,
) -> Change:
    """Add what arrived to a product's record and decide it again; with nothing arrived, only decide it again."""
    customer, meter, subject = key
    merged = merge(state.reports, state.others, arrived)
    decision = decide_usage(merged.kept, meter, timeline)
    missing = _missing(decision.wanted, state, arrived, timeline, here)
    entries, held = _append(missing, state, (customer, subject), "record", here, first_seq)
    unchanged = status_before is not None and bool(arrived) and not merged.applied and not merged.conflicting
    after = None if unchanged else encode_state(RecordState(merged.kept, merged.others, held))
    counts = Counts(merged.applied, merged.duplicate, merged.conflicting)
    cases = _conflicts((customer, f"{meter}/{subject}"), merged.others) if merged.conflicting else ()
    return Change(status_before, decision.status, after, None, entries, counts, cases)


def _missing(
    wanted: Sequence[Wanted],
    state: ConversationState | RecordState,
    arrived: Sequence[Signal] | Sequence[Report],
    timeline: ContractTimeline | None,
    here: Circumstances,
) -> Sequence[Wanted]:
    if not state.held:
        return wanted
    because = Because(tuple(event.identity for event in arrived), timeline)
    return difference(wanted, state.held, decided_at=here.recorded_at, because=because)


def _append(
    missing: Sequence[Wanted],
    state: ConversationState | RecordState,
    key: tuple[str, str],
    kind: str,
    here: Circumstances,
    first_seq: int,
) -> tuple[Sequence[RatedEntry], tuple]:  # type: ignore[type-arg]
    if not missing:
        return (), state.held
    return append_entries(
        missing,
        state.held,
        ledger_id=here.ledger_id,
        customer=key[0],
        subject=key[1],
        kind=kind,  # type: ignore[arg-type]
        partition=here.partition,
        first_seq=first_seq,
        recorded_at=here.recorded_at,
    )


def _due_to_store(before: int | None, wanted: int | None, as_of: int) -> int | None:
    """
    The due time for the row: an earlier one that has not come yet is kept, so that the update touches no index.

    Deciding too early changes nothing but this value; too late would delay money.
    """
    if before is None or before <= as_of:
        return wanted
    return before if wanted is None or wanted > before else wanted


def _still_taken(signals: Sequence[Signal], arrived: Sequence[Signal]) -> list[Signal]:
    """Of what arrives at a full conversation: what it knows already, and what can reverse or exclude."""
    room = max(0, SIGNALS_KEPT - len(signals))
    known = {signal.identity for signal in signals}
    taken = []
    for signal in arrived:
        new = signal.identity not in known
        if new and room > 0:
            room -= 1
        elif new and not _can_undo(signal):
            continue
        known.add(signal.identity)
        taken.append(signal)
    return taken


def _can_undo(signal: Signal) -> bool:
    return signal.rank in EXCLUDING or (signal.rank == CUSTOMER_MESSAGE and signal.detail in REVERSING_INTENTS)


def _conflicts(key: tuple[str, str], others: Sequence[Signal] | Sequence[Report]) -> tuple[CaseFound, ...]:
    """One case for each identity that came with more than one content."""
    return tuple(
        CaseFound(
            "conflict",
            key[0],
            key[1],
            f"{event.source} {event.id}",
            "two events share source and id and differ in content; the one with the smaller fingerprint counts",
        )
        for event in others
    )
