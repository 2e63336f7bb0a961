"""What follows from each kind of answer, and what people may do about a delivery."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.deliveries.domain.answers import OF_ACT, Act, Answer, Kind
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import IN_DOUBT, OPEN, Next, NotAllowed, State, after, cancelled, driven_again

POLICY = Policy(retry_base_s=1, retry_cap_s=60, settle_s=40, call_timeout_s=10, lease_s=20, max_failures=5)
ANSWERS = [(act, kind) for act in Act for kind in sorted(OF_ACT[act])]


def following(act: Act, kind: Kind, *, after_s: float | None = None, failures: int = 0, newest: bool = True) -> Next:
    answer = Answer(kind, after_s=after_s)
    return after(act, answer, failures=failures, newest=newest, sent_ago_s=10, policy=POLICY, rng=random.Random(1))


@pytest.mark.parametrize(
    ("act", "kind", "state"),
    [
        (Act.SEND, Kind.DONE, State.DONE),
        (Act.SEND, Kind.RATE_LIMITED, State.PENDING),
        (Act.SEND, Kind.UNAVAILABLE, State.PENDING),
        (Act.SEND, Kind.UNCLEAR, State.UNCLEAR),
        (Act.SEND, Kind.REFUSED, State.REFUSED),
        (Act.SEND, Kind.NEEDS_PERSON, State.WAITING_FOR_PERSON),
        (Act.LOOK_UP, Kind.FOUND, State.DONE),
        (Act.LOOK_UP, Kind.ABSENT, State.PENDING),
        (Act.LOOK_UP, Kind.DIFFERS, State.WAITING_FOR_PERSON),
        (Act.LOOK_UP, Kind.RATE_LIMITED, State.UNCLEAR),
        (Act.LOOK_UP, Kind.UNAVAILABLE, State.UNCLEAR),
    ],
)
def test_each_answer_has_its_consequence(act: Act, kind: Kind, state: State) -> None:
    assert following(act, kind).state is state


def test_the_table_above_is_whole() -> None:
    marks = test_each_answer_has_its_consequence.pytestmark  # type: ignore[attr-defined]

    assert sorted(row[:2] for row in marks[0].args[1]) == sorted(ANSWERS)


def test_an_answer_that_the_call_cannot_give_is_a_bug_of_the_vendors_folder() -> None:
    with pytest.raises(ValueError, match="look_up cannot answer unclear"):
        following(Act.LOOK_UP, Kind.UNCLEAR)


def test_an_older_version_is_never_pending_again() -> None:
    assert following(Act.SEND, Kind.UNAVAILABLE, newest=False).state is State.SUPERSEDED
    assert following(Act.LOOK_UP, Kind.ABSENT, newest=False).state is State.SUPERSEDED
    assert following(Act.SEND, Kind.REFUSED, newest=False).state is State.SUPERSEDED


def test_an_older_version_in_doubt_stays_in_doubt_until_it_was_looked_up() -> None:
    assert following(Act.SEND, Kind.UNCLEAR, newest=False).state is State.UNCLEAR
    assert following(Act.LOOK_UP, Kind.UNAVAILABLE, newest=False).state is State.UNCLEAR
    assert following(Act.LOOK_UP, Kind.DIFFERS, newest=False).state is State.WAITING_FOR_PERSON


def test_a_look_up_waits_until_the_call_has_surely_ended_over_there() -> None:
    assert following(Act.SEND, Kind.UNCLEAR).wait_s == 30.0  # 40 s from sending, of which 10 have passed


def test_the_vendors_own_wait_is_a_lower_bound() -> None:
    assert following(Act.SEND, Kind.RATE_LIMITED, after_s=17.0).wait_s == 17.0
    assert 0.5 <= following(Act.SEND, Kind.RATE_LIMITED, after_s=0.1).wait_s <= 1.0


def test_a_person_looks_at_what_has_failed_too_often() -> None:
    assert following(Act.SEND, Kind.UNAVAILABLE, failures=3).state is State.PENDING
    assert following(Act.SEND, Kind.UNAVAILABLE, failures=4).state is State.WAITING_FOR_PERSON


def test_being_told_to_slow_down_is_no_reason_for_a_person() -> None:
    assert following(Act.SEND, Kind.RATE_LIMITED, failures=400).state is State.PENDING


@given(st.sampled_from(ANSWERS), st.integers(0, 500), st.booleans(), st.integers())
def test_waits_grow_with_failures_up_to_the_cap_and_only_what_is_open_waits(
    answered: tuple[Act, Kind], failures: int, newest: bool, seed: int
) -> None:
    """Plants caught: no cap; the wait of attempt 0 for each failure; a wait for what has ended."""
    act, kind = answered
    result = after(
        act,
        Answer(kind),
        failures=failures,
        newest=newest,
        sent_ago_s=POLICY.settle_s,
        policy=POLICY,
        rng=random.Random(seed),
    )

    if (result.state in OPEN and kind is not Kind.ABSENT) or kind is Kind.RATE_LIMITED:
        ceiling = min(60.0, 2.0 ** min(failures, 20))
        assert ceiling / 2 <= result.wait_s <= ceiling
        assert result.failures == (failures + 1 if result.state in OPEN else 0)
    else:
        assert result.wait_s == 0


class TestPeople:
    @pytest.mark.parametrize("state", [State.REFUSED, State.WAITING_FOR_PERSON, State.PENDING, State.CANCELLED])
    def test_drive_again_what_has_not_been_done(self, state: State) -> None:
        assert driven_again(state, newest=True) is State.PENDING

    @pytest.mark.parametrize("state", sorted({State.DONE, State.SUPERSEDED} | IN_DOUBT))
    def test_do_not_drive_again_what_is_done_in_doubt_or_outdated(self, state: State) -> None:
        with pytest.raises(NotAllowed):
            driven_again(state, newest=True)

    @pytest.mark.parametrize("state", [State.REFUSED, State.CANCELLED, State.PENDING])
    def test_never_drive_an_older_version_over_a_newer_one(self, state: State) -> None:
        with pytest.raises(NotAllowed, match="never sent over"):
            driven_again(state, newest=False)

    def test_say_yes_to_the_newer_version_by_driving_again_what_holds_the_lane(self) -> None:
        assert driven_again(State.WAITING_FOR_PERSON, newest=False) is State.SUPERSEDED

    @pytest.mark.parametrize("state", sorted(State))
    def test_cancel_only_what_is_surely_not_there(self, state: State) -> None:
        if state in (State.PENDING, State.REFUSED, State.WAITING_FOR_PERSON, State.CANCELLED):
            assert cancelled(state) is State.CANCELLED
        else:
            with pytest.raises(NotAllowed):
                cancelled(state)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"lease_s": 11.0, "call_timeout_s": 10.0}, "lease_s"),
        ({"settle_s": 9.0, "call_timeout_s": 10.0}, "settle_s"),
        ({"concurrency": 0}, "concurrency"),
    ],
)
def test_a_policy_under_which_effects_could_double_is_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Policy(**wrong)  # type: ignore[arg-type]
