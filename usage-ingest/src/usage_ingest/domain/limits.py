"""The limits that senders rely on. Part of the contract, so they are no settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EVENTS_MAX = 1_000  # events in one request
BODY_BYTES_MAX = 1024 * 1024  # bytes of one request's body
OLDEST = timedelta(days=400)  # beyond any period that could still be corrected
AHEAD = timedelta(minutes=15)  # clocks of senders are wrong by up to about 10 minutes

FIRST_YEAR = datetime(2000, 1, 1, tzinfo=UTC)  # before it a time is a broken clock, whoever answers for it


class Bounds(NamedTuple):
    """The times that an event may bear, both ends included."""

    oldest: datetime
    newest: datetime


def bounds_at(received_at: datetime) -> Bounds:
    """The bounds for an event that was first received at this business time."""
    return Bounds(received_at - OLDEST, received_at + AHEAD)


def bounds_of_accepted(now: datetime) -> Bounds:
    """
    The bounds where an operator answers for the time: as old as it may be, but not ahead of the business time now.

    A charge in a period that has not begun would stand on an invoice that nobody expects; it waits until it is past.
    """
    return Bounds(FIRST_YEAR, now + AHEAD)
