"""The tables of SuiteQL that are carried out, each made from the records at the moment of the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import ITEMS, RECORDS
from sandbox.netsuite.records.showing import name_of
from sandbox.netsuite.suiteql.ledger_tables import (
    Row,
    accounting_lines,
    lines,
    links,
    to_day,
    to_flag,
    to_value,
    transactions,
)
from sandbox.netsuite.suiteql.tree import Value


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` in the order of SELECT *; `refers` names the record types whose name BUILTIN.DF shows for a column."""

    columns: tuple[str, ...]
    rows: Callable[[Book], Iterator[Row]]
    refers: dict[str, tuple[str, ...]]


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
                            row[column] = to_flag(value)
                        case "ref" | "integer" | "number":
                            row[column] = to_value(value)
                        case "date" | "instant":
                            row[column] = to_day(value)
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
        transactions,
        entity=_CUSTOMER,
        currency=_CURRENCY,
        postingperiod=("accountingPeriod",),
    ),
    "transactionline": _table(
        "transaction id linesequencenumber uniquekey mainline taxline item itemtype quantity rate foreignamount "
        "netamount memo entity subsidiary revrecstartdate revrecenddate",
        lines,
        entity=_CUSTOMER,
        subsidiary=_SUBSIDIARY,
        item=ITEMS,
    ),
    "transactionaccountingline": _table(
        "transaction transactionline accountingbook account amount debit credit exchangerate posting",
        accounting_lines,
        account=_ACCOUNT,
    ),
    "nexttransactionlinelink": _table("previousdoc nextdoc linktype foreignamount", links),
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
