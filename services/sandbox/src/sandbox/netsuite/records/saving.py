"""Create, change, upsert and delete: what is given is merged with what stands, checked whole, then kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from event_schemas.times import iso
from sandbox.documents import Body
from sandbox.netsuite.errors import content, user_error
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import GROUPS, RECORDS
from sandbox.netsuite.records.lines import merged
from sandbox.netsuite.records.reading import Given
from sandbox.netsuite.records.rules.common import check_open
from sandbox.netsuite.records.rules.context import Saving
from sandbox.netsuite.records.rules.masters import settle_customer_record, settle_item, settle_relationship
from sandbox.netsuite.records.rules.money import settle_deposit, settle_journal, settle_payment, settle_refund
from sandbox.netsuite.records.rules.sales import settle_credit_memo, settle_invoice
from sandbox.netsuite.records.types import Field, RecordType

_RULES: dict[str, Callable[[Saving], None]] = {
    "customer": settle_customer_record,
    "customerSubsidiaryRelationship": settle_relationship,
    "invoice": settle_invoice,
    "creditMemo": settle_credit_memo,
    "customerPayment": settle_payment,
    "customerRefund": settle_refund,
    "deposit": settle_deposit,
    "journalEntry": settle_journal,
    "serviceSaleItem": settle_item,
    "nonInventorySaleItem": settle_item,
    "otherChargeSaleItem": settle_item,
    "discountItem": settle_item,
}


@dataclass(frozen=True, slots=True)
class Order:
    """
    How to save. `replace` names sublists that are to be what the body says, and, with `resets`, fields that the body
    leaves out and that go back to nothing. `most_lines` bounds the lines of a new record's list. `workflow` is what an
    account's own script does to the draft after the rules.
    """

    now: datetime
    replace: frozenset[str] = frozenset()
    resets: bool = False
    may_override: bool = False
    most_lines: int = 200
    workflow: Callable[[Body], None] | None = None


def create(book: Book, kind: RecordType, given: Given, order: Order, *, external: str | None = None) -> Body:
    """A new record, kept. `external` is the id of an upsert. Raises NetSuiteError, and then nothing has changed."""
    if external is not None and given.fields.setdefault("externalId", external) != external:
        raise content("The external ID of the body is not the one of the URL.", "externalId")
    _check_external(book, kind, given.fields.get("externalId"), None)
    draft: Body = {"id": book.new_id(kind.name), "type": kind.name, "createdDate": iso(order.now), "lines": {}}
    return _save(book, kind, draft, None, given, order)


def change(book: Book, kind: RecordType, old: Body, given: Given, order: Order) -> Body:
    """The record with what is given, kept. Raises NetSuiteError, and then nothing has changed."""
    for name, value in given.fields.items():
        if kind.fields[name].fixed and value != old.get(name):
            raise user_error(f"The field {kind.fields[name].label} cannot change once the record is saved.", name)
    _check_external(book, kind, given.fields.get("externalId"), old["id"])
    return _save(book, kind, copy.deepcopy(old), old, given, order)


def _save(book: Book, kind: RecordType, draft: Body, old: Body | None, given: Given, order: Order) -> Body:
    if order.resets:
        for name in order.replace & kind.fields.keys() - given.fields.keys():
            draft.pop(name, None)
    draft.update(given.fields)
    for name, lines in given.lines.items():
        standing = draft["lines"].get(name, [])
        wanted = merged(name, kind.sublists[name], standing, lines, replace=name in order.replace)
        if len(wanted) > order.most_lines and len(wanted) > len(standing):
            raise user_error(f"The record has more than the maximum number ({order.most_lines}) of lines.", name)
        draft["lines"][name] = wanted
    _RULES[kind.name](Saving(book, draft, old, order.now, order.may_override))
    if order.workflow is not None:
        order.workflow(draft)
    record = {name: value for name, value in draft.items() if value is not None}
    record["lastModifiedDate"] = iso(order.now)
    for line in record["lines"].get("item", ()):
        if "lineUniqueKey" not in line:
            line["lineUniqueKey"] = book.new_line_key()
    book.put(record)
    return record


def _check_external(book: Book, kind: RecordType, external: str | None, own_id: str | None) -> None:
    holder = book.by_external(GROUPS[kind.name], external) if external else None
    if holder is not None and holder[1] != own_id:
        what = "entity" if GROUPS[kind.name] == "entity" else "record"
        raise user_error(f"This {what} already exists.", "externalId")


def delete(book: Book, record: Body, order: Order) -> None:
    """Take a record away. Raises NetSuiteError where others hold on to it, or its period is closed."""
    group, id_ = GROUPS[record["type"]], record["id"]
    if group == "transaction":
        check_open(Saving(book, record, record, order.now, order.may_override), record)
        if book.applied_to(id_) or book.deposit_of(id_) is not None:
            raise user_error("This transaction cannot be deleted because it is linked to by other transactions.")
    elif _is_used(book, record["type"], id_):
        raise user_error("This record cannot be deleted because it has dependent records.")
    book.delete(record)


def _is_used(book: Book, kind: str, id_: str) -> bool:
    """Whether any record refers to one, in a field or a line."""
    for name, held in book.records.items():
        fields, sublists = _referring(RECORDS[name].fields, kind), RECORDS[name].sublists
        lines = {sublist: _referring(one.fields, kind) for sublist, one in sublists.items()}
        for record in held.values():
            if any(record.get(field) == id_ for field in fields):
                return True
            if any(
                line.get(field) == id_ for at in lines for line in record["lines"].get(at, ()) for field in lines[at]
            ):
                return True
    return False


def _referring(fields: dict[str, Field], kind: str) -> list[str]:
    return [name for name, field in fields.items() if kind in field.to]


def drifted(book: Book) -> Callable[[Body], None]:
    """The fault `total_changed`: an account's own script adds one minor unit to the last line of what is saved."""

    def meddle(draft: Body) -> None:
        if draft["lines"].get("item"):
            line = draft["lines"]["item"][-1]
            line["amount"] += Decimal(1).scaleb(-book.precision(draft["currency"]))

    return meddle
