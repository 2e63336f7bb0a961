"""Whose turn it is in a lane; and a whole life of two records, played through against a far side that fails at will."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.deliveries.domain.answers import Act, Answer, Kind
from chassis.deliveries.domain.lanes import NOTHING, Place, Turn, standing, superseded, turn
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import IN_DOUBT, OPEN, State, after


def place(version: int, state: State, *parents: str) -> Place:
    return Place(version, version, state, parents)  # the version stands for the id


def test_sends_what_is_pending() -> None:
    assert turn([place(3, State.PENDING)], {}) == Turn(Act.SEND, 3)


def test_looks_up_what_is_in_doubt_before_anything_newer_goes() -> None:
    assert turn([place(4, State.PENDING), place(3, State.UNCLEAR)], {}) == Turn(Act.LOOK_UP, 3)
    assert turn([place(3, State.IN_FLIGHT)], {}) == Turn(Act.LOOK_UP, 3)


def test_writes_nothing_over_what_a_person_must_look_at() -> None:
    assert turn([place(3, State.WAITING_FOR_PERSON), place(4, State.PENDING)], {}) == NOTHING


def test_waits_for_a_parent_that_is_on_its_way_refused_or_not_known() -> None:
    child = [place(1, State.PENDING, "a", "b")]

    assert turn(child, {"a": State.DONE}) == Turn(waits_for="b")
    assert turn(child, {"a": State.REFUSED, "b": State.DONE}) == Turn(waits_for="a")
    assert turn(child, {"a": State.DONE, "b": State.DONE}) == Turn(Act.SEND, 1)


def test_looks_up_whatever_its_parents_are() -> None:
    assert turn([place(1, State.UNCLEAR, "a")], {"a": State.REFUSED}) == Turn(Act.LOOK_UP, 1)


def test_a_newer_version_supersedes_what_waits_and_dead_letters_and_nothing_else() -> None:
    versions = dict(enumerate(State)) | {99: State.PENDING}

    assert {versions[gone] for gone in superseded(versions)} == {State.PENDING, State.REFUSED}


def test_an_older_version_that_comes_late_is_superseded_by_a_newer_that_is_done_or_cancelled() -> None:
    assert superseded({1: State.PENDING, 2: State.DONE}) == {1}
    assert superseded({1: State.PENDING, 2: State.CANCELLED}) == {1}


def test_a_parent_stands_where_its_newest_version_stands_that_was_not_given_up() -> None:
    assert standing({1: State.DONE, 2: State.PENDING}) is State.PENDING
    assert standing({1: State.DONE, 2: State.CANCELLED}) is State.DONE
    assert standing({1: State.SUPERSEDED}) is None


@dataclass
class FarSide:
    """Holds versions of records; keeps what was written, in order."""

    holds: dict[str, set[int]] = field(default_factory=dict)
    written: list[tuple[str, int]] = field(default_factory=list)

    def write(self, record: str, version: int) -> None:
        self.holds.setdefault(record, set()).add(version)
        self.written.append((record, version))


FATES = [Kind.DONE, Kind.DONE, Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.REFUSED, "done, unclear", "not done, unclear"]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(["parent", "child"]), st.integers(1, 6)), max_size=12), st.randoms())
def test_each_version_is_written_once_never_an_older_over_a_newer_and_no_child_before_its_parent(
    arrivals: list[tuple[str, int]], rng: random.Random
) -> None:
    """
    Versions arrive in any order between calls that end in any way; at last the far side answers well.

    Plants caught: pending again for an older version; sending what is in doubt; the newest version first where an
    older one is in doubt; parents ignored; superseding only what is pending; the oldest pending version first.
    """
    policy, far, lanes = Policy(), FarSide(), {"parent": {}, "child": {}}
    failures: Counter[tuple[str, int]] = Counter()
    coming = list(arrivals)

    def step(record: str, *, fair: bool) -> None:
        lane: dict[int, State] = lanes[record]
        parents = ("parent",) if record == "child" else ()
        shown = [Place(v, v, state, parents) for v, state in lane.items() if state in OPEN | {State.WAITING_FOR_PERSON}]
        state = standing(lanes["parent"])
        now = turn(shown, {"parent": state} if state else {})
        if now.act is None:
            return
        version = now.delivery_id
        if now.act is Act.LOOK_UP:
            kind = Kind.FOUND if version in far.holds.get(record, ()) else Kind.ABSENT
            kind = kind if fair else rng.choice([kind, Kind.UNAVAILABLE])
        else:
            assert lane[version] not in IN_DOUBT
            assert record == "parent" or standing(lanes["parent"]) is State.DONE
            fate = Kind.DONE if fair else rng.choice(FATES)
            if fate in (Kind.DONE, "done, unclear"):
                far.write(record, version)
            kind = fate if isinstance(fate, Kind) else Kind.UNCLEAR
        if rng.random() < 0.3 and coming and not fair:  # something newer or older comes while the call is under way
            lane[version] = State.IN_FLIGHT if now.act is Act.SEND else State.UNCLEAR
            arrive(*coming.pop())
        result = after(
            now.act,
            Answer(kind),
            failures=failures[record, version],
            newest=version == max(lane),
            sent_ago_s=0,
            policy=policy,
            rng=rng,
        )
        lane[version], failures[record, version] = result.state, result.failures

    def arrive(record: str, version: int) -> None:
        lanes[record].setdefault(version, State.PENDING)
        for gone in superseded(lanes[record]):
            lanes[record][gone] = State.SUPERSEDED

    while coming:
        arrive(*coming.pop())
        for _ in range(rng.randrange(4)):
            step(rng.choice(["parent", "child"]), fair=False)
    for _ in range(40):
        step("parent", fair=True)
        step("child", fair=True)

    assert all(count == 1 for count in Counter(far.written).values())
    for record in lanes:
        versions = [version for written, version in far.written if written == record]
        assert versions == sorted(versions)
    for record, lane in lanes.items():
        blocked = record == "child" and standing(lanes["parent"]) is not State.DONE
        if lane and not blocked:
            assert lane[max(lane)] in (State.DONE, State.REFUSED)
            assert (lane[max(lane)] is State.DONE) == (max(lane) in far.holds.get(record, ()))
