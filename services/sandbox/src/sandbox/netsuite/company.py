"""
The company that an account keeps books for: what an administrator sets up before any integration writes a record.

It comes from a JSON file, or by a control path; `company.json` beside this module is an example, used where no file
is named. What it holds is read-only through the REST surface.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chassis.errors import WrongSetting
from event_schemas.sentences import sentence
from sandbox.documents import Body, Documents
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import RECORDS

EXAMPLE = Path(__file__).parent / "company.json"
KIND = "company"
Id = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subsidiary(_Row):
    """A legal entity with a currency of its own."""

    id: Id
    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    currency: Id
    parent: Id | None = None


class Currency(_Row):
    """A currency and its decimals."""

    id: Id
    name: str
    symbol: str = Field(pattern=r"^[A-Z]{3}$")
    precision: int = Field(2, ge=0, le=4)


class Account(_Row):
    """An account of the ledger. Without subsidiaries it serves all, without a currency every one."""

    id: Id
    number: str
    name: str
    type: str = Field(
        pattern=r"^(AcctRec|Bank|UnDepFunds|Income|OthIncome|Expense|OthExpense|OthCurrLiab|DeferRevenue"
        r"|OthCurrAsset|Equity)$"
    )
    currency: Id | None = None
    subsidiaries: tuple[Id, ...] = ()
    inactive: bool = False


class Term(_Row):
    """Terms of payment."""

    id: Id
    name: str
    days: int = Field(ge=0, le=365)


class Periods(_Row):
    """Months that are accounting periods; all open until somebody closes them."""

    first: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    months: int = Field(ge=1, le=240)


class Company(_Row):
    """
    The whole setup.

    `rates`: how much one unit of a currency is in another (by id), for transactions that do not say it.
    `mandatory`: by subsidiary and record type the fields that its form asks for.
    """

    subsidiaries: tuple[Subsidiary, ...] = Field(min_length=1)
    currencies: tuple[Currency, ...] = Field(min_length=1)
    accounts: tuple[Account, ...] = Field(min_length=1)
    terms: tuple[Term, ...] = ()
    periods: Periods
    rates: dict[Id, dict[Id, Annotated[Decimal, Field(gt=0)]]] = {}
    mandatory: dict[Id, dict[str, tuple[str, ...]]] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        currencies, subsidiaries = {one.id for one in self.currencies}, {one.id for one in self.subsidiaries}
        named = {one.currency for one in self.subsidiaries} | {one.currency for one in self.accounts if one.currency}
        if strange := named - currencies:
            raise ValueError(f"currency {min(strange)} is named, and is not among the currencies")
        named = {id_ for one in self.accounts for id_ in one.subsidiaries} | set(self.mandatory)
        named |= {one.parent for one in self.subsidiaries if one.parent}
        if strange := named - subsidiaries:
            raise ValueError(f"subsidiary {min(strange)} is named, and is not among the subsidiaries")
        for kind, names in ((kind, names) for asked in self.mandatory.values() for kind, names in asked.items()):
            if kind not in RECORDS or set(names) - RECORDS[kind].fields.keys():
                raise ValueError(f"mandatory names {kind} with {', '.join(names)}: no such record or field")
        return self


def read_company(file: str | None) -> Company:
    """The company of a file, or the example. Raises WrongSetting where the file is not there or not sound."""
    try:
        return Company.model_validate_json(Path(file or EXAMPLE).read_text())
    except (OSError, UnicodeDecodeError):
        raise WrongSetting(f"NETSUITE_COMPANY_FILE: {file} is not a file that this process can read") from None
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise WrongSetting(f"NETSUITE_COMPANY_FILE: {sentence(fault, name=name, missing='is missing')}") from None


def set_up(book: Book, company: Company, documents: Documents) -> None:
    """Bring the book's setup records to what the company says; periods keep whether they are closed."""
    documents.put(KIND, KIND, company.model_dump(mode="json"))
    for row in (*_rows(company), *_periods(company.periods)):
        old = book.get(row["type"], row["id"])
        if row["type"] == "accountingPeriod" and old is not None:
            continue
        if row != old:
            book.put(row)
    adopt(book, company)


def adopt(book: Book, company: Company) -> None:
    """Take over what is no record: rates and mandatory fields."""
    book.rules = {"rates": company.rates, "mandatory": {k: dict(v) for k, v in company.mandatory.items()}}


def _rows(company: Company) -> Iterator[Body]:
    for currency in company.currencies:
        yield _row(
            "currency",
            currency.id,
            name=currency.name,
            symbol=currency.symbol,
            currencyPrecision=currency.precision,
            isInactive=False,
        )
    for one in company.subsidiaries:
        yield _row(
            "subsidiary",
            one.id,
            name=one.name,
            country=one.country,
            currency=one.currency,
            parent=one.parent,
            isInactive=False,
        )
    for account in company.accounts:
        yield _row(
            "account",
            account.id,
            acctNumber=account.number,
            acctName=account.name,
            acctType=account.type,
            currency=account.currency,
            subsidiaries=list(account.subsidiaries),
            isInactive=account.inactive,
        )
    for term in company.terms:
        yield _row("term", term.id, name=term.name, daysUntilNetDue=term.days)


def _row(kind: str, id_: str, **fields: object) -> Body:
    return {
        "id": id_,
        "type": kind,
        "lines": {},
        **{name: value for name, value in fields.items() if value is not None},
    }


def _periods(periods: Periods) -> Iterator[Body]:
    """One period for each month. Its id is the year and month, as 202611, so that adding months renames none."""
    year, month = (int(part) for part in periods.first.split("-"))
    for _ in range(periods.months):
        following = (year + month // 12, month % 12 + 1)
        end = date.fromordinal(date(*following, 1).toordinal() - 1)
        yield _row(
            "accountingPeriod",
            f"{year}{month:02}",
            periodName=f"{_MONTHS[month - 1]} {year}",
            startDate=date(year, month, 1).isoformat(),
            endDate=end.isoformat(),
            closed=False,
            arLocked=False,
            allLocked=False,
        )
        year, month = following
