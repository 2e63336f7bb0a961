"""What transactions have in common: customer, subsidiary, currency, date and period, and the accounts that fit them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.documents import Body
from sandbox.netsuite.errors import content, invalid_value, missing, user_error
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.records.rules.context import Saving

_HIGHEST_RATE = 1_000_000
CLOSED = (
    "You cannot create, change or delete this transaction: its posting period {name} is closed or locked for the "
    "role (TRAN_PRD_CLOSED)."
)


def require(saving: Saving, *fields: str) -> None:
    """Raise where a mandatory field has no value."""
    kind = RECORDS[saving.draft["type"]]
    for name in fields:
        if saving.draft.get(name) in (None, ""):
            raise missing(kind.fields[name].label, name)


def subsidiaries_of(book: Book, customer: Body) -> list[str]:
    """A customer's primary subsidiary, then its secondary ones."""
    links = book.records["customerSubsidiaryRelationship"].values()
    return [customer["subsidiary"], *(one["subsidiary"] for one in links if one["entity"] == customer["id"])]


def settle_customer(saving: Saving, field: str) -> Body:
    """Check customer, subsidiary and currency against one another, with the customer's as defaults; the customer."""
    require(saving, field)
    book, draft = saving.book, saving.draft
    customer = book.records["customer"][draft[field]]
    if customer.get("isInactive") and saving.old is None:
        raise invalid_value(customer["id"], field, field)
    saving.default("subsidiary", customer["subsidiary"])
    saving.default("currency", customer["currency"])
    if draft["subsidiary"] not in subsidiaries_of(book, customer):
        said = f"Invalid {field} reference key {customer['id']} for subsidiary {draft['subsidiary']}."
        raise user_error(said, "subsidiary")
    if draft["currency"] not in [line["currency"] for line in customer["lines"]["currencyList"]]:
        said = f"Invalid currency reference key {draft['currency']} for {field} {customer['id']}."
        raise user_error(said, "currency")
    return customer


def settle_transaction(saving: Saving) -> None:
    """Date, period, rate, number and what the subsidiary's form asks for; called when subsidiary and currency stand."""
    book, draft = saving.book, saving.draft
    saving.default("tranDate", saving.now.date().isoformat())
    if saving.changed("tranDate", "postingPeriod"):
        same_period = saving.old is not None and draft.get("postingPeriod") == saving.old.get("postingPeriod")
        if draft.get("postingPeriod") is None or same_period:
            draft["postingPeriod"] = period_of(book, draft["tranDate"])
    check_open(saving, draft)
    if saving.old is not None:
        check_open(saving, saving.old)
    _settle_rate(saving)
    saving.default("tranId", f"{RECORDS[draft['type']].code.upper()}{draft['id']}")
    require(saving, *book.mandatory(draft["subsidiary"], draft["type"]))


def _settle_rate(saving: Saving) -> None:
    book, draft = saving.book, saving.draft
    base = book.records["subsidiary"][draft["subsidiary"]]["currency"]
    if draft.get("exchangeRate") is None:
        rate = Decimal(1) if base == draft["currency"] else book.rules["rates"].get(draft["currency"], {}).get(base)
        if rate is None:
            raise missing("Exchange Rate", "exchangeRate")
        draft["exchangeRate"] = Decimal(rate)
    if not 0 < draft["exchangeRate"] < _HIGHEST_RATE or (base == draft["currency"] and draft["exchangeRate"] != 1):
        raise invalid_value(draft["exchangeRate"], "exchangeRate", "exchangeRate")


def period_of(book: Book, day: str) -> str:
    """The internal id of the accounting period of a day."""
    for id_, period in book.records["accountingPeriod"].items():
        if period["startDate"] <= day <= period["endDate"]:
            return id_
    said = f"The transaction date {day} is not within the date range of any accounting period (INVALID_PERIOD)."
    raise user_error(said, "tranDate")


def check_open(saving: Saving, record: Body) -> None:
    """
    Raise where the period of a transaction takes no change from this role (assumption N2).

    A/R locking holds for what goes through Accounts Receivable: all but bank deposits and journals.
    """
    period = saving.book.records["accountingPeriod"][record["postingPeriod"]]
    receivable = record["type"] not in ("deposit", "journalEntry")
    shut = period["closed"] or period["allLocked"] or (period["arLocked"] and receivable)
    if shut and not saving.may_override:
        code = "USER_ERROR" if saving.book.answers.closed_period == "user_error" else "TRAN_PRD_CLOSED"
        raise user_error(CLOSED.format(name=period["periodName"]), "postingPeriod", code=code)


def fits(book: Book, row: Body, subsidiary: str) -> bool:
    """Whether an account or item may be used in a subsidiary."""
    allowed: list[str] = row.get("subsidiaries") or ([row["subsidiary"]] if row.get("subsidiary") else [])
    if not allowed or subsidiary in allowed:
        return True
    parent = book.records["subsidiary"][subsidiary].get("parent")
    return bool(row.get("includeChildren") and parent and fits(book, row, parent))


def settle_account(
    saving: Saving, field: str, *types: str, path: str | None = None, account: str | None = None
) -> None:
    """Check that an account is active, of one of some types, of the subsidiary, and of the currency if it has one."""
    book, draft = saving.book, saving.draft
    id_, place = account or draft[field], path or field
    row = book.records["account"][id_]
    if row.get("isInactive") or (types and row["acctType"] not in types):
        raise invalid_value(id_, field, place)
    if not fits(book, row, draft["subsidiary"]):
        name = book.records["subsidiary"][draft["subsidiary"]]["name"]
        raise user_error(f"The {row['acctName']} account cannot be used with the {name} subsidiary.", place)
    if row.get("currency") not in (None, draft["currency"]):
        said = f"The {row['acctName']} account is in another currency than the transaction (MISMATCHED_CURRENCY)."
        raise user_error(said, place)


def default_account(saving: Saving, field: str, *, kind: str, label: str) -> None:
    """Fill in the first account of a type that fits subsidiary and currency."""
    if saving.draft.get(field) is not None:
        return
    for id_, row in saving.book.records["account"].items():
        right = row["acctType"] == kind and not row.get("isInactive")
        suits = row.get("currency") in (None, saving.draft["currency"])
        if right and suits and fits(saving.book, row, saving.draft["subsidiary"]):
            saving.draft[field] = id_
            return
    raise missing(label, field)


def check_order(draft: Body, first: str, last: str, path: str = "") -> None:
    """Raise where a span ends before it begins."""
    if draft.get(first) and draft.get(last) and draft[first] > draft[last]:
        raise content(f"The field {last} lies before {first}.", f"{path}{last}")


def due_date(book: Book, terms: str | None, day: str) -> str:
    """When an invoice of a day is due; the same day without terms."""
    days = 0 if terms is None else book.records["term"][terms]["daysUntilNetDue"]
    return date.fromordinal(date.fromisoformat(day).toordinal() + days).isoformat()
