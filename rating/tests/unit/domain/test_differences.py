"""From which instant on two timelines decide otherwise, and that what lies before it comes out the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_rating.domain.differences import EVER, first_difference, first_difference_in_force
from usage_rating.domain.entries import Wanted
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import Decision, decide, disagreement
from usage_rating.domain.policy import HOUR, ContractTimeline, Policy
from usage_rating.domain.ranks import (
    AI_ANSWER,
    CLEARED,
    CUSTOMER_MESSAGE,
    FLAGGED,
    OUTCOME_REACHED,
    PROCEDURE_HANDOFF,
    RESOLUTION,
    TEAMMATE_REPLY,
)
from usage_rating.domain.signal import Report, Signal
from usage_rating.domain.usage import decide_usage

DETAILS = {
    CUSTOMER_MESSAGE: ["question", "affirm", "affirm", "human_request", "negative"],
    FLAGGED: ["spam"],
    CLEARED: [""],
    RESOLUTION: ["confirmed", "assumed", "reversed"],
}
RANKS = [*[CUSTOMER_MESSAGE] * 6, *[AI_ANSWER] * 6, *[OUTCOME_REACHED] * 3, *[TEAMMATE_REPLY] * 2]
RANKS += [PROCEDURE_HANDOFF, FLAGGED, CLEARED, RESOLUTION]

POLICIES = st.builds(
    Policy,
    version=st.sampled_from(["a", "b"]),
    window=st.sampled_from([{"default": 4 * HOUR}, {"default": 30 * HOUR}, {"default": 4 * HOUR, "email": 9 * HOUR}]),
    teammate_takeover_voids=st.booleans(),
    return_horizon=st.sampled_from([None, 0, 20 * HOUR]),
    decided_by_product=st.sampled_from([False] * 5 + [True]),
    precedence=st.sampled_from([{}, {"resolution": 0, "qualification": 1}, {"qualification": 0, "resolution": 1}]),
)


@st.composite
def timelines(draw: st.DrawFn) -> ContractTimeline | None:
    starts = sorted(draw(st.sets(st.sampled_from([0, 0, 0, 10, 20, 40]), max_size=3)))
    if not starts:
        return None
    return ContractTimeline(tuple(at * HOUR for at in starts), tuple(draw(POLICIES) for _ in starts))


OTHERWISE: list[dict[str, Any]] = [
    {"version": "c"},
    {"window": {"default": 4 * HOUR, "email": 30 * HOUR}},
    {"teammate_takeover_voids": True},
    {"return_horizon": 0},
    {"decided_by_product": True},
    {"precedence": {"resolution": 0, "qualification": 1}},
]


@st.composite
def revised(draw: st.DrawFn) -> tuple[ContractTimeline | None, ContractTimeline | None]:
    """A timeline and the next one: of its own, with one field of one policy changed, or another one from an instant."""
    old, other = draw(timelines()), draw(timelines())
    kind = draw(st.sampled_from(["its own", "from an instant", *["one field"] * 4]))
    if old is None or other is None or kind == "its own":
        return old, other
    if kind == "one field":
        changed = draw(st.integers(0, len(old.starts) - 1))
        field = draw(st.sampled_from(OTHERWISE))
        return old, ContractTimeline(
            old.starts, tuple(replace(p, **field) if n == changed else p for n, p in enumerate(old.policies))
        )
    turn = draw(st.integers(0, 60)) * HOUR
    both = {start: policy for start, policy in zip(old.starts, old.policies, strict=True) if start < turn}
    both |= {start: policy for start, policy in zip(other.starts, other.policies, strict=True) if start >= turn}
    return old, ContractTimeline(tuple(sorted(both)), tuple(both[start] for start in sorted(both))) if both else None


@st.composite
def some_signals(draw: st.DrawFn) -> tuple[Signal, ...]:
    found = []
    for number in range(draw(st.integers(1, 10))):
        rank = draw(st.sampled_from(RANKS))
        found.append(
            Signal(
                at=draw(st.integers(0, 60)) * HOUR + draw(st.sampled_from([0, -1, 1])),
                rank=rank,
                source="s",
                id=f"e{number}",
                detail=draw(st.sampled_from(DETAILS.get(rank, [""]))),
                outcome_type="qualification" if rank == OUTCOME_REACHED else "",
                channel=draw(st.sampled_from(["chat", "email"])),
            )
        )
    return merge((), (), found).kept


def outcome(decision: Decision) -> tuple[object, ...]:
    """All of a decision but the names of the versions, which decide nothing."""
    wanted: list[Wanted] = [replace_version(entry) for entry in decision.wanted]
    return (wanted, decision.status, decision.why, decision.due_at)


def replace_version(entry: Wanted) -> Wanted:
    return msgspec.structs.replace(entry, policy_version="")


@settings(max_examples=500, deadline=None)
@given(some_signals(), revised(), st.integers(0, 120))
def test_what_lies_before_the_first_difference_comes_out_the_same(
    signals: tuple[Signal, ...], both: tuple[ContractTimeline | None, ContractTimeline | None], hour: int
) -> None:
    """
    A conversation whose last signal lies before the first difference is decided alike by both timelines, at any time.

    Seen to fail on planted bugs in `first_difference`: the start after the first difference is returned; only the
    starts of the new timeline are looked at; windows are compared by their default alone; `decided_by` is not compared.
    (Each field that must be compared is named one by one below.)
    """
    old, new = both
    since = first_difference(old, new)
    untouched = signals if since is None else tuple(signal for signal in signals if signal.at < since)

    if untouched:
        by_old, by_new = (decide(untouched, each, as_of=hour * HOUR) for each in both)
        assert outcome(by_old) == outcome(by_new)
        assert disagreement(untouched, old, as_of=hour * HOUR) == disagreement(untouched, new, as_of=hour * HOUR)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=3), revised())
def test_a_record_before_the_first_difference_comes_out_the_same(
    hours: list[int], both: tuple[ContractTimeline | None, ContractTimeline | None]
) -> None:
    """
    Seen to fail when only a later beginning counted as a difference.
    """
    old, new = both
    since = first_difference_in_force(old, new)
    reports = sorted(Report(hour * HOUR, "s", f"r{place}", "2") for place, hour in enumerate(hours))

    if since is None or reports[0].at < since:
        by_old, by_new = (decide_usage(reports, "sms_segment", each) for each in both)
        assert outcome(by_old) == outcome(by_new)


ALWAYS = ContractTimeline((0,), (Policy(),))
FROM_TEN = 10 * HOUR


@pytest.mark.parametrize(
    ("old", "new", "since"),
    [
        (ALWAYS, ALWAYS, None),
        (None, None, None),
        (None, ALWAYS, EVER),
        (ALWAYS, None, EVER),
        (ALWAYS, ContractTimeline((0,), (Policy(version="another name"),)), None),
        (ALWAYS, ContractTimeline((0, FROM_TEN), (Policy(), Policy(version="the same again"))), None),
        (ALWAYS, ContractTimeline((0, FROM_TEN), (Policy(), Policy(teammate_takeover_voids=True))), FROM_TEN),
        (ALWAYS, ContractTimeline((FROM_TEN,), (Policy(),)), 0),
        (ContractTimeline((FROM_TEN,), (Policy(),)), ALWAYS, 0),
        (ALWAYS, ContractTimeline((0,), (Policy(window={"default": 24 * HOUR, "chat": 24 * HOUR}),)), None),
    ],
)
def test_the_first_difference_of(old: ContractTimeline | None, new: ContractTimeline | None, since: int | None) -> None:
    assert first_difference(old, new) == since


@pytest.mark.parametrize("field", OTHERWISE, ids=lambda field: next(iter(field)))
def test_every_field_of_a_policy_but_its_name_is_a_difference(field: dict[str, Any]) -> None:
    later = ContractTimeline((0, FROM_TEN), (Policy(), replace(Policy(), **field)))

    assert first_difference(ALWAYS, later) == (None if "version" in field else FROM_TEN)


def test_records_are_touched_only_where_it_differs_whether_a_contract_is_in_force() -> None:
    other_policy = ContractTimeline((0, FROM_TEN), (Policy(), replace(Policy(), decided_by_product=True)))

    assert first_difference_in_force(ALWAYS, other_policy) is None
    assert first_difference_in_force(ALWAYS, ContractTimeline((FROM_TEN,), (Policy(),))) == 0
    assert first_difference_in_force(None, ALWAYS) == EVER
