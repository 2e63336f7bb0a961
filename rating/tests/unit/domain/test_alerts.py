"""Thresholds and limits: told once, taken back by reversals, told again after that; clauses count by time."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from usage_rating.domain.alerts import Level, Mark, crossings, judged_at, limit_at, marks_at, next_change

AT_TEN: Level = ("threshold", 10)
AT_TWENTY: Level = ("limit", 20)
BOTH = frozenset({AT_TEN, AT_TWENTY})


def told(used: int, in_force: frozenset[Level], before: dict[Level, int]) -> list[tuple[str, int, str, int]]:
    return [(c.kind, c.units, c.state, c.ordinal) for c in crossings(Decimal(used), in_force, before)]


class TestCrossings:
    def test_a_mark_is_reached_at_its_own_units_and_not_before(self) -> None:
        assert told(9, BOTH, {}) == []
        assert told(10, BOTH, {}) == [("threshold", 10, "reached", 1)]

    def test_a_leap_tells_each_mark_lowest_first(self) -> None:
        assert told(25, BOTH, {}) == [("threshold", 10, "reached", 1), ("limit", 20, "reached", 1)]

    def test_what_stands_is_not_told_again(self) -> None:
        assert told(25, BOTH, {AT_TEN: 1, AT_TWENTY: 3}) == []

    def test_reversals_take_back_and_crossing_again_is_told_again(self) -> None:
        assert told(9, BOTH, {AT_TEN: 1}) == [("threshold", 10, "taken_back", 2)]
        assert told(8, BOTH, {AT_TEN: 2}) == []
        assert told(11, BOTH, {AT_TEN: 2}) == [("threshold", 10, "reached", 3)]

    def test_a_limit_of_nothing_is_reached_without_any_usage(self) -> None:
        assert told(0, frozenset({("limit", 0)}), {}) == [("limit", 0, "reached", 1)]

    def test_a_clause_that_ended_is_not_reached_and_what_it_told_is_taken_back_by_reversals_alone(self) -> None:
        assert told(30, frozenset(), {AT_TEN: 1}) == []
        assert told(9, frozenset(), {AT_TEN: 1}) == [("threshold", 10, "taken_back", 2)]
        assert told(30, frozenset(), {AT_TEN: 2}) == []


class TestMarks:
    MARKS = (
        Mark("resolution", "threshold", 10, 100, 200),
        Mark("resolution", "threshold", 10, 150),
        Mark("resolution", "limit", 20, 150, 300),
        Mark("copilot", "limit", 5, 0),
    )

    def test_a_clause_holds_from_its_start_up_to_and_without_its_end(self) -> None:
        assert marks_at(self.MARKS, "resolution", 99) == frozenset()
        assert marks_at(self.MARKS, "resolution", 100) == {AT_TEN}
        assert marks_at(self.MARKS, "resolution", 150) == BOTH
        assert limit_at(self.MARKS, "resolution", 299) == 20
        assert limit_at(self.MARKS, "resolution", 300) is None

    def test_a_past_period_is_held_against_its_last_instant_and_one_to_come_against_its_first(self) -> None:
        assert judged_at(500, 100, 200) == 199
        assert judged_at(50, 100, 200) == 100
        assert judged_at(150, 100, 200) == 150

    def test_the_next_change_is_the_nearest_start_or_end_ahead(self) -> None:
        assert next_change(self.MARKS, 0) == 100
        assert next_change(self.MARKS, 150) == 200
        assert next_change(self.MARKS, 300) is None


# Each inner list is one round of counting: entries of +1 (a charge) and -1 (a reversal) in the order they came.
ROUNDS = st.lists(st.lists(st.sampled_from((1, 1, -1)), max_size=12), max_size=20)


@settings(max_examples=60)
@given(ROUNDS, st.sets(st.integers(min_value=1, max_value=12), min_size=1, max_size=4))
def test_any_order_of_charges_and_reversals_tells_each_rise_once_and_each_fall_once(
    rounds: list[list[int]], units: set[int]
) -> None:
    """
    Against a reference that draws, unit by unit, the line of counts at the ends of rounds and counts where it crosses.

    Fails where `crossings` takes `used > units` for reached (planted), and where it forgets that a mark stands.
    """
    in_force: frozenset[Level] = frozenset(("threshold", each) for each in units)
    used, known, line = 0, dict[Level, int](), [0]
    heard: dict[int, list[str]] = {each: [] for each in units}
    for entries in rounds:
        used += sum(entries)
        line.append(used)
        for crossing in crossings(Decimal(used), in_force, known):
            known[crossing.kind, crossing.units] = crossing.ordinal
            heard[crossing.units].append(crossing.state)

    for each in units:
        above = "".join("1" if count >= each else "0" for count in line)
        assert heard[each].count("reached") == above.count("01")
        assert heard[each].count("taken_back") == above.count("10")
        assert heard[each] == ["reached", "taken_back"] * (len(heard[each]) // 2) + ["reached"] * (len(heard[each]) % 2)
        assert (known.get(("threshold", each), 0) % 2 == 1) is (used >= each)
