"""Rule 3 attacked: an outcome is a function of a set, whatever order, duplication, lateness and batches it came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from usage_rating.domain.entries import Held, Wanted, difference
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import decide
from usage_rating.domain.policy import HOUR, ContractTimeline, Policy
from usage_rating.domain.ranks import (
    AI_ANSWER,
    AI_QUESTION,
    CLEARED,
    CUSTOMER_MESSAGE,
    ESCALATED,
    FLAGGED,
    MERGED_INTO,
    OUTCOME_REACHED,
    PROCEDURE_HANDOFF,
    RESOLUTION,
    TEAMMATE_REPLY,
)
from usage_rating.domain.signal import Report, Signal
from usage_rating.domain.usage import decide_usage
from usage_rating.testing import a_timeline

DETAILS = {
    CUSTOMER_MESSAGE: ["question", "affirm", "thanks", "needs_help", "human_request", "negative", "other"],
    FLAGGED: ["spam", "test", "internal"],
    CLEARED: ["", "spam", "test", "internal"],
    MERGED_INTO: ["c2"],
    RESOLUTION: ["confirmed", "assumed", "reversed"],
}
RANKS = [
    *[CUSTOMER_MESSAGE] * 4,
    *[AI_ANSWER] * 4,
    AI_QUESTION,
    PROCEDURE_HANDOFF,
    OUTCOME_REACHED,
    ESCALATED,
    TEAMMATE_REPLY,
    FLAGGED,
    CLEARED,
    MERGED_INTO,
    RESOLUTION,
]
TIMELINES = [
    ContractTimeline((0,), (Policy(),)),
    ContractTimeline((0,), (Policy(teammate_takeover_voids=True, return_horizon=48 * HOUR),)),
    ContractTimeline((0,), (Policy(precedence={"resolution": 0, "qualification": 1}),)),
    ContractTimeline((0,), (Policy(decided_by_product=True),)),
    ContractTimeline((20 * HOUR, 90 * HOUR), (Policy(version="a"), Policy(version="b", window={"default": 72 * HOUR}))),
]


@st.composite
def a_signal(draw: st.DrawFn, number: int) -> Signal:
    rank = draw(st.sampled_from(RANKS))
    return Signal(
        at=draw(st.integers(0, 200)) * HOUR,  # whole hours, so that messages meet the ends of windows
        rank=rank,
        source="s",
        id=f"e{number}",
        detail=draw(st.sampled_from(DETAILS.get(rank, [""]))),
        outcome_type="qualification" if rank == OUTCOME_REACHED else "",
    )


@st.composite
def some_signals(draw: st.DrawFn) -> list[Signal]:
    return [draw(a_signal(number)) for number in range(draw(st.integers(1, 14)))]


def net(entries: Sequence[Wanted | Held]) -> dict[tuple[str, int], int]:
    """Net per meter and moment, which is finer than per period."""
    count: Counter[tuple[str, int]] = Counter()
    for entry in entries:
        count[(entry.meter, entry.effective_at)] += 1 if entry.op == "charge" else -1
    return {key: value for key, value in count.items() if value}


def appended(entries: Sequence[Wanted]) -> list[Held]:
    """The entries as the conversation's row remembers them."""
    return [Held(entry.op, entry.meter, entry.effective_at, entry.quantity) for entry in entries]


def arrive(
    batches: Sequence[tuple[Sequence[Signal], int]], timeline: ContractTimeline
) -> tuple[list[Held], tuple[Signal, ...]]:
    """What the ledger and the row hold after the batches came in, each decided at its own instant."""
    kept: tuple[Signal, ...] = ()
    others: tuple[Signal, ...] = ()
    held: list[Held] = []
    for batch, as_of in batches:
        merged = merge(kept, others, batch)
        kept, others = merged.kept, merged.others
        decision = decide(kept, timeline, as_of=as_of)
        held += appended(difference(decision.wanted, held, decided_at=as_of))
    return held, kept


