"""Random histories of billing: the ledger balances, SuiteQL's sums are those of a model of whole cents."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.netsuite.in_memory import Account
from sandbox.netsuite.records.showing import computed
from sandbox.netsuite.suiteql.ledger_tables import ledger_of

CUSTOMER = {"externalId": "cus"}
CENTS = {"1": 2, "4": 0}  # decimals of dollar and yen
STEP = st.tuples(
    st.sampled_from(
        ["invoice", "credit", "payment", "refund", "deposit", "edit", "delete", "unapply", "again", "restart"]
    ),
    st.integers(1, 50),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 50),
)


@dataclass
class Document:
    """A document of the model, in minor units."""

    kind: str
    currency: str
    amount: int
    applies: dict[str, int] = field(default_factory=dict)
    picks: tuple[str, ...] = ()


class Model:
    """What should be there, kept in whole minor units; it knows nothing of records."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def left(self, name: str) -> int:
        taken = sum(one.applies.get(name, 0) for one in self.documents.values())
        return self.documents[name].amount - taken - sum(self.documents[name].applies.values())

    def of(self, *kinds: str) -> list[str]:
        return [name for name, one in self.documents.items() if one.kind in kinds]

    def picked(self) -> set[str]:
        return {name for one in self.documents.values() for name in one.picks}

    def held(self, name: str) -> bool:
        return name in self.picked() or any(name in one.applies for one in self.documents.values())

    def signed(self) -> dict[tuple[str, str], int]:
        """(type, currency) -> sum of foreigntotal (N12)."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        code = {"invoice": "CustInvc", "creditMemo": "CustCred", "customerPayment": "CustPymt"}
        code |= {"customerRefund": "CustRfnd", "deposit": "Deposit"}
        for one in self.documents.values():
            sign = -1 if one.kind in ("creditMemo", "customerRefund") else 1
            sums[code[one.kind], one.currency] += sign * one.amount
        return dict(sums)


class History:
    """Carries out steps on an account and on the model, and holds every answer against what the model expects."""

    def __init__(self) -> None:
        self.account, self.model, self.made = Account().stocked(), Model(), 0

    def money(self, minor: int, currency: str) -> Decimal:
        return Decimal(minor).scaleb(-CENTS[currency])

    def expect(self, method: str, path: str, body: Any, *, taken: bool, query: str = "") -> bool:
        reply = self.account.record(method, path, body, query)
        assert (reply.status == 204) is taken, (path, body, taken, reply.body)
        return taken

    def step(self, kind: str, amount: int, one: int, other: int, second: int) -> None:
        self.made += 1
        getattr(self, f"do_{kind}")(f"{kind}_{self.made}", amount, one, other, second)

    def line(self, amount: int, currency: str) -> dict[str, Any]:
        return {"item": {"externalId": "item"}, "amount": self.money(amount, currency)}

    def chosen(self, names: list[str], number: int) -> str | None:
        return names[number % len(names)] if names else None

    def do_invoice(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        currency = "4" if one == 0 else "1"
        lines = {"items": [self.line(amount, currency), self.line(second, currency)]}
        body = {"entity": CUSTOMER, "currency": {"id": currency}, "item": lines}
        self.expect("PUT", f"invoice/eid:{name}", body, taken=True)
        self.model.documents[name] = Document("invoice", currency, amount + second)

    def applying(self, target: str | None, amount: int, currency: str) -> dict[str, Any]:
        if target is None:
            return {}
        line = {"doc": {"externalId": target}, "apply": True, "amount": self.money(amount, currency)}
        return {"apply": {"items": [line]}}

    def may_apply(self, target: str | None, amount: int, available: int, currency: str) -> bool:
        if target is None:
            return True
        fits = self.model.documents[target].currency == currency
        return fits and amount <= self.model.left(target) and amount <= available

    def do_credit(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        target = self.chosen(self.model.of("invoice"), other)
        body = {"entity": CUSTOMER, "item": {"items": [self.line(amount, "1")]}, **self.applying(target, second, "1")}
        if self.expect("PUT", f"creditMemo/eid:{name}", body, taken=self.may_apply(target, second, amount, "1")):
            applies = {target: second} if target else {}
            self.model.documents[name] = Document("creditMemo", "1", amount, applies)

    def do_payment(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        target, currency = self.chosen(self.model.of("invoice"), other), "4" if one == 0 else "1"
        body = {
            "customer": CUSTOMER,
            "payment": self.money(amount, currency),
            "currency": {"id": currency},
            "undepFunds": True,
            **self.applying(target, second, currency),
        }
        taken = self.may_apply(target, second, amount, currency)
        if self.expect("PUT", f"customerPayment/eid:{name}", body, taken=taken):
            applies = {target: second} if target else {}
            self.model.documents[name] = Document("customerPayment", currency, amount, applies)

    def do_refund(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        target = self.chosen(self.model.of("creditMemo", "customerPayment"), other)
        if target is None:
            return
        body = {"customer": CUSTOMER, "account": {"id": "25"}, **self.applying(target, amount, "1")}
        if self.expect("PUT", f"customerRefund/eid:{name}", body, taken=self.may_apply(target, amount, amount, "1")):
            self.model.documents[name] = Document("customerRefund", "1", amount, {target: amount})

    def do_deposit(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        """Three payments or refunds, wherever they are, less a fee."""
        names = self.model.of("customerPayment", "customerRefund")
        picks = (
            tuple(dict.fromkeys(names[(one + step * (other + 1)) % len(names)] for step in range(3))) if names else ()
        )
        fee = {"account": {"id": "50"}, "amount": self.money(-second, "1")}
        lines = [{"id": {"externalId": pick}, "deposit": True} for pick in picks]
        body = {"account": {"id": "10"}, "payment": {"items": lines}, "other": {"items": [fee]}}
        dollars = all(self.model.documents[pick].currency == "1" for pick in picks)
        taken = dollars and not set(picks) & self.model.picked()
        if self.expect("PUT", f"deposit/eid:{name}", body, taken=taken):
            signs = {"customerPayment": 1, "customerRefund": -1}
            held = [self.model.documents[pick] for pick in picks]
            total = sum(signs[each.kind] * each.amount for each in held) - second
            self.model.documents[name] = Document("deposit", "1", total, picks=picks)

    def do_edit(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        """An invoice is written anew with one line; not below what is paid of it."""
        target = self.chosen(self.model.of("invoice"), other)
        if target is None:
            return
        document = self.model.documents[target]
        body = {"item": {"items": [self.line(amount, document.currency)]}}
        taken = amount >= document.amount - self.model.left(target)
        if self.expect("PUT", f"invoice/eid:{target}", body, taken=taken, query="replace=item"):
            document.amount = amount

    def do_unapply(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        """A credit or payment lets go of what it was applied to."""
        target = self.chosen(self.model.of("creditMemo", "customerPayment"), other)
        if target is None:
            return
        document = self.model.documents[target]
        lines = [{"doc": {"externalId": each}, "apply": False} for each in document.applies]
        self.expect("PATCH", f"{document.kind}/eid:{target}", {"apply": {"items": lines}}, taken=True)
        document.applies = {}

    def do_again(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        """A credit or payment is upserted again, with what it is applied to already."""
        target = self.chosen(self.model.of("creditMemo", "customerPayment"), other)
        if target is None:
            return
        document = self.model.documents[target]
        lines = [
            self.applying(to, much, document.currency)["apply"]["items"][0] for to, much in document.applies.items()
        ]
        body = {"apply": {"items": lines}}
        self.expect("PUT", f"{document.kind}/eid:{target}", body, taken=True, query="replace=apply")

    def do_restart(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        self.account.book = self.account.again()

    def do_delete(self, name: str, amount: int, one: int, other: int, second: int) -> None:
        target = self.chosen(list(self.model.documents), other)
        if target is None:
            return
        path = f"{self.model.documents[target].kind}/eid:{target}"
        if self.expect("DELETE", path, None, taken=not self.model.held(target)):
            del self.model.documents[target]


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=25))
def test_any_history_keeps_the_books(steps: list[tuple[str, int, int, int, int]]) -> None:
    """
    What the model says is taken is taken, and nothing else; debits are credits; sums by SuiteQL are the model's; what
    remains of each document too; the receivable account holds what is open less what is unapplied; a restart changes
    nothing. Plants caught: a deposit that adds refunds; a payment's own application counted against it when it is
    saved again; an application of a deleted payment left in the index; `remaining` without what a refund has taken; a
    credit memo posted like an invoice; amounts that come back from the table as int.
    """
    history = History()
    for step in steps:
        history.step(*step)
    model, books = history.model, history.account

    rows = books.rows("SELECT type, currency, SUM(foreigntotal) AS total FROM transaction GROUP BY type, currency")
    assert {(row["type"], row["currency"]): Decimal(row["total"]) for row in rows} == {
        key: history.money(total, key[1]) for key, total in model.signed().items()
    }
    rows = books.rows(
        "SELECT externalid, COALESCE(foreignamountunpaid, foreignpaymentamountunused) AS unused FROM transaction "
        "WHERE type NOT IN ('CustRfnd', 'Deposit')"
    )
    assert {row["externalid"]: Decimal(row["unused"]) for row in rows} == {
        name: history.money(model.left(name), model.documents[name].currency)
        for name in model.of("invoice", "creditMemo", "customerPayment")
    }
    for record in books.book.transactions():
        postings = ledger_of(books.book, record)
        assert sum(one.amount for one in postings) == 0
        assert sum(one.base for one in postings) == 0
    receivable = sum(
        one.amount
        for record in books.book.transactions()
        for one in ledger_of(books.book, record)
        if one.account == "20" and record["currency"] == "1"
    )
    owed = sum(model.left(name) for name in model.of("invoice") if model.documents[name].currency == "1")
    unapplied = model.of("creditMemo", "customerPayment")
    unapplied_left = sum(model.left(name) for name in unapplied if model.documents[name].currency == "1")
    assert receivable == history.money(owed - unapplied_left, "1")
    again = books.again()
    assert again.records == books.book.records
    assert [computed(again, one) for one in again.transactions()] == [
        computed(books.book, one) for one in books.book.transactions()
    ]
