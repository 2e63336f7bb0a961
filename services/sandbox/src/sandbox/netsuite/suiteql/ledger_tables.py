"""Rows of the tables that follow from the ledger: transactions, their lines, postings and links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.domain.postings import Posting, postings
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.records.rules.applying import PARTY, remaining
from sandbox.netsuite.records.rules.money import signed_amount
from sandbox.netsuite.records.showing import status_of
from sandbox.netsuite.suiteql.tree import Value

Row = dict[str, Value]


def ledger_of(book: Book, record: Body) -> list[Posting]:
    """The postings of a transaction."""
    base = book.records["subsidiary"][record["subsidiary"]]["currency"]
    return postings(record, picked=lambda id_: signed_amount(book, id_), base_precision=book.precision(base))


def to_value(value: Any) -> Value:
    """A number or an id as a number."""
    return None if value is None else Decimal(value)


def to_day(value: str | None) -> Value:
    """The day of a day or an instant."""
    return None if value is None else date.fromisoformat(value[:10])


def to_flag(value: object) -> str:
    """T or F."""
    return "T" if value else "F"


def _party(record: Body) -> Value:
    return to_value(record.get(PARTY.get(record["type"], ""), None))


def transactions(book: Book, only: Iterable[Body] | None = None) -> Iterator[Row]:
    """One row for each transaction; `only` some, where the query names them."""
    for record in book.transactions() if only is None else only:
        main = ledger_of(book, record)[0]
        open_amount = (
            remaining(book, record) if record["type"] in ("invoice", "creditMemo", "customerPayment") else None
        )
        amount = main.amount if record["type"] != "journalEntry" else None
        yield {
            "id": to_value(record["id"]),
            "type": RECORDS[record["type"]].code,
            "recordtype": record["type"].lower(),
            "tranid": record["tranId"],
            "externalid": record.get("externalId"),
            "entity": _party(record),
            "status": status_of(book, record)[0],
            "trandate": to_day(record["tranDate"]),
            "duedate": to_day(record.get("dueDate")),
            "postingperiod": to_value(record["postingPeriod"]),
            "posting": "T",
            "voided": "F",
            "currency": to_value(record["currency"]),
            "exchangerate": record["exchangeRate"],
            "foreigntotal": amount,
            "foreignamountunpaid": open_amount if record["type"] == "invoice" else None,
            "foreignamountpaid": main.amount - (open_amount or 0) if record["type"] == "invoice" else None,
            "foreignpaymentamountunused": open_amount if record["type"] != "invoice" else None,
            "memo": record.get("memo"),
            "otherrefnum": record.get("otherRefNum"),
            "createddate": to_day(record["createdDate"]),
            "lastmodifieddate": to_day(record["lastModifiedDate"]),
        }


def lines(book: Book) -> Iterator[Row]:
    """The main line of each transaction, then the others, each with its posting."""
    for record in book.transactions():
        for posting in ledger_of(book, record):
            source = posting.source or {}
            quantity = source.get("quantity")
            sign = -1 if record["type"] == "invoice" else 1
            yield {
                "transaction": to_value(record["id"]),
                "id": to_value(posting.line),
                "linesequencenumber": to_value(posting.line),
                "uniquekey": to_value(source.get("lineUniqueKey")),
                "mainline": to_flag(posting.line == 0),
                "taxline": "F",
                "item": to_value(source.get("item")),
                "itemtype": RECORDS[book.item(source["item"])["type"]].code if source.get("item") else None,
                "quantity": None if quantity is None else sign * quantity,
                "rate": source.get("rate"),
                "foreignamount": posting.amount,
                "netamount": posting.base,
                "memo": source.get("description") or source.get("memo") or record.get("memo"),
                "entity": _party(record),
                "subsidiary": to_value(record["subsidiary"]),
                "revrecstartdate": to_day(source.get("revRecStartDate")),
                "revrecenddate": to_day(source.get("revRecEndDate")),
            }


def accounting_lines(book: Book) -> Iterator[Row]:
    """The postings, in the subsidiary's own currency."""
    for record in book.transactions():
        for posting in ledger_of(book, record):
            yield {
                "transaction": to_value(record["id"]),
                "transactionline": to_value(posting.line),
                "accountingbook": Decimal(1),
                "account": to_value(posting.account),
                "amount": posting.base,
                "debit": posting.base if posting.base > 0 else None,
                "credit": -posting.base if posting.base < 0 else None,
                "exchangerate": record["exchangeRate"],
                "posting": "T",
            }


def links(book: Book) -> Iterator[Row]:
    """What is applied to what, and which deposit has picked what."""
    for record in book.transactions():
        for line in record["lines"].get("apply", ()):
            yield _link(line["doc"], record, "Payment", line["amount"])
        for line in record["lines"].get("payment", ()):
            yield _link(line["id"], record, "DepositPayment", signed_amount(book, line["id"])[1])


def _link(before: str, after: Body, kind: str, amount: Decimal) -> Row:
    return {"previousdoc": Decimal(before), "nextdoc": Decimal(after["id"]), "linktype": kind, "foreignamount": amount}


def named(book: Book, column: str, values: Iterable[Value]) -> list[Body] | None:
    """The transactions with one of some ids or external ids; None where values are of another kind than the column."""
    found = []
    for value in values:
        if column == "externalid" and isinstance(value, str):
            holder = book.by_external("transaction", value)
            record = None if holder is None else book.get(*holder)
        elif column == "id" and isinstance(value, Decimal) and value == value.to_integral_value():
            record = book.find((name for name, kind in RECORDS.items() if kind.group == "transaction"), str(int(value)))
        else:
            return None
        if record is not None and record not in found:
            found.append(record)
    return sorted(found, key=lambda record: int(record["id"]))
