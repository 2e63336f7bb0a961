"""What carrying out any request takes: the memory, the table of jurisdictions, the account, the switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from sandbox.avatax import errors, json_numbers
from sandbox.avatax.account import Account, Company
from sandbox.avatax.answers import Answers
from sandbox.avatax.domain.table import Table
from sandbox.avatax.fields import Fields
from sandbox.avatax.state import Body, State
from sandbox.faults import Faults

TYPES = ("SalesInvoice", "ReturnInvoice", "SalesOrder", "ReturnOrder")


@dataclass(slots=True)
class Desk:
    """Where requests are worked on."""

    state: State
    table: Table
    account: Account
    answers: Answers
    faults: Faults
    most_lines: int

    def company(self, code: str | None) -> tuple[int, Company]:
        """A company by its code, or the account's default. Raises AvaTaxError where there is none."""
        if code is None:
            found = next((each for each in self.state.companies.values() if each[1].default), None)
        else:
            found = self.state.companies.get(code)
        if found is None:
            why = "The company code is not known." if code else "The account has no default company."
            raise errors.tax_error("Company not found.  Verify the CompanyCode.", why, "CompanyCode")
        return found

    def company_in_path(self, code: str) -> tuple[int, Company]:
        """A company that a path names. Raises AvaTaxError 404 where there is none."""
        found = self.state.companies.get(code)
        if found is None:
            raise errors.not_found("Company", "code", code)
        return found

    def needs(self, service: str) -> None:
        """Raises AvaTaxError where the account has not bought the service."""
        if service not in self.account.services:
            raise errors.not_bought(service)


@dataclass(slots=True)
class Call:
    """One request, read whole: the parts of its path that name something, its query, its body."""

    ids: tuple[str, ...]
    query: dict[str, str]
    raw: bytes
    user: str
    caller: str | None = None  # how the caller authenticated; None: not at all

    def ask(self, name: str) -> str | None:
        """A query parameter, in any case."""
        return next((value for key, value in self.query.items() if key.lower() == name.lower()), None)

    def include(self) -> frozenset[str] | None:
        """What `$include` asks for, in lower case; None where it is not there."""
        text = self.ask("$include")
        return None if text is None else frozenset(part.strip().lower() for part in text.split(",") if part.strip())

    def fields(self, desk: Desk) -> Fields:
        """The body. Raises AvaTaxError where it is no JSON object."""
        try:
            read: Any = json_numbers.decode(self.raw or b"null")
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise errors.malformed("body", self.raw[:40].decode("utf-8", "replace"), "JSON object") from None
        if read is None:
            raise errors.required("model")
        return Fields(read, strict=desk.answers.unknown_fields == "refused")

    def document_type(self) -> str:
        """The query's `documentType`; without one SalesInvoice, as documented."""
        asked = self.ask("documentType")
        if asked is None:
            return "SalesInvoice"
        found = next((each for each in TYPES if each.lower() == asked.lower()), None)
        if found is None:
            raise errors.malformed("documentType", asked, "DocumentType")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call comes to: a document to be shown as `$include` wants, or a body as it is."""

    body: Body
    document: bool = False
    status: int = 200


def found_document(desk: Desk, call: Call) -> tuple[Company, Body]:
    """The newest version of the document that a path names. Raises AvaTaxError 404 where there is none."""
    company_id, company = desk.company_in_path(call.ids[0])
    code, type_ = call.ids[1], call.document_type()
    body = desk.state.find((company_id, code, type_))
    if body is None:
        raise errors.not_found("Transaction", "code", code)
    if desk.faults.strike("document_locked", f"/{code}") is not None:
        body["locked"] = True
        desk.state.put(body)
    return company, body
