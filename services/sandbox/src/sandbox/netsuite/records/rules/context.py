"""What a rule is told: the records, business time, and whether a person does it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sandbox.documents import Body
from sandbox.netsuite.records.book import Book


@dataclass(frozen=True, slots=True)
class Saving:
    """
    One save. `old` is the record as it was (None: new), `draft` what it is to be; rules change `draft` alone.

    `may_override` says that whoever saves may post into closed periods, as some roles may.
    """

    book: Book
    draft: Body
    old: Body | None
    now: datetime
    may_override: bool = False

    def default(self, field: str, value: object) -> None:
        """Fill a field that has no value."""
        if self.draft.get(field) is None:
            self.draft[field] = value

    def changed(self, *fields: str) -> bool:
        """Whether one of these fields is not what it was; true for a new record."""
        return self.old is None or any(self.draft.get(name) != self.old.get(name) for name in fields)
