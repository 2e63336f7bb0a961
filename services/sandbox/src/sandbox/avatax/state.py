"""Everything that the AvaTax stand-in knows: in memory, each change on its way to PostgreSQL before the answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from event_schemas.times import from_micros
from sandbox.avatax.account import Company

Body = dict[str, Any]
Key = tuple[int, str, str]  # company id, code, type
FIRST_ID = 985_000_000  # ids look like AvaTax's: positive, nine digits and more


class State:
    """
    The memory. A request changes it without awaiting, so each request is atomic.

    A document's body is as answers show it, whole; what only the stand-in knows begins with `_`. The newest version
    of a code and type is `current`; earlier ones are found by id.
    """

    def __init__(self) -> None:
        self.companies: dict[str, tuple[int, Company]] = {}
        self.documents: dict[int, Body] = {}
        self.current: dict[Key, Body] = {}
        self.stepped_micros: int | None = None  # business time; None: real time
        self.shown_micros: int | None = None
        self.clock_version = 0
        self.clock_moved = False
        self.number = 0
        self.dirty_companies: set[str] = set()
        self.dirty_documents: dict[int, Body] = {}

    @property
    def now(self) -> datetime:
        """Business time."""
        return datetime.now(UTC) if self.stepped_micros is None else from_micros(self.stepped_micros)

    def move_clock(self, micros: int) -> None:
        """Set business time."""
        self.stepped_micros = self.shown_micros = micros
        self.clock_version += 1
        self.clock_moved = True

    def next_number(self) -> int:
        """A number that grows with each object: the order of creation."""
        self.number += 1
        return self.number

    def new_id(self) -> int:
        """A fresh id of a document; those of its lines and details follow from it."""
        return FIRST_ID + self.next_number()

    def put_company(self, company: Company) -> int:
        """Keep a company, new or changed; its id stays."""
        known = self.companies.get(company.code)
        id_ = known[0] if known is not None else self.next_number()
        self.companies[company.code] = (id_, company)
        self.dirty_companies.add(company.code)
        return id_

    def put(self, document: Body) -> Body:
        """Keep a document, new or changed."""
        self.index(document)
        self.dirty_documents[document["id"]] = document
        return document

    def index(self, document: Body) -> None:
        """Make a document findable; of one code and type the latest made is current."""
        self.documents[document["id"]] = document
        key = key_of(document)
        held = self.current.get(key)
        if held is None or held["id"] <= document["id"]:
            self.current[key] = document

    def find(self, key: Key) -> Body | None:
        """The newest version of a code and type; None: there is none, or it was deleted."""
        found = self.current.get(key)
        return None if found is None or found.get("_deleted") else found

    def rename(self, document: Body, code: str) -> None:
        """Give a document another code."""
        del self.current[key_of(document)]
        document["code"] = code
        self.put(document)

    def of_company(self, company_id: int) -> Iterator[Body]:
        """The newest version of each of a company's documents, in the order of creation."""
        mine = (body for body in self.current.values() if body["companyId"] == company_id)
        found = [body for body in mine if not body.get("_deleted")]
        return iter(sorted(found, key=lambda body: int(body["id"])))

    @property
    def is_dirty(self) -> bool:
        """Whether anything waits for its commit."""
        return bool(self.dirty_companies or self.dirty_documents or self.clock_moved)


def key_of(document: Body) -> Key:
    """By what a document is known: unique with its version."""
    return document["companyId"], document["code"], document["type"]
