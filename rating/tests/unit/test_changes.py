"""What a transaction does to one row: union, decision, difference, and when it leaves the row alone."""

from __future__ import annotations

from usage_rating.changes import NO_CONVERSATION, SIGNALS_KEPT, Change, Circumstances, change_conversation
from usage_rating.domain.policy import HOUR, ContractTimeline
from usage_rating.domain.ranks import AI_ANSWER, AI_NUDGE, CUSTOMER_MESSAGE, OUTCOME_REACHED, RESOLUTION
from usage_rating.domain.signal import Signal
from usage_rating.state import ConversationState, decode_conversation
from usage_rating.testing import a_timeline

KEY = ("acme", "c")


def a_kept_signal(rank: int, hours: int, *, event_id: str = "", detail: str = "", outcome_type: str = "") -> Signal:
    return Signal(hours * HOUR, rank, "urn:a", event_id or f"{rank}-{hours}", detail, outcome_type)


def changed(
    *arrived: Signal,
    state: ConversationState = NO_CONVERSATION,
    status: str | None = None,
    due_at: int | None = None,
    as_of: int = 0,
    timeline: ContractTimeline | None = None,
) -> Change:
    here = Circumstances("ledger", 3, as_of * HOUR, 1_000 * HOUR)
    return change_conversation(KEY, state, status, due_at, arrived, timeline or a_timeline(), here, 7)


def after(change: Change) -> ConversationState:
    assert change.state is not None
    return decode_conversation(change.state)


def test_the_first_signal_of_a_conversation_makes_its_row() -> None:
    change = changed(a_kept_signal(AI_ANSWER, 1))

    assert (change.status_before, change.status, change.due_at) == (None, "pending", 25 * HOUR)
    assert [signal.id for signal in after(change).signals] == [f"{AI_ANSWER}-1"]


def test_an_entry_gets_the_next_sequence_number_and_its_ordinal() -> None:
    change = changed(a_kept_signal(OUTCOME_REACHED, 1, outcome_type="qualification"))

    entry = change.entries[0]
    assert (entry.seq, entry.ordinal, entry.partition, entry.meter, entry.op) == (7, 1, 3, "qualification", "charge")
    assert [held.meter for held in after(change).held] == ["qualification"]


def test_a_duplicate_writes_nothing() -> None:
    first = changed(a_kept_signal(AI_ANSWER, 1))

    again = changed(a_kept_signal(AI_ANSWER, 1), state=after(first), status="pending", due_at=first.due_at)

    assert again.state is None
    assert (again.counts.applied, again.counts.duplicate) == (0, 1)


def test_a_timer_that_finds_nothing_to_do_moves_its_due_time() -> None:
    state = ConversationState((a_kept_signal(AI_ANSWER, 1), a_kept_signal(AI_ANSWER, 6)))

    change = changed(state=state, status="pending", due_at=25 * HOUR, as_of=25)

    assert change.due_at == 30 * HOUR
    assert change.entries == ()


def test_a_due_time_that_lies_ahead_is_never_made_later() -> None:
    state = ConversationState((a_kept_signal(AI_ANSWER, 1),))

    prolonged = changed(a_kept_signal(AI_ANSWER, 6), state=state, status="pending", due_at=25 * HOUR)
    stopped = changed(
        a_kept_signal(CUSTOMER_MESSAGE, 6, detail="other"), state=state, status="pending", due_at=25 * HOUR
    )

    assert (prolonged.due_at, stopped.due_at) == (25 * HOUR, 25 * HOUR)


def test_a_due_time_is_made_earlier_at_once() -> None:
    state = ConversationState((a_kept_signal(AI_ANSWER, 6),))

    change = changed(state=state, status="pending", due_at=30 * HOUR, timeline=a_timeline(hours=2))

    assert change.due_at == 8 * HOUR


def test_a_full_conversation_takes_only_what_can_reverse_or_exclude() -> None:
    full = ConversationState(
        tuple(a_kept_signal(AI_NUDGE, 0, event_id=f"n{place:04d}") for place in range(SIGNALS_KEPT))
    )

    change = changed(
        a_kept_signal(AI_ANSWER, 1),
        a_kept_signal(CUSTOMER_MESSAGE, 2, detail="affirm"),
        a_kept_signal(CUSTOMER_MESSAGE, 3, detail="human_request"),
        a_kept_signal(AI_NUDGE, 0, event_id="n0000"),
        state=full,
        status="not_chargeable",
    )

    assert (change.counts.applied, change.counts.duplicate) == (3, 1)
    assert (len(after(change).signals), after(change).left_out) == (SIGNALS_KEPT + 1, 2)


def test_the_last_place_of_a_conversation_is_taken_once() -> None:
    nearly = ConversationState(
        tuple(a_kept_signal(AI_NUDGE, 0, event_id=f"n{place:04d}") for place in range(SIGNALS_KEPT - 1))
    )

    change = changed(a_kept_signal(AI_ANSWER, 1), a_kept_signal(AI_ANSWER, 2), state=nearly, status="not_chargeable")

    assert (len(after(change).signals), after(change).left_out, change.counts.applied) == (SIGNALS_KEPT, 1, 2)


def test_a_signal_that_comes_late_is_put_in_its_place() -> None:
    state = ConversationState((a_kept_signal(AI_ANSWER, 5),))

    change = changed(a_kept_signal(AI_ANSWER, 1), state=state, status="pending", due_at=29 * HOUR)

    assert [signal.at for signal in after(change).signals] == [1 * HOUR, 5 * HOUR]


def test_a_resolution_that_disagrees_with_the_signals_is_a_case() -> None:
    change = changed(a_kept_signal(RESOLUTION, 1, detail="confirmed", outcome_type="resolution"))

    assert [(case.kind, case.sentence is not None) for case in change.cases] == [("disagreement", True)]
