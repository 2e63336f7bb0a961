"""A policy tried on conversations: what it turns and why, and that the contract's own turns nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_rating.changes import NO_CONVERSATION, Circumstances, change_conversation
from usage_rating.domain.policy import DAY, HOUR, ContractTimeline, Policy
from usage_rating.domain.ranks import (
    AI_ANSWER,
    CLEARED,
    CUSTOMER_MESSAGE,
    FLAGGED,
    OUTCOME_REACHED,
    RESOLUTION,
    TEAMMATE_REPLY,
)
from usage_rating.domain.signal import Signal
from usage_rating.domain.what_if import Outcome, Span, Turn, compare, known_before, reach
from usage_rating.state import decode_conversation
from usage_rating.testing import a_timeline

MONTH = Span(0, 30 * DAY, 31 * DAY)
VOIDS = replace(a_timeline().policies[0], teammate_takeover_voids=True)


def told(rank: int, hours: int, detail: str = "", *, outcome_type: str = "", received: int | None = None) -> Signal:
    came = hours if received is None else received
    return Signal(hours * HOUR, rank, "urn:a", f"{rank}-{hours}", detail, outcome_type, received_at=came * HOUR)


def tried(*signals: Signal, draft: Policy, timeline: ContractTimeline | None = None, span: Span = MONTH) -> Outcome:
    own = timeline or a_timeline()
    return compare(sorted(signals), (), own, ContractTimeline(own.starts, (draft,)), span=span, read_up_to=40 * DAY)


def test_a_takeover_that_voids_takes_the_charge_away_and_says_why() -> None:
    outcome = tried(told(AI_ANSWER, 1), told(TEAMMATE_REPLY, 2), draft=VOIDS)

    assert (outcome.before, outcome.after) == (Counter(resolution=1), Counter())
    assert outcome.turns == (Turn("resolution", -1, "assumed", "teammate_took_over"),)


def test_a_shorter_window_charges_before_the_customer_writes_again() -> None:
    written_again = (told(AI_ANSWER, 1), told(CUSTOMER_MESSAGE, 20, "other"))

    outcome = tried(*written_again, draft=Policy(window={"default": 12 * HOUR}))

    assert outcome.turns == (Turn("resolution", 1, "customer_wrote_again", "assumed"),)


def test_a_longer_window_moves_a_charge_into_the_next_period() -> None:
    outcome = tried(told(AI_ANSWER, 29 * 24 - 10), draft=Policy(window={"default": 40 * HOUR}))

    assert outcome.turns == (Turn("resolution", -1, "assumed", "another_period"),)


def test_a_precedence_charges_another_outcome_in_place_of_the_first() -> None:
    draft = Policy(precedence={"resolution": 0, "qualification": 1})
    signals = (
        told(AI_ANSWER, 1),
        told(CUSTOMER_MESSAGE, 2, "affirm"),
        told(OUTCOME_REACHED, 3, outcome_type="qualification"),
    )

    outcome = tried(*signals, draft=draft)

    assert outcome.turns == (
        Turn("qualification", 1, "another_meter", "reached"),
        Turn("resolution", -1, "confirmed", "another_meter"),
    )


def test_what_came_after_the_freeze_is_not_known_yet() -> None:
    came_late = told(CUSTOMER_MESSAGE, 3, "affirm", received=31 * 24)
    conflicting = msgspec.structs.replace(came_late, detail="other", received_at=4 * HOUR)

    outcome = tried(told(AI_ANSWER, 1), came_late, draft=VOIDS, span=replace(MONTH, until=31 * DAY))

    assert outcome.before == Counter(resolution=1)
    assert known_before((told(AI_ANSWER, 1), came_late), (conflicting,), 31 * DAY) == (told(AI_ANSWER, 1), conflicting)


def test_nothing_is_charged_before_the_contract_begins_and_a_draft_changes_nothing_about_that() -> None:
    later = ContractTimeline((10 * DAY,), (Policy(),))

    outcome = tried(told(AI_ANSWER, 1), timeline=later, draft=Policy(window={"default": HOUR}))

    assert outcome == Outcome(Counter(), Counter(), ())


def test_a_charge_comes_no_later_than_the_longest_window_after_the_last_signal() -> None:
    channels = ContractTimeline((0,), (Policy(window={"default": HOUR, "email": 72 * HOUR}),))

    assert reach(a_timeline(hours=24), channels) == 72 * HOUR


DETAILS = {
    CUSTOMER_MESSAGE: ["question", "affirm", "human_request", "negative", "other"],
    FLAGGED: ["spam"],
    RESOLUTION: ["confirmed", "reversed"],
}
RANKS = [CUSTOMER_MESSAGE, CUSTOMER_MESSAGE, AI_ANSWER, AI_ANSWER, OUTCOME_REACHED, TEAMMATE_REPLY, FLAGGED, CLEARED]
OWN = [
    ContractTimeline((0,), (Policy(),)),
    ContractTimeline((0,), (Policy(precedence={"resolution": 0, "qualification": 1}, return_horizon=20 * HOUR),)),
    ContractTimeline((10 * HOUR, 60 * HOUR), (Policy(), Policy(window={"default": 4 * HOUR}))),
    ContractTimeline((0,), (Policy(decided_by_product=True),)),
]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[Signal]]]:
    """
    Batches by the hour at which they come in, in steps of 4 so that ends of windows meet the span's and the freeze.

    An event's id may come again, with this content or with another.
    """
    history = []
    for hour in sorted(draw(st.sets(st.integers(1, 20), min_size=1, max_size=6))):
        batch = []
        for _ in range(draw(st.integers(1, 3))):
            rank = draw(st.sampled_from([*RANKS, RESOLUTION]))
            detail = draw(st.sampled_from(DETAILS.get(rank, [""])))
            kind = "qualification" if rank == OUTCOME_REACHED else ""
            at = 4 * HOUR * draw(st.integers(max(0, hour - 8), hour))
            event = f"e{draw(st.integers(0, 5))}"
            batch.append(Signal(at, rank, "s", event, detail, kind, received_at=4 * HOUR * hour))
        history.append((4 * hour, batch))
    return history


@settings(max_examples=400, deadline=None)
@given(histories(), st.sampled_from(OWN), st.integers(3, 24), st.integers(0, 4), st.integers(1, 16))
def test_under_the_contracts_own_policy_it_is_what_the_ledger_had_at_that_time(
    history: list[tuple[int, list[Signal]]], own: ContractTimeline, freeze: int, begin: int, length: int
) -> None:
    """
    Whatever came before the freeze in batches and conflicts, and whatever came after it.

    Seen to fail when signals were known by their time and not by their receipt, when the contents that lost a conflict
    later were forgotten, when a reversed charge still stood, and when the end of the span belonged to it.
    """
    start, end, frozen = 4 * begin, 4 * (begin + length), 4 * freeze
    span = Span(start * HOUR, min(end, frozen) * HOUR, frozen * HOUR)  # nobody freezes a period before its end
    state, status, due, ledger = NO_CONVERSATION, None, None, Counter[str]()
    steps = [*history, (frozen, []), (300, [])]
    for hour, batch in sorted(steps, key=lambda step: (step[0], bool(step[1]))):  # at the freeze first what is due
        here = Circumstances("ledger", 0, hour * HOUR, hour * HOUR)
        change = (
            change_conversation(("acme", "c"), state, status, due, batch, own, here, 1) if batch or status else None
        )
        if change is None:
            continue
        status, due = change.status, change.due_at
        state = state if change.state is None else decode_conversation(change.state)
        if hour < frozen or (hour == frozen and not batch):
            for entry in change.entries:
                at = int(entry.effective_at.timestamp()) * 1_000_000
                if span.start <= at < span.end:
                    ledger[entry.meter] += 1 if entry.op == "charge" else -1

    outcome = compare(state.signals, state.others, own, own, span=span, read_up_to=300 * HOUR)

    assert outcome.before == outcome.after == +ledger
    assert outcome.turns == ()
