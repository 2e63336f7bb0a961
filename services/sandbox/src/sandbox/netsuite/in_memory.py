"""For tests: an account in memory, without HTTP, signature or database; requests go in as the front has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.documents import decode, encoder
from sandbox.netsuite.auth.access import Caller
from sandbox.netsuite.auth.credentials import Role
from sandbox.netsuite.company import adopt, read_company, set_up
from sandbox.netsuite.errors import NetSuiteError
from sandbox.netsuite.operations import RECORD, SUITEQL, Work
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.saving import Order
from sandbox.netsuite.replies import Reply, Request, refusal
from sandbox.netsuite.routes import carry_out

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
STRICT = {"content-type": "application/json", "x-netsuite-propertynamevalidation": "Error", "prefer": "transient"}


class Kept:
    """Documents that are kept as text, as the table keeps them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {}

    def put(self, kind: str, id_: str, body: Any) -> None:
        self.rows[kind, id_] = encoder.encode(body).decode()

    def remove(self, kind: str, id_: str) -> None:
        del self.rows[kind, id_]


class Account:
    """The example company's books."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.caller = Caller("test", Role())
        self.book = Book(self.kept)  # type: ignore[arg-type]  # the two methods that it calls
        set_up(self.book, read_company(None), self.kept)  # type: ignore[arg-type]

    def again(self) -> Book:
        """The books as they would be after a restart."""
        book = Book(self.kept)  # type: ignore[arg-type]
        for (kind, id_), body in self.kept.rows.items():
            if kind != "company":
                book.load(kind, id_, decode(body))
        adopt(book, read_company(None))
        return book

    def send(self, method: str, path: str, body: Any = None, query: str = "") -> Reply:
        """One request; a refusal is an answer."""
        request = Request(method, path, query, "http://test", STRICT, encoder.encode(body))
        try:
            return carry_out(Work(self.book, self.caller, Order(NOW), 5), request)
        except NetSuiteError as error:
            return refusal(error)

    def record(self, method: str, path: str, body: Any = None, query: str = "") -> Reply:
        """A request about records."""
        return self.send(method, f"{RECORD}/{path}", body, query)

    def save(self, path: str, body: Any, query: str = "") -> None:
        """An upsert that must be taken."""
        reply = self.record("PUT", path, body, query)
        assert reply.status == 204, reply.body

    def rows(self, q: str, *params: Any) -> list[dict[str, str]]:
        """The rows of a query, up to the first thousand."""
        reply = self.send("POST", SUITEQL, {"q": q, "params": list(params)})
        assert reply.status == 200, reply.body
        return [{name: value for name, value in row.items() if name != "links"} for row in decode(reply.body)["items"]]

    def stocked(self) -> Account:
        """With a customer in dollars and yen, and an item."""
        currencies = {"items": [{"currency": {"id": "4"}}]}
        self.save("customer/eid:cus", {"companyName": "A", "subsidiary": {"id": "1"}, "currencyList": currencies})
        self.save("serviceSaleItem/eid:item", {"itemId": "item", "incomeAccount": {"id": "40"}})
        return self
