"""Billing days, the periods beside them, and the terms of licensed items."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from event_schemas.times import Period, iso, month_after, period_containing
from pricing.terms import Licensed, Terms


@lru_cache(maxsize=1024)
def say(period: Period) -> str:
    """A period in words; midnights without their zeros."""
    return f"{say_instant(period.start)} to {say_instant(period.end)}"


def say_instant(instant: datetime) -> str:
    """An instant, as a date where it is a midnight."""
    return iso(instant).removesuffix("T00:00:00Z")


def number_of(anchor: datetime, instant: datetime) -> int:
    """The number of the monthly period that holds an instant; 0 is the one that the anchor starts."""
    anchor = anchor.astimezone(UTC)
    start = period_containing(anchor, instant).start
    return (start.year - anchor.year) * 12 + start.month - anchor.month


def is_billing_day(anchor: datetime, instant: datetime) -> bool:
    """Whether a period starts at an instant."""
    return period_containing(anchor, instant).start == instant


def beside(terms: Terms, billing_day: datetime) -> tuple[Period, Period]:
    """
    The period that ended on a billing day, which on the first one may be the trial, and the one that starts.

    Raises:
        ValueError: it is no billing day, or it lies before the end of the trial.
    """
    starts = period_containing(terms.billing_anchor, billing_day)
    if starts.start != billing_day:
        raise ValueError(f"billing_day: no period starts at {iso(billing_day)}; this one starts at {iso(starts.start)}")
    trial = terms.trial
    if trial is not None and billing_day < trial.until:
        raise ValueError(f"billing_day: the trial lasts until {iso(trial.until)}, and nothing is billed before")
    if trial is not None and billing_day == trial.until:
        return Period(trial.start, trial.until), starts
    number = number_of(terms.billing_anchor, billing_day)
    return Period(month_after(terms.billing_anchor, number - 1), starts.start), starts


def in_trial(terms: Terms, period: Period) -> bool:
    """Whether a period is the trial."""
    return terms.trial is not None and period.start < terms.trial.until


def term_of(terms: Terms, item: Licensed, instant: datetime) -> Period:
    """
    The term of a licensed item that holds an instant: what one advance line pays for.

    A month is the billing period. Years are counted from the item's term anchor, in months of the billing anchor, so
    that a day which a month lacks does not drift.
    """
    anchor, months = terms.billing_anchor, item.rhythm.months
    number = number_of(anchor, instant)
    if months > 1:
        first = number_of(anchor, item.term_anchor if item.term_anchor is not None else item.start)
        if terms.trial is not None and item.term_anchor is None:
            first = max(first, number_of(anchor, terms.trial.until))
        number = first + (number - first) // months * months
    return Period(month_after(anchor, number), month_after(anchor, number + months))
