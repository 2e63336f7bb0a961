"""What every part of a contract has: a life of its own, and the revisions in which it was agreed, ended, taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field

from event_schemas.contracts import Agreed
from event_schemas.times import Instant
from event_schemas.values import Currency

MOST_SEATS = 1_000_000  # of a licensed item: beyond it nobody means what is written
MOST_UNITS = 10**12  # of a meter in a period
MOST_MINOR = 10**15  # minor units of one amount

KeyText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
VersionText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Revision = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Units = Annotated[int, Field(strict=True, ge=0, le=MOST_UNITS)]


class Part(Agreed):
    """Base of all that stands in a contract of version 2; `from` on the wire is `start` here."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Amount(Part):
    """Money: integer minor units of a currency."""

    minor: int = Field(strict=True, ge=1, le=MOST_MINOR)
    currency: Currency


class EarlierUntil(Part):
    """An end that was agreed before the one that counts now."""

    until: Instant | None = None
    agreed_in: Revision


class Dated(Part):
    """
    A clause that holds in [`from`, `until`), None being no end.

    `agreed_in` is the revision that brought it. Where a later one moved its end, that is `until_agreed_in`, and what
    was said before stands in `earlier_untils`. A clause with `withdrawn_in` was taken back and never holds.
    """

    key: KeyText
    start: Instant = Field(alias="from")
    until: Instant | None = None
    agreed_in: Revision
    until_agreed_in: Revision | None = None
    earlier_untils: tuple[EarlierUntil, ...] = ()
    withdrawn_in: Revision | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Whether an instant lies in its life."""
        alive = self.start <= instant and (self.until is None or instant < self.until)
        return alive and self.withdrawn_in is None


class Entry(Part):
    """An entry of a timeline: it holds from `at` until the next one. At one instant the later revision counts."""

    at: Instant
    agreed_in: Revision
    withdrawn_in: Revision | None = None


class SeatsFrom(Entry):
    """Seats or units of a licensed item from an instant on."""

    quantity: int = Field(strict=True, ge=0, le=MOST_SEATS)


class UnitsFrom(Entry):
    """Units committed for each period from a billing day on."""

    quantity: Units


DatedT = TypeVar("DatedT", bound=Dated)
EntryT = TypeVar("EntryT", bound=Entry)


def living(clauses: Iterable[DatedT]) -> tuple[DatedT, ...]:
    """The clauses that were not taken back."""
    return tuple(clause for clause in clauses if clause.withdrawn_in is None)


def in_time(timeline: Iterable[EntryT]) -> tuple[EntryT, ...]:
    """A timeline as it counts: sorted, without what was taken back, one entry for each instant."""
    counting = sorted(
        (entry for entry in timeline if entry.withdrawn_in is None), key=lambda entry: (entry.at, entry.agreed_in)
    )
    return tuple({entry.at: entry for entry in counting}.values())


def entry_at(timeline: Sequence[EntryT], instant: datetime) -> EntryT | None:
    """The entry that counts at an instant; None before the first."""
    return next((entry for entry in reversed(in_time(timeline)) if entry.at <= instant), None)