@settings(max_examples=400, deadline=None)
@given(some_signals(), st.sampled_from(TIMELINES), st.data())
def test_any_history_of_arrival_ends_with_the_same_net(
    signals: list[Signal], timeline: ContractTimeline, data: st.DataObject
) -> None:
    """
    Order, duplicates, lateness and batch borders change neither what is kept nor the net of any meter and moment.

    Seen to fail: order, when `merge` did not sort; duplicates, when it took what came again for another signal and when
    `difference` appended again what was held; lateness, when `difference` did not reverse what is no longer wanted;
    batches, when `merge` forgot what was kept.
    """
    final = 400 * HOUR
    as_one_batch = merge((), (), signals).kept
    at_once = decide(as_one_batch, timeline, as_of=final)
    shuffled = data.draw(st.permutations(signals + data.draw(st.lists(st.sampled_from(signals), max_size=5))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    instants = sorted(data.draw(st.lists(st.integers(0, 300), min_size=len(cuts), max_size=len(cuts))))
    batches, start = [], 0
    for cut, hour in zip(cuts, instants, strict=True):
        batches.append((shuffled[start:cut], hour * HOUR))
        start = cut
    batches.append((shuffled[start:], final))

    held, kept = arrive(batches, timeline)

    assert kept == as_one_batch
    assert net(held) == net(at_once.wanted)


@settings(max_examples=300, deadline=None)
@given(some_signals(), st.sampled_from(TIMELINES))
def test_a_conversation_never_nets_to_more_than_one(signals: list[Signal], timeline: ContractTimeline) -> None:
    """
    After each entry in order the net is 0 or 1, and it fits the status.

    Seen to fail when a cleared flag charged again without looking whether the walk's charge still stood.
    """
    decision = decide(merge((), (), signals).kept, timeline, as_of=400 * HOUR)

    running = 0
    for entry in decision.wanted:
        running += 1 if entry.op == "charge" else -1
        assert running in (0, 1)
    assert (running == 1) == (decision.status == "charged")


@settings(max_examples=200, deadline=None)
@given(some_signals(), st.sampled_from(TIMELINES), st.integers(0, 300))
def test_nothing_changes_before_the_due_instant(signals: list[Signal], timeline: ContractTimeline, hour: int) -> None:
    """
    Deciding again before `due_at` with the same set asks for the same entries.

    Seen to fail when an open window set no `due_at`.
    """
    kept = merge((), (), signals).kept
    decision = decide(kept, timeline, as_of=hour * HOUR)
    last = (decision.due_at or 400 * HOUR) - 1

    later = decide(kept, timeline, as_of=max(last, hour * HOUR))

    assert later.wanted == decision.wanted


@settings(max_examples=200, deadline=None)
@given(some_signals(), st.data())
def test_of_two_contents_under_one_identity_the_same_counts_in_any_order(
    signals: list[Signal], data: st.DataObject
) -> None:
    """
    Both contents are kept, the same one counts whichever came first.

    Seen to fail when the first arrival counted.
    """
    twins = [Signal(s.at + HOUR, s.rank, s.source, s.id, s.detail, s.outcome_type) for s in signals[:2]]
    one = merge((), (), [*signals, *twins])
    two = merge((), (), data.draw(st.permutations([*signals, *twins, *signals])))

    assert (one.kept, one.others) == (two.kept, two.others)
    assert (one.applied, one.conflicting) == (len(signals), len(twins))
    assert two.applied + two.duplicate + two.conflicting == 2 * len(signals) + len(twins)


@settings(max_examples=300, deadline=None)
@given(some_signals(), st.sampled_from(TIMELINES), st.integers(0, 300))
def test_nothing_is_assumed_before_its_window_has_ended(
    signals: list[Signal], timeline: ContractTimeline, hour: int
) -> None:
    """
    No assumed charge counts for an instant after `as_of`, even when a clock ahead of ours has stamped what follows.

    Seen to fail when a later signal alone was enough to end a window.
    """
    decision = decide(merge((), (), signals).kept, timeline, as_of=hour * HOUR)

    assert all(entry.effective_at <= hour * HOUR for entry in decision.wanted if entry.how == "assumed")


QUANTITIES = st.sampled_from(["0", "1", "2.5", "7"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(QUANTITIES, st.integers(0, 50), st.integers(-1, 5)), min_size=1, max_size=6), st.data())
def test_a_record_nets_to_its_last_correction_in_any_order(
    facts: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """
    Reports and corrections in any order, some of them twice, net to the same quantity at the same moment.

    Seen to fail when `merge` kept the order of arrival, and when `difference` appended again what was held.
    """
    reports = [
        Report(at, "s", f"r{n}", quantity, ("s", f"r{target}") if 0 <= target < len(facts) and target != n else ())
        for n, (quantity, at, target) in enumerate(facts)
    ]
    at_once = decide_usage(merge((), (), reports).kept, "sms_segment", a_timeline()).wanted
    held: list[Held] = []
    kept: tuple[Report, ...] = ()
    for report in data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports), max_size=4)))):
        kept = merge(kept, (), [report]).kept
        held += appended(difference(decide_usage(kept, "sms_segment", a_timeline()).wanted, held, decided_at=0))

    assert quantities(held) == quantities(at_once)


def quantities(entries: Sequence[Wanted | Held]) -> dict[int, Decimal]:
    """Net quantity per moment."""
    total: dict[int, Decimal] = {}
    for entry in entries:
        signed = Decimal(entry.quantity) * (1 if entry.op == "charge" else -1)
        total[entry.effective_at] = total.get(entry.effective_at, Decimal(0)) + signed
    return {at: value for at, value in total.items() if value}
