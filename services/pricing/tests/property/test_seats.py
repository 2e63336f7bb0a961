"""
Seats over time: prorations sum to what the seat count at each instant asks for, in any currency.

The references count hours, in fractions; they know neither terms nor factors.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.times import Period
from event_schemas.values import Currency
from pricing.amounts import money, part_of
from pricing.engine import expected_invoice
from pricing.invoice.proration import factor
from pricing.lines import Kind
from pricing.prices import PerUnit
from pricing.terms import Licensed, Proration, QuantityFrom, Rhythm
from pricing.testing import DAY, FEBRUARY, on, some_terms

HOUR = timedelta(hours=1)
HOURS = 28 * 24
currencies = st.sampled_from(list(Currency))
prices = st.decimals(0, 5000, places=3)
histories = st.dictionaries(st.integers(0, HOURS - 1), st.integers(0, 50), max_size=8)
PRORATIONS = (Kind.PRORATION_CREDIT, Kind.PRORATION_DEBIT)


def timeline(history: dict[int, int]) -> tuple[QuantityFrom, ...]:
    return tuple(QuantityFrom(FEBRUARY.start + hour * HOUR, seats) for hour, seats in sorted(history.items()))


def seats_in(history: dict[int, int], hour: int) -> int:
    """Seats held in an hour: the latest change at or before its beginning."""
    earlier = [at for at in history if at <= hour]
    return history[max(earlier)] if earlier else 0


@settings(deadline=None)
@given(histories, prices, currencies, st.integers(0, HOURS - 1), st.integers(1, HOURS))
def test_any_history_of_seats_costs_what_each_hour_asks_for(
    history: dict[int, int], price: Decimal, currency: Currency, begins: int, lasts: int
) -> None:
    """
    The advance of 1 February and the prorations of March's invoice, against the seats held in each hour of February.

    Seen to fail when a credit was taken at the new quantity, when what is left was counted from the start, when an
    item's end gave nothing back, and when a credit's sign was turned by a minus that rounds to 28 digits.
    """
    begin, end = FEBRUARY.start + begins * HOUR, FEBRUARY.start + min(begins + lasts, HOURS) * HOUR
    item = Licensed("seat", PerUnit(price), timeline(history), begin, end)
    terms = some_terms(item, currency=currency)

    advance = expected_invoice(terms, FEBRUARY.start).lines
    lines = [*advance, *(line for line in expected_invoice(terms, DAY).lines if line.kind in PRORATIONS)]

    lived = range(begins, min(begins + lasts, HOURS))
    asked = sum((seats_in(history, hour) * Fraction(price) / HOURS for hour in lived), Fraction(0))
    assert abs(sum(Fraction(line.why.exact) for line in lines) - asked) < Fraction(1, 10**30)
    paid = Fraction(sum(line.amount.minor for line in lines), 10**currency.minor_digits)
    assert abs(paid - asked) <= Fraction(len(lines), 2 * 10**currency.minor_digits)


@settings(deadline=None)
@given(histories, prices, currencies)
def test_by_day_each_day_costs_the_seats_held_at_its_end(
    history: dict[int, int], price: Decimal, currency: Currency
) -> None:
    """Seen to fail when the day of a change counted as the old quantity's."""
    terms = some_terms(
        Licensed("seat", PerUnit(price), timeline(history), on(1)), currency=currency, proration=Proration.DAY
    )

    advance = expected_invoice(terms, FEBRUARY.start).lines
    lines = [*advance, *(line for line in expected_invoice(terms, DAY).lines if line.kind in PRORATIONS)]

    asked = sum((seats_in(history, 24 * day + 23) * Fraction(price) / 28 for day in range(28)), Fraction(0))
    assert abs(sum(Fraction(line.why.exact) for line in lines) - asked) < Fraction(1, 10**30)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 28 * 86_400_000_000 - 1), unique=True, max_size=12),
    st.decimals(0, 10**6, places=6),
    currencies,
    st.sampled_from([Proration.SECOND, Proration.DAY]),
)
def test_any_partition_of_a_period_sums_to_the_whole(
    cuts: list[int], price: Decimal, currency: Currency, rule: Proration
) -> None:
    """
    Parts of a period between cuts sum to it: exactly before rounding, within half a minor unit a part after it.

    Seen to fail when a factor was rounded to six decimals.
    """
    bounds = [FEBRUARY.start, *(FEBRUARY.start + timedelta(microseconds=cut) for cut in sorted(cuts))]
    lefts = [factor(rule, FEBRUARY, at) for at in bounds]
    parts = [(one.left - other.left) for one, other in pairwise(lefts)] + [lefts[-1].left]
    whole = lefts[0].whole

    assert lefts[0].left == whole
    assert min(parts) >= 0
    assert sum(parts) == whole
    exact = [part_of(price, part, whole) for part in parts]
    assert abs(sum(map(Fraction, exact)) - Fraction(price)) < Fraction(1, 10**30)
    amounts = [money(part, currency).minor for part in exact]
    assert abs(sum(amounts) - Fraction(price) * 10**currency.minor_digits) <= Fraction(len(parts), 2)


@settings(deadline=None)
@given(histories, prices, currencies)
def test_a_year_costs_what_each_hour_of_it_asks_for(
    history: dict[int, int], price: Decimal, currency: Currency
) -> None:
    """Changes in February of a term of a year. Seen to fail when a yearly item was prorated over its month."""
    first = {0: 3} | history
    year = Period(on(1), on(1).replace(year=2027))
    hours = (year.end - year.start) // HOUR
    terms = some_terms(Licensed("seat", PerUnit(price), timeline(first), on(1), rhythm=Rhythm.YEAR), currency=currency)

    lines = [line for day in (FEBRUARY.start, DAY) for line in expected_invoice(terms, day).lines]

    in_february = sum(seats_in(first, hour) for hour in range(HOURS))
    asked = Fraction(price) * (in_february + (hours - HOURS) * seats_in(first, HOURS)) / hours
    assert abs(sum(Fraction(line.why.exact) for line in lines) - asked) < Fraction(1, 10**30)
