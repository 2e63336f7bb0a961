"""Money, decimals and periods: golden rounding points, refusals, and properties of splitting and calendars."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_schemas.times import iso, parse_instant, period_containing, period_number, to_micros
from event_schemas.values import Currency, Money, allocate, decimal_text, parse_decimal, round_line

# The golden file's rounding points: exact value in minor units to integer.
POINTS = [("0.5", 1), ("-0.5", -1), ("1.5", 2), ("2.5", 3), ("-2.5", -3), ("0.4999999999", 0), ("20532.6", 20533)]


@pytest.mark.parametrize(("exact", "rounded"), POINTS)
def test_rounds_half_away_from_zero(exact: str, rounded: int) -> None:
    assert round_line(Decimal(exact), Currency.JPY) == Money(rounded, Currency.JPY)
    assert round_line(Decimal(exact) / 100, Currency.USD).minor == rounded


def test_a_yen_has_no_minor_unit_and_a_dinar_has_three_decimals() -> None:
    assert round_line(Decimal("148.5") * 333, Currency.JPY).minor == 49_451
    assert round_line(Decimal("12.015") * 3, Currency.KWD).minor == 36_045
    assert str(Money(36_045, Currency.KWD)) == "KWD 36.045"
    assert str(Money(-49_451, Currency.JPY)) == "JPY -49,451"


def test_two_currencies_never_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, Currency.USD) + Money(1, Currency.EUR)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1.", ".5", "1,5", " 1", "1 ", "١", "NaN", "Infinity", "1" * 16, "0." + "1" * 13]
)
def test_refuses_what_is_no_plain_decimal(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|digits"):
        parse_decimal(text)


@pytest.mark.parametrize(("text", "value"), [("0", "0"), ("007", "7"), ("0.0175", "0.0175"), ("1.500", "1.5")])
def test_reads_a_plain_decimal(text: str, value: str) -> None:
    assert decimal_text(parse_decimal(text)) == value


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any))
def test_parts_sum_to_the_whole_and_each_is_its_share_give_or_take_one(total: int, weights: list[int]) -> None:
    parts = allocate(Money(total, Currency.USD), weights)

    assert sum(part.minor for part in parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - total * weight) < sum(weights)


def test_a_period_from_the_31st_ends_where_the_month_ends() -> None:
    anchor = datetime(2028, 1, 31, 12, tzinfo=UTC)

    starts = [iso(period_number(anchor, number).start) for number in range(4)]

    assert starts == ["2028-01-31T12:00:00Z", "2028-02-29T12:00:00Z", "2028-03-31T12:00:00Z", "2028-04-30T12:00:00Z"]


instants = st.integers(946_684_800, 2_840_140_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(instants, instants)
def test_every_instant_lies_in_exactly_one_period(anchor: datetime, instant: datetime) -> None:
    period = period_containing(anchor, instant)

    assert period.start <= instant < period.end
    assert period_containing(anchor, period.end).start == period.end


def test_an_instant_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_instant("2026-10-01T00:00:00")
    assert to_micros(parse_instant("2026-10-01T00:00:00.000001+02:00")) == 1_790_805_600_000_001
