"""What should be there, less what is known to be there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.deliveries.domain.planning import Desired, Known, plan
from chassis.deliveries.domain.states import State

AT = datetime(2026, 3, 1, tzinfo=UTC)


def wanted(record: str, version: int = 1, *parents: str, **content: Any) -> Desired:
    return Desired(record, version, content, AT, parents=parents)


def test_what_is_there_as_it_should_be_is_left_alone() -> None:
    made = plan([wanted("a", 7, total=5)], {"a": Known(3, {"total": 5})})

    assert (made.deliver, made.same) == ((), 1)


def test_what_is_missing_or_was_changed_is_delivered() -> None:
    made = plan([wanted("a", 2, total=6), wanted("b")], {"a": Known(1, {"total": 5})})

    assert [one.record for one in made.deliver] == ["a", "b"]


def test_an_older_state_is_a_finding_and_no_delivery() -> None:
    made = plan([wanted("a", 1, total=5)], {"a": Known(2, {"total": 6})})

    assert (made.deliver, made.outdated) == ((), ("a",))


def test_other_content_of_the_same_version_is_a_finding_and_no_delivery() -> None:
    made = plan([wanted("a", 2, total=5)], {"a": Known(2, {"total": 6})})

    assert (made.deliver, made.conflicting) == ((), ("a",))


def test_what_was_refused_is_not_sent_again_by_itself() -> None:
    made = plan([wanted("a", 3, total=5)], {"a": Known(2, {"total": 5}, State.REFUSED)})

    assert (made.deliver, made.same) == ((), 1)


def test_what_is_wanted_no_more_is_told_where_all_is_known_and_never_taken_away() -> None:
    there = {"a": Known(1, {}), "gone": Known(1, {})}

    assert plan([wanted("a")], there).unwanted == ()
    assert plan([wanted("a")], there, whole=True).unwanted == ("gone",)


def test_a_record_wanted_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a is wanted twice"):
        plan([wanted("a", 1), wanted("a", 2)], {})


def test_a_record_that_is_its_own_ancestor_is_refused() -> None:
    with pytest.raises(ValueError, match="its own ancestor: a > b > c"):
        plan([wanted("a", 1, "b"), wanted("b", 1, "c"), wanted("c", 1, "a")], {})


RECORDS = [f"r{number}" for number in range(8)]


@st.composite
def worlds(draw: st.DrawFn) -> list[Desired]:
    """Records whose parents have smaller numbers, in any order, some with parents outside."""
    made = []
    for number, record in enumerate(RECORDS):
        parents = draw(st.lists(st.sampled_from([*RECORDS[:number], "outside"]), unique=True, max_size=3))
        made.append(wanted(record, draw(st.integers(1, 3)), *parents, total=draw(st.integers(0, 2))))
    return draw(st.permutations(made))


KNOWN = st.dictionaries(
    st.sampled_from(RECORDS), st.builds(Known, st.integers(1, 3), st.integers(0, 2).map(lambda n: {"total": n}))
)


@given(worlds(), KNOWN)
def test_planning_again_after_carrying_it_out_gives_nothing_and_every_record_is_accounted_for(
    desired: list[Desired], there: dict[str, Known]
) -> None:
    """Plants caught: `<=` for the version; parents after their children; a record counted in two places."""
    made = plan(desired, there)

    placed = [one.record for one in made.deliver]
    for number, one in enumerate(made.deliver):
        assert not set(one.parents) & set(placed[number:])
    assert sorted([*placed, *made.outdated, *made.conflicting]) == sorted(
        one.record
        for one in desired
        if one.record not in there
        or (one.version < there[one.record].version)
        or (one.content != there[one.record].content)
    )
    assert made.same == len(desired) - len(placed) - len(made.outdated) - len(made.conflicting)

    carried_out = there | {one.record: Known(one.version, one.content) for one in made.deliver}
    again = plan(desired, carried_out)
    assert again.deliver == ()
    assert all(one.version > there[one.record].version for one in made.deliver if one.record in there)
