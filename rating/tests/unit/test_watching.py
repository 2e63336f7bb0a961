"""From a contract's clauses to marks, and what a process remembers of counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from event_schemas.contract_v2 import ContractV2, read_contract
from event_schemas.contract_v2.testing import a_document, clause
from event_schemas.times import parse_instant, to_micros
from usage_rating.contract_book import ContractBook
from usage_rating.domain.alerts import limit_at, marks_at
from usage_rating.watching import KEPT_PERIODS, Board, Count, Watch, watch_of

FEBRUARY, MARCH = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def agreed(**fields: Any) -> ContractV2:
    contract = read_contract(a_document(**fields))
    assert isinstance(contract, ContractV2)
    return contract


def watched(**fields: Any) -> Watch:
    watch = watch_of(agreed(**fields))
    assert watch is not None
    return watch


class TestWatchOf:
    def test_each_threshold_and_each_limit_is_a_mark_in_its_clauses_life(self) -> None:
        watch = watched(
            alerts=[clause("told", meter="resolution", thresholds=[400, 500])],
            limits=[clause("most", meter="resolution", quantity=500, until="2026-03-01T00:00:00Z")],
        )

        assert marks_at(watch.marks, "resolution", to_micros(FEBRUARY)) == {
            ("threshold", 400),
            ("threshold", 500),
            ("limit", 500),
        }
        assert limit_at(watch.marks, "resolution", to_micros(MARCH)) is None

    def test_a_clause_that_was_taken_back_is_none(self) -> None:
        limit = clause("most", meter="resolution", quantity=500, withdrawn_in=1)

        assert watch_of(agreed(limits=[limit])) is None

    def test_it_is_counted_from_the_period_of_the_first_clause_on(self) -> None:
        limit = clause("most", meter="resolution", quantity=5) | {"from": "2026-03-17T12:00:00Z"}

        watch = watched(limits=[limit])

        assert watch.since == MARCH
        assert watch.changes_after(to_micros(FEBRUARY)) == to_micros(MARCH)
        assert watch.changes_after(to_micros(MARCH)) == to_micros(parse_instant("2026-03-17T12:00:00Z"))


class TestTheBook:
    def test_the_newest_revision_says_who_is_watched(self) -> None:
        book = ContractBook()
        first = agreed(limits=[clause("most", meter="resolution", quantity=5)])
        book.put(first, offset=0)
        assert set(book.watches) == {"acme"}

        book.put(first.model_copy(update={"revision": 2, "limits": ()}), offset=1)

        assert book.watches == {}


class TestBoard:
    def test_the_oldest_periods_are_forgotten_and_the_latest_count_of_each_stays(self) -> None:
        board = Board()
        months = [datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 7)]

        board.put(
            Count("acme", "resolution", start, end, Decimal(start.month), None) for start, end in pairwise(months)
        )
        board.put([Count("acme", "resolution", months[4], months[5], Decimal(70), None)])

        assert [board.used("acme", "resolution", start) for start in months] == [0, 0, 3, 4, 70, 0]
        assert KEPT_PERIODS == 3

    def test_it_is_stale_until_something_is_confirmed_and_never_goes_back(self) -> None:
        board = Board()
        assert board.stale

        board.confirm(MARCH)
        board.confirm(FEBRUARY)

        assert not board.stale
        assert board.as_of == MARCH

    def test_it_knows_a_watch_once_it_is_counted_from_early_enough(self) -> None:
        board, watch = Board(), watched(limits=[clause("most", meter="resolution", quantity=5)])
        board.since["acme"] = MARCH
        assert not board.knows(watch)

        board.since["acme"] = FEBRUARY

        assert board.knows(watch)
