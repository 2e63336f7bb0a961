"""
All records of the account, in memory, with what follows from them: who has which external id, and what is applied.

A record is a flat dict: `id`, `type`, its fields as plain values (references as internal ids, amounts as Decimal, days
as ISO text), and `lines` with a list for each sublist. What can be computed is not stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from sandbox.documents import Body, Documents
from sandbox.netsuite.answers import Answers
from sandbox.netsuite.records.catalogue import GROUPS, RECORDS

_COUNTER = "counter"
_LINE_KEYS = "lineUniqueKey"
ZERO = Decimal(0)


class Book:
    """The records. `put` and `delete` change memory at once and durably with the next commit."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.answers = Answers()
        self.rules: Body = {}  # of the company: mandatory fields by subsidiary, exchange rates, default accounts
        self._clear()

    def _clear(self) -> None:
        self.records: dict[str, dict[str, Body]] = {name: {} for name in RECORDS}
        self._types: dict[tuple[str, str], str] = {}  # (group, id) -> type
        self._external: dict[tuple[str, str], tuple[str, str]] = {}  # (group, external id) -> (type, id)
        self._counters: dict[str, int] = defaultdict(int)
        self._applied: dict[str, dict[str, Decimal]] = defaultdict(dict)  # document -> who is applied to it -> amount
        self._deposits: dict[str, str] = {}  # payment or refund -> the deposit that has picked it

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, kind: str, id_: str) -> Body | None:
        """The record of a type and internal id."""
        return self.records[kind].get(id_)

    def find(self, kinds: Iterable[str], id_: str) -> Body | None:
        """The record with this internal id, of one of some types."""
        return next((found for kind in kinds if (found := self.records[kind].get(id_)) is not None), None)

    def by_external(self, group: str, external: str) -> tuple[str, str] | None:
        """(type, internal id) of who has an external id; a group of records shares one space."""
        return self._external.get((group, external))

    def transaction(self, id_: str) -> Body:
        """A transaction that is known to be there."""
        return self.records[self._types["transaction", id_]][id_]

    def item(self, id_: str) -> Body:
        """An item that is known to be there."""
        return self.records[self._types["item", id_]][id_]

    def transactions(self) -> Iterator[Body]:
        """All transactions, by internal id."""
        ids = sorted((int(id_), kind) for (group, id_), kind in self._types.items() if group == "transaction")
        return (self.records[kind][str(id_)] for id_, kind in ids)

    def applied_to(self, id_: str) -> dict[str, Decimal]:
        """What is applied to a document, by the applying transaction."""
        return self._applied.get(id_, {})

    def deposit_of(self, id_: str) -> str | None:
        """The deposit that has picked a payment or refund."""
        return self._deposits.get(id_)

    def precision(self, currency: str) -> int:
        """Decimals of a currency."""
        return int(self.records["currency"][currency]["currencyPrecision"])

    def mandatory(self, subsidiary: str | None, kind: str) -> list[str]:
        """Fields that a subsidiary's form asks for beyond what the record needs by itself."""
        wanted: list[str] = self.rules.get("mandatory", {}).get(subsidiary or "", {}).get(kind, [])
        return wanted

    # -- changing --------------------------------------------------------------------------------------------------

    def new_id(self, kind: str) -> str:
        """The next internal id of the type's group; ids are never used twice."""
        return str(self._count(GROUPS[kind]))

    def new_line_key(self) -> int:
        """The next `lineUniqueKey`, of which no two lines of the account share one."""
        return self._count(_LINE_KEYS)

    def _count(self, name: str) -> int:
        self._counters[name] += 1
        self._documents.put(_COUNTER, name, {"last": self._counters[name]})
        return self._counters[name]

    def put(self, record: Body) -> None:
        """Keep a record, new or changed. It belongs to the book from here on."""
        old = self.records[record["type"]].get(record["id"])
        if old is not None:
            self._forget(old)
        self._know(record)
        self._documents.put(record["type"], record["id"], record)

    def delete(self, record: Body) -> None:
        """Take a record away."""
        self._forget(record)
        self._documents.remove(record["type"], record["id"])

    def _know(self, record: Body) -> None:
        kind, id_, group = record["type"], record["id"], GROUPS[record["type"]]
        self.records[kind][id_] = record
        self._types[group, id_] = kind
        if record.get("externalId"):
            self._external[group, record["externalId"]] = (kind, id_)
        if id_.isdigit():
            self._counters[group] = max(self._counters[group], int(id_))
        lines = record.get("lines", {})
        for line in lines.get("apply", ()):
            self._applied[line["doc"]][id_] = line["amount"]
        for line in lines.get("payment", ()):
            self._deposits[line["id"]] = id_

    def _forget(self, record: Body) -> None:
        kind, id_, group = record["type"], record["id"], GROUPS[record["type"]]
        del self.records[kind][id_]
        del self._types[group, id_]
        if record.get("externalId"):
            del self._external[group, record["externalId"]]
        lines = record.get("lines", {})
        for line in lines.get("apply", ()):
            del self._applied[line["doc"]][id_]
        for line in lines.get("payment", ()):
            del self._deposits[line["id"]]

    # -- beginning -------------------------------------------------------------------------------------------------

    def load(self, kind: str, id_: str, body: Body) -> None:
        """Take up a document that was kept."""
        if kind == _COUNTER:
            self._counters[id_] = max(self._counters[id_], body["last"])
        else:
            self._know(_revived(body))

    def forget(self) -> None:
        """Begin with nothing."""
        self._clear()


def _revived(body: Body) -> Body:
    """A record as it was before it went through JSON, which tells 37 from 37.0 and Decimal from int by chance."""
    kind = RECORDS[body["type"]]
    for name, value in body.items():
        if name in kind.fields and kind.fields[name].kind == "number" and value is not None:
            body[name] = Decimal(value)
    for name, lines in body.get("lines", {}).items():
        fields = kind.sublists[name].fields
        for line in lines:
            for key, value in line.items():
                if key in fields and fields[key].kind == "number" and value is not None:
                    line[key] = Decimal(value)
    return body
