"""The tables of SuiteQL that are carried out, each made from the records at the moment of the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.domain.postings import Posting, postings
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import ITEMS, RECORDS
from sandbox.netsuite.records.rules.applying import PARTY, remaining
from sandbox.netsuite.records.rules.money import signed_amount
from sandbox.netsuite.records.showing import name_of, status_of
from sandbox.netsuite.suiteql.tree import Value

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` in the order of SELECT *; `refers` names the record types whose name BUILTIN.DF shows for a column."""

    columns: tuple[str, ...]
    rows: Callable[[Book], Iterator[Row]]
    refers: dict[str, tuple[str, ...]]


def ledger_of(book: Book, record: Body) -> list[Posting]:
    """The postings of a transaction."""
    base = book.records["subsidiary"][record["subsidiary"]]["currency"]
    return postings(
        record,
        item_account=lambda id_: _account_of(book.item(id_)),
        picked=lambda id_: signed_amount(book, id_),
        base_precision=book.precision(base),
    )


def _account_of(item: Body) -> str:
    return str(item.get("incomeAccount") or item["account"])


def _number(value: Any) -> Value:
    return None if value is None else Decimal(value)


def _day(value: str | None) -> Value:
    return None if value is None else date.fromisoformat(value[:10])


def _flag(value: object) -> str:
    return "T" if value else "F"


def _party(record: Body) -> Value:
    return _number(record.get(PARTY.get(record["type"], ""), None))


def _transactions(book: Book) -> Iterator[Row]:
    for record in book.transactions():
        main = ledger_of(book, record)[0]
        open_amount = (
            remaining(book, record) if record["type"] in ("invoice", "creditMemo", "customerPayment") else None
        )
        amount = main.amount if record["type"] != "journalEntry" else None
        yield {
            "id": _number(record["id"]),
            "type": RECORDS[record["type"]].code,
            "recordtype": record["type"].lower(),
            "tranid": record["tranId"],
            "externalid": record.get("externalId"),
            "entity": _party(record),
            "status": status_of(book, record)[0],
            "trandate": _day(record["tranDate"]),
            "duedate": _day(record.get("dueDate")),
            "postingperiod": _number(record["postingPeriod"]),
            "posting": "T",
            "voided": "F",
            "currency": _number(record["currency"]),
            "exchangerate": record["exchangeRate"],
            "foreigntotal": amount,
            "foreignamountunpaid": open_amount if record["type"] == "invoice" else None,
            "foreignamountpaid": main.amount - (open_amount or 0) if record["type"] == "invoice" else None,
            "foreignpaymentamountunused": open_amount if record["type"] != "invoice" else None,
            "memo": record.get("memo"),
            "otherrefnum": record.get("otherRefNum"),
            "createddate": _day(record["createdDate"]),
            "lastmodifieddate": _day(record["lastModifiedDate"]),
        }


def _lines(book: Book) -> Iterator[Row]:
    for record in book.transactions():
        for posting in ledger_of(book, record):
            source = posting.source or {}
            quantity = source.get("quantity")
            sign = -1 if record["type"] == "invoice" else 1
            yield {
                "transaction": _number(record["id"]),
                "id": _number(posting.line),
                "linesequencenumber": _number(posting.line),
                "uniquekey": _number(source.get("lineUniqueKey")),
                "mainline": _flag(posting.line == 0),
                "taxline": "F",
                "item": _number(source.get("item")),
                "itemtype": RECORDS[book.item(source["item"])["type"]].code if source.get("item") else None,
                "quantity": None if quantity is None else sign * quantity,
                "rate": source.get("rate"),
                "foreignamount": posting.amount,
                "netamount": posting.base,
                "memo": source.get("description") or source.get("memo") or record.get("memo"),
                "entity": _party(record),
                "subsidiary": _number(record["subsidiary"]),
                "revrecstartdate": _day(source.get("revRecStartDate")),
                "revrecenddate": _day(source.get("revRecEndDate")),
            }


def _accounting_lines(book: Book) -> Iterator[Row]:
    for record in book.transactions():
        for posting in ledger_of(book, record):
            yield {
                "transaction": _number(record["id"]),
                "transactionline": _number(posting.line),
                "accountingbook": Decimal(1),
                "account": _number(posting.account),
                "amount": posting.base,
                "debit": posting.base if posting.base > 0 else None,
                "credit": -posting.base if posting.base < 0 else None,
                "exchangerate": record["exchangeRate"],
                "posting": "T",
            }


def _links(book: Book) -> Iterator[Row]:
    for record in book.transactions():
        for line in record["lines"].get("apply", ()):
            yield _link(line["doc"], record, "Payment", line["amount"])
        for line in record["lines"].get("payment", ()):
            yield _link(line["id"], record, "DepositPayment", signed_amount(book, line["id"])[1])


def _link(before: str, after: Body, kind: str, amount: Decimal) -> Row:
    return {"previousdoc": Decimal(before), "nextdoc": Decimal(after["id"]), "linktype": kind, "foreignamount": amount}


def _relationships(book: Book) -> Iterator[Row]:
    for customer in book.records["customer"].values():
        own: Row = {
            "entity": Decimal(customer["id"]),
            "subsidiary": Decimal(customer["subsidiary"]),
            "isprimarysub": "T",
        }
        yield {"id": None, "externalid": None, **own}
    for one in book.records["customerSubsidiaryRelationship"].values():
        other: Row = {"entity": Decimal(one["entity"]), "subsidiary": Decimal(one["subsidiary"]), "isprimarysub": "F"}
        yield {"id": Decimal(one["id"]), "externalid": one.get("externalId"), **other}


