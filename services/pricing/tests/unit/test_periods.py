"""Billing days, the periods beside them, and the terms of licensed items."""

from datetime import UTC, datetime

import pytest

from event_schemas.times import Period
from pricing.periods import beside, number_of, say, term_of
from pricing.terms import Rhythm, Trial
from pricing.testing import on, outcomes, seats, some_terms

END_OF_JANUARY = datetime(2027, 1, 31, tzinfo=UTC)


def test_a_day_that_a_month_lacks_does_not_drift() -> None:
    terms = some_terms(outcomes(), anchor=END_OF_JANUARY)

    ended, starts = beside(terms, datetime(2027, 2, 28, tzinfo=UTC))

    assert (ended.start, starts.end) == (END_OF_JANUARY, datetime(2027, 3, 31, tzinfo=UTC))


def test_a_yearly_term_of_the_last_of_february_does_not_drift() -> None:
    item = seats(rhythm=Rhythm.YEAR, start=datetime(2027, 2, 28, tzinfo=UTC))
    terms = some_terms(item, anchor=END_OF_JANUARY)

    assert term_of(terms, item, datetime(2028, 2, 29, tzinfo=UTC)) == Period(
        datetime(2028, 2, 29, tzinfo=UTC), datetime(2029, 2, 28, tzinfo=UTC)
    )


def test_the_term_of_a_yearly_item_that_begins_within_a_month_began_with_the_month() -> None:
    item = seats(rhythm=Rhythm.YEAR, start=on(9))

    assert term_of(some_terms(item), item, on(9)).start == on(1)


def test_the_first_period_may_be_the_trial() -> None:
    terms = some_terms(outcomes(), trial=Trial(on(1), on(15)), anchor=on(15))

    assert beside(terms, on(15))[0] == Period(on(1), on(15))
    assert beside(terms, on(15, 3))[0] == Period(on(15), on(15, 3))


def test_nothing_is_billed_before_the_trial_ends() -> None:
    terms = some_terms(outcomes(), trial=Trial(on(1), on(15)), anchor=on(15))

    with pytest.raises(ValueError, match="the trial lasts until 2026-02-15"):
        beside(terms, on(15, 1))


def test_periods_before_the_anchor_have_numbers_below_nothing() -> None:
    assert [number_of(on(15), at) for at in (on(14), on(15), on(14, 3), on(15, 3))] == [-1, 0, 0, 1]


def test_midnights_are_said_as_dates() -> None:
    assert say(Period(on(1), on(2, hour=5))) == "2026-02-01 to 2026-02-02T05:00:00Z"
