"""
When periods freeze: so long after their end, by issuer.

The later, the more of what comes late lands on its own invoice instead of becoming a correction; and the later the
invoice. More than half an hour needs drafts that wait, since Stripe's own draft lasts an hour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

LONGEST = timedelta(hours=72)  # Stripe's own longest grace period; a meter event may be 35 days old
WITHIN_THE_HOUR = timedelta(minutes=30)
_UNITS = {"m": "minutes", "h": "hours"}
_ENTRY = re.compile(r"([a-z][a-z0-9-]{0,49})\s*=\s*(\d{1,5})([mh])")


@dataclass(frozen=True, slots=True)
class Freeze:
    """Business time from a period's end to its freeze: the default, and what issuers have instead."""

    default: timedelta
    by_issuer: Mapping[str, timedelta]

    def of(self, issuer: str) -> timedelta:
        """An issuer's time."""
        return self.by_issuer.get(issuer, self.default)

    @property
    def longest(self) -> timedelta:
        """The longest of all."""
        return max([self.default, *self.by_issuer.values()])


def read_freeze(text: str, *, default: timedelta, keeps_drafts: bool) -> Freeze:
    """
    From the settings: `issuer=72h` or `issuer=30m`, with commas between.

    Raises:
        ValueError: a part cannot be read, an issuer stands there twice, a time is longer than 72 h, or longer than half
            an hour where drafts do not wait; a sentence that says which.
    """
    by_issuer: dict[str, timedelta] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        entry = _ENTRY.fullmatch(part)
        if entry is None:
            raise ValueError(f"{part!r} is no freeze: write issuer=72h or issuer=30m, with commas between several")
        issuer, count, unit = entry.groups()
        if issuer in by_issuer:
            raise ValueError(f"{issuer} stands there twice")
        by_issuer[issuer] = timedelta(**{_UNITS[unit]: int(count)})
    freeze = Freeze(default, by_issuer)
    if freeze.longest > LONGEST:
        raise ValueError("a period freezes at most 72 hours after its end")
    if freeze.longest > WITHIN_THE_HOUR and not keeps_drafts:
        raise ValueError(
            "a period that freezes more than 30 minutes after its end needs KEEP_DRAFTS: Stripe's draft lasts an hour"
        )
    return freeze
