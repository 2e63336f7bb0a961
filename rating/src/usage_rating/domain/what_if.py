"""What another policy would have made of a conversation, beside what its own made of it. Decides; nothing is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from usage_rating.domain.entries import Wanted
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import Decision, decide
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.signal import Signal

ANOTHER_PERIOD, ANOTHER_METER = "another_period", "another_meter"  # codes beside those of a decision


@dataclass(frozen=True, slots=True)
class Span:
    """Charges count whose `effective_at` lies in [start, end), by signals received before `until`; microseconds."""

    start: int
    end: int
    until: int


@dataclass(frozen=True, slots=True)
class Turn:
    """
    Units of a meter that a conversation has more (or, below 0, less) under the draft.

    `before` and `after` say what each policy made of it: the way of a charge, or the code of why there is none.
    """

    meter: str
    units: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Charges of one conversation that stand in the span, by meter, and what the draft turns."""

    before: Counter[str]
    after: Counter[str]
    turns: tuple[Turn, ...]


def reach(*timelines: ContractTimeline) -> int:
    """The longest window, in microseconds: a charge comes no later after a conversation's last signal."""
    return max(length for timeline in timelines for policy in timeline.policies for length in policy.window.values())


def compare(
    signals: Sequence[Signal],
    others: Sequence[Signal],
    timeline: ContractTimeline,
    draft: ContractTimeline,
    *,
    span: Span,
    read_up_to: int,
) -> Outcome:
    """
    Decide a conversation twice, by its contract's policies and by a draft's.

    Args:
        signals, others: as its row keeps them.
        read_up_to: how far the partition is: no window that ends later has been charged.
    """
    known = known_before(signals, others, span.until)
    as_of = min(span.until, read_up_to)
    was, would = decide(known, timeline, as_of=as_of), decide(known, draft, as_of=as_of)
    before, after = _standing(was), _standing(would)
    counts = _in(before, span), _in(after, span)
    turns = [
        Turn(meter, units, _word(was, before, meter, span), _word(would, after, meter, span))
        for meter in sorted({*counts[0], *counts[1]})
        if (units := counts[1][meter] - counts[0][meter])
    ]
    return Outcome(*counts, tuple(turns))


def known_before(signals: Sequence[Signal], others: Sequence[Signal], until: int) -> Sequence[Signal]:
    """The set as it was before an instant (microseconds): without what was received then or later."""
    if all(signal.received_at < until for signal in signals):
        return signals
    return merge((), (), [signal for signal in (*signals, *others) if signal.received_at < until]).kept


def _standing(decision: Decision) -> tuple[Wanted, ...]:
    """The charges that no reversal follows."""
    last = {(entry.meter, entry.effective_at): entry for entry in decision.wanted}
    return tuple(entry for entry in last.values() if entry.op == "charge")


def _in(standing: Sequence[Wanted], span: Span) -> Counter[str]:
    return Counter(entry.meter for entry in standing if span.start <= entry.effective_at < span.end)


def _word(decision: Decision, standing: Sequence[Wanted], meter: str, span: Span) -> str:
    inside = [entry for entry in standing if span.start <= entry.effective_at < span.end]
    own = next((entry.how for entry in inside if entry.meter == meter), None)
    if own is not None:
        return own
    if inside:
        return ANOTHER_METER
    return ANOTHER_PERIOD if standing else decision.why