def _of(*kinds: str, **columns: str) -> Callable[[Book], Iterator[Row]]:
    """Rows straight from records: each column from a field, by the field's kind."""

    def rows(book: Book) -> Iterator[Row]:
        for kind in kinds:
            fields = RECORDS[kind].fields
            for record in sorted(book.records[kind].values(), key=lambda one: int(one["id"])):
                row: Row = {"id": Decimal(record["id"])}
                for column, name in columns.items():
                    value = record.get(name)
                    shape = fields[name].kind if name in fields else "text"
                    match shape:
                        case "boolean":
                            row[column] = _flag(value)
                        case "ref" | "integer" | "number":
                            row[column] = _number(value)
                        case "date" | "instant":
                            row[column] = _day(value)
                        case _:
                            row[column] = value
                if kind in ITEMS:
                    row["itemtype"] = RECORDS[kind].code
                yield row

    return rows


def _table(columns: str, rows: Callable[[Book], Iterator[Row]], **refers: tuple[str, ...]) -> Table:
    return Table(tuple(columns.split()), rows, refers)


_CUSTOMER = ("customer",)
_SUBSIDIARY, _CURRENCY, _ACCOUNT = ("subsidiary",), ("currency",), ("account",)
TABLES: dict[str, Table] = {
    "transaction": _table(
        "id type recordtype tranid externalid entity status trandate duedate postingperiod posting voided currency "
        "exchangerate foreigntotal foreignamountunpaid foreignamountpaid foreignpaymentamountunused memo otherrefnum "
        "createddate lastmodifieddate",
        _transactions,
        entity=_CUSTOMER,
        currency=_CURRENCY,
        postingperiod=("accountingPeriod",),
    ),
    "transactionline": _table(
        "transaction id linesequencenumber uniquekey mainline taxline item itemtype quantity rate foreignamount "
        "netamount memo entity subsidiary revrecstartdate revrecenddate",
        _lines,
        entity=_CUSTOMER,
        subsidiary=_SUBSIDIARY,
        item=ITEMS,
    ),
    "transactionaccountingline": _table(
        "transaction transactionline accountingbook account amount debit credit exchangerate posting",
        _accounting_lines,
        account=_ACCOUNT,
    ),
    "nexttransactionlinelink": _table("previousdoc nextdoc linktype foreignamount", _links),
    "customer": _table(
        "id entityid externalid companyname firstname lastname isperson email currency terms isinactive datecreated "
        "lastmodifieddate",
        _of(
            "customer",
            entityid="entityId",
            externalid="externalId",
            companyname="companyName",
            firstname="firstName",
            lastname="lastName",
            isperson="isPerson",
            email="email",
            currency="currency",
            terms="terms",
            isinactive="isInactive",
            datecreated="createdDate",
            lastmodifieddate="lastModifiedDate",
        ),
        currency=_CURRENCY,
        terms=("term",),
    ),
    "customersubsidiaryrelationship": _table(
        "id externalid entity subsidiary isprimarysub", _relationships, entity=_CUSTOMER, subsidiary=_SUBSIDIARY
    ),
    "item": _table(
        "id itemid externalid itemtype displayname incomeaccount isinactive",
        _of(
            *ITEMS,
            itemid="itemId",
            externalid="externalId",
            displayname="displayName",
            incomeaccount="incomeAccount",
            isinactive="isInactive",
        ),
        incomeaccount=_ACCOUNT,
    ),
    "account": _table(
        "id acctnumber fullname accttype currency isinactive",
        _of(
            "account",
            acctnumber="acctNumber",
            fullname="acctName",
            accttype="acctType",
            currency="currency",
            isinactive="isInactive",
        ),
        currency=_CURRENCY,
    ),
    "subsidiary": _table(
        "id name country currency parent isinactive",
        _of(
            "subsidiary", name="name", country="country", currency="currency", parent="parent", isinactive="isInactive"
        ),
        currency=_CURRENCY,
        parent=_SUBSIDIARY,
    ),
    "currency": _table(
        "id name symbol currencyprecision isinactive",
        _of("currency", name="name", symbol="symbol", currencyprecision="currencyPrecision", isinactive="isInactive"),
    ),
    "accountingperiod": _table(
        "id periodname startdate enddate closed arlocked alllocked",
        _of(
            "accountingPeriod",
            periodname="periodName",
            startdate="startDate",
            enddate="endDate",
            closed="closed",
            arlocked="arLocked",
            alllocked="allLocked",
        ),
    ),
    "term": _table("id name daysuntilnetdue", _of("term", name="name", daysuntilnetdue="daysUntilNetDue")),
}


def shown_name(book: Book, table: str, column: str, value: Value) -> Value:
    """What BUILTIN.DF shows for a column's value: the name behind an id or a code, else the value itself."""
    if value is None:
        return None
    if table == "transaction" and column in ("type", "recordtype"):
        return next(one.label for one in RECORDS.values() if value in (one.code, one.name.lower()))
    kinds = TABLES[table].refers.get(column)
    record = book.find(kinds, str(value)) if kinds else None
    return value if record is None else name_of(record)
