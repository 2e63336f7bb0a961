"""The limits that senders rely on. Part of the contract, so they are no settings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

EVENTS_MAX = 1_000  # events in one request
BODY_BYTES_MAX = 1024 * 1024  # bytes of one request's body
OLDEST = timedelta(days=400)  # beyond any period that could still be corrected
AHEAD = timedelta(minutes=15)  # clocks of senders are wrong by up to about 10 minutes


class Bounds(NamedTuple):
    """The times that an event may bear, both ends included."""

    oldest: datetime
    newest: datetime


def bounds_at(received_at: datetime) -> Bounds:
    """The bounds for an event that was first received at this business time."""
    return Bounds(received_at - OLDEST, received_at + AHEAD)
