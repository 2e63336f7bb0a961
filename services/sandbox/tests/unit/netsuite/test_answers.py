"""The switches for what no text of NetSuite decides: what each of them changes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.documents import decode
from sandbox.netsuite.answers import Answers
from sandbox.netsuite.in_memory import Account
from sandbox.netsuite.replies import Reply
from sandbox.switches import WrongAnswer

CUS = {"externalId": "cus"}


def account(**turned: str) -> Account:
    """With an invoice of 10 and a credit of 5."""
    books = Account().stocked()
    line = {"item": {"externalId": "item"}, "amount": 10}
    books.save("invoice/eid:inv", {"entity": CUS, "item": {"items": [line]}})
    books.save("creditMemo/eid:cn", {"entity": CUS, "item": {"items": [{**line, "amount": 5}]}})
    books.book.answers = Answers().turned(turned)
    return books


def code(reply: Reply) -> str | None:
    return None if reply.status == 204 else str(decode(reply.body)["o:errorDetails"][0]["o:errorCode"])


@pytest.mark.parametrize(("answer", "wanted"), [("user_error", "USER_ERROR"), ("own_code", "TRAN_PRD_CLOSED")])
def test_closed_period(answer: str, wanted: str) -> None:
    books = account(closed_period=answer)
    period = books.book.records["accountingPeriod"]["202611"]
    books.book.put({**period, "closed": True})

    assert code(books.record("PATCH", "invoice/eid:inv", {"memo": "x"})) == wanted


@pytest.mark.parametrize(("answer", "total"), [("added", 20), ("replaced", 10)])
def test_put_lines(answer: str, total: int) -> None:
    """An upsert again; PATCH adds in both."""
    books = account(put_lines=answer)
    lines = {"item": {"items": [{"item": {"externalId": "item"}, "amount": 10}]}}
    books.save("invoice/eid:inv", lines)
    assert decode(books.record("GET", "invoice/eid:inv").body)["total"] == total

    books.record("PATCH", "invoice/eid:inv", lines)
    assert decode(books.record("GET", "invoice/eid:inv").body)["total"] == total + 10


@pytest.mark.parametrize(("answer", "wanted"), [("taken", None), ("refused", "INVALID_CONTENT")])
def test_negative_lines(answer: str, wanted: str | None) -> None:
    """Cash back is taken in both."""
    books = account(negative_lines=answer)

    def deposit(**lines: Any) -> Reply:
        return books.record("POST", "deposit", {"account": {"id": "10"}, **lines})

    assert code(deposit(other={"items": [{"account": {"id": "50"}, "amount": -1}]})) == wanted
    assert code(deposit(cashBack={"items": [{"account": {"id": "50"}, "amount": 1}]})) is None


@pytest.mark.parametrize(("answer", "wanted"), [("taken", None), ("refused", "INVALID_CONTENT")])
def test_undeposited_refunds(answer: str, wanted: str | None) -> None:
    """Out of a bank account they come in both."""
    books = account(undeposited_refunds=answer)

    def refund(account: str) -> Reply:
        apply = {"items": [{"doc": {"externalId": "cn"}, "apply": True, "amount": 1}]}
        return books.record("POST", "customerRefund", {"customer": CUS, "account": {"id": account}, "apply": apply})

    assert code(refund("25")) == wanted
    assert code(refund("10")) is None


@pytest.mark.parametrize(("answer", "wanted"), [("warning", None), ("error", "INVALID_CONTENT")])
def test_unknown_names(answer: str, wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the header; with it, the header decides."""
    from sandbox.netsuite import in_memory

    books = account(unknown_names=answer)
    assert code(books.record("PATCH", "invoice/eid:inv", {"memmo": "x"})) == "INVALID_CONTENT"
    plain = {name: value for name, value in in_memory.STRICT.items() if not name.startswith("x-")}
    monkeypatch.setattr(in_memory, "STRICT", plain)

    assert code(books.record("PATCH", "invoice/eid:inv", {"memmo": "x"})) == wanted


def test_a_switch_or_value_that_is_not_there_is_refused() -> None:
    assert Answers.read(" put_lines = replaced ,").shown()["put_lines"] == "replaced"
    for text, says in [
        ("lines=added", "There is no switch 'lines'"),
        ("put_lines=x", "added or replaced"),
        ("put_lines", "name=value"),
    ]:
        with pytest.raises(WrongAnswer, match=says):
            Answers.read(text)
