"""A record as GET answers it, and what of it is computed: totals, what remains, its status."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.domain.amounts import total
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.records.rules.applying import gross, remaining
from sandbox.netsuite.records.rules.money import UNDEPOSITED, signed_amount
from sandbox.netsuite.records.types import Field

_NAMES = ("tranId", "entityId", "itemId", "name", "acctName", "periodName")


def name_of(record: Body) -> str:
    """How a reference to a record is shown."""
    if record["type"] == "customer":
        shown = record.get("companyName") or f"{record.get('firstName', '')} {record.get('lastName', '')}".strip()
        return f"{record['entityId']} {shown}"
    return str(next((record[name] for name in _NAMES if record.get(name)), record["id"]))


def total_of(book: Book, record: Body) -> Decimal:
    """The total of a transaction, in its currency."""
    lines = record["lines"]
    match record["type"]:
        case "deposit":
            picked = total(signed_amount(book, line["id"])[1] for line in lines["payment"])
            other, back = (total(line["amount"] for line in lines[name]) for name in ("other", "cashBack"))
            return picked + other - back
        case "journalEntry":
            return total(line.get("debit") or Decimal(0) for line in lines["line"])
        case _:
            return gross(record)


def status_of(book: Book, record: Body) -> tuple[str, str]:
    """The status of a transaction: its letter in SuiteQL, and its name."""
    match record["type"]:
        case "invoice":
            return ("A", "Open") if remaining(book, record) > 0 else ("B", "Paid In Full")
        case "creditMemo":
            return ("A", "Open") if remaining(book, record) > 0 else ("B", "Fully Applied")
        case "customerPayment":
            waits = book.records["account"][record["account"]]["acctType"] == UNDEPOSITED
            waits = waits and book.deposit_of(record["id"]) is None
            return ("B", "Not Deposited") if waits else ("C", "Deposited")
        case "journalEntry":
            return ("B", "Approved for Posting")
        case _:
            return ("Y", "Processed")


def computed(book: Book, record: Body) -> Body:
    """The fields of a record that are not stored."""
    kind = record["type"]
    if kind == "customer":
        return {"balance": balance_of(book, record)}
    if RECORDS[kind].group != "transaction":
        return {}
    shown: Body = {"total": total_of(book, record), "status": status_of(book, record)[1]}
    if kind in ("invoice", "creditMemo"):
        left = remaining(book, record)
        shown |= {"subtotal": shown["total"], "amountRemaining": left}
        if kind == "invoice":
            shown["amountPaid"] = shown["total"] - left
    if kind in ("creditMemo", "customerPayment"):
        left = remaining(book, record)
        shown |= {"applied": shown["total"] - left, "unapplied": left}
    return shown


def balance_of(book: Book, customer: Body) -> Decimal:
    """What a customer owes in its primary currency: open invoices less credits and payments that are not applied."""
    own = (customer["id"], customer["currency"])
    owed = total(
        remaining(book, one) for one in book.records["invoice"].values() if (one["entity"], one["currency"]) == own
    )
    credit = total(
        remaining(book, one)
        for kind, party in (("creditMemo", "entity"), ("customerPayment", "customer"))
        for one in book.records[kind].values()
        if (one[party], one["currency"]) == own
    )
    return owed - credit


class Shower:
    """Shows records under the URL by which they were asked for."""

    def __init__(self, book: Book, base: str, *, simple_enums: bool, expand: bool) -> None:
        self._book, self._base = book, base
        self._simple, self._expand = simple_enums, expand

    def link(self, record: Body, *more: str) -> str:
        """The URL of a record, or of what is below it."""
        return "/".join((self._base, record["type"], record["id"], *more))

    def show(self, record: Body) -> Body:
        """The whole record; sublists are links unless they are expanded."""
        kind = RECORDS[record["type"]]
        values = {**record, **computed(self._book, record)}
        shown: Body = {"links": [{"rel": "self", "href": self.link(record)}], "id": record["id"]}
        for name, wanted in kind.fields.items():
            if values.get(name) is not None:
                shown[name] = self._value(wanted, values[name])
        for name in kind.sublists:
            link = [{"rel": "self", "href": self.link(record, name)}]
            shown[name] = {"links": link, **(self.lines(record, name) if self._expand else {})}
        return shown

    def lines(self, record: Body, sublist: str) -> Body:
        """The lines of a sublist."""
        items = [self.line(record, sublist, line) for line in record["lines"].get(sublist, ())]
        return {"items": items, "totalResults": len(items)}

    def line(self, record: Body, sublist: str, line: Body) -> Body:
        """One line, with what is computed of it."""
        fields = RECORDS[record["type"]].sublists[sublist].fields
        values = dict(line)
        if sublist == "apply":
            document = self._book.transaction(line["doc"])
            due = remaining(self._book, document, without=record["id"])
            values |= {"total": gross(document), "due": due, "refNum": document["tranId"]}
        elif sublist == "payment":
            values["paymentAmount"] = signed_amount(self._book, line["id"])[1]
        return {name: self._value(fields[name], values[name]) for name in fields if values.get(name) is not None}

    def _value(self, wanted: Field, value: Any) -> Any:
        if wanted.kind == "enum" and not self._simple:
            return {"id": value, "refName": value}
        if wanted.kind != "ref":
            return value
        record = self._book.find(wanted.to, value)
        assert record is not None, "a reference is to something that is there"
        return {"links": [{"rel": "self", "href": self.link(record)}], "id": value, "refName": name_of(record)}
