"""Whatever path, query and headers come in, the answer is one of NetSuite's: never an error of ours."""

from __future__ import annotations

from itertools import product
from urllib.parse import quote

import pytest

from sandbox.documents import decode
from sandbox.netsuite.errors import NetSuiteError
from sandbox.netsuite.in_memory import NOW, Account
from sandbox.netsuite.operations import SUITEQL, Work
from sandbox.netsuite.records.saving import Order
from sandbox.netsuite.replies import Reply, Request, refusal
from sandbox.netsuite.routes import carry_out

ROOT = "/services/rest/record/v1"
PIECES = [
    "invoice",
    "customer",
    "1",
    "eid:inv",
    "eid:",
    "item",
    "apply",
    "!transform",
    "creditMemo",
    "metadata-catalog",
]
PIECES += ["account", "%00", "%2F", "é", "", "x" * 300]
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "X"]
NAMES = ["q", "limit", "offset", "fields", "replace", "replaceSelectedFields", "expandSubResources", "select", "x"]
VALUES = [
    "true",
    "false",
    "1",
    "1000",
    "0",
    "-1",
    "9" * 30,
    "item",
    "memo,item",
    "invoice",
    "%FF",
    "",
    "²",
    "1.5",
    "(((",
]
VALUES += [
    'memo IS "x"',
    "entity EQUAL 1",
    "entity ANY_OF [1,2]",
    "exchangeRate EQUAL x",
    "tranDate AFTER 2026-01-01 AND",
]
VALUES += ["tranDate ON 2026-99-99", "memo IS", 'memo IS "', "total EQUAL 1", "isPerson IS maybe", "status IS Open"]
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"1",
    b'{"q":"SELECT id FROM transaction"}',
    b'{"q":null}',
    b"\xff",
    b'{"memo":"x"}',
]
TYPES = ["application/json", "application/json; charset=utf-8", "text/plain", "é", ""]


def test_every_path_is_an_operation_or_refused() -> None:
    """Each method, up to three pieces. Plant caught: a sublist that the record does not have."""
    paths = ["/".join(pieces) for length in (0, 1, 2) for pieces in product(PIECES, repeat=length)]
    paths += [
        f"invoice/{id_}/{piece}{more}" for id_ in ("1", "eid:inv") for piece in PIECES for more in ("", "/1", "/x/y")
    ]
    for method, path in product(METHODS, paths):
        held(Request(method, f"{ROOT}/{path}", "", "http://test", {"content-type": "application/json"}, b"{}"))


def test_every_parameter_has_a_value_that_it_takes_or_is_refused() -> None:
    """Plants caught: a limit that takes ² for a digit; a `q` whose number is not looked at."""
    headers = {"content-type": "application/json", "prefer": "transient"}
    suiteql = ("POST", SUITEQL, b'{"q":"SELECT id FROM transaction"}')
    records = [
        ("GET", "invoice"),
        ("GET", "customer"),
        ("GET", "invoice/1"),
        ("PATCH", "invoice/1"),
        ("PUT", "invoice/eid:n"),
    ]
    records += [("GET", "metadata-catalog"), ("GET", "invoice/1/item"), ("DELETE", "invoice/1"), ("POST", "invoice")]
    for method, path, body in [*((method, f"{ROOT}/{path}", b"{}") for method, path in records), suiteql]:
        for name, value in product(NAMES, VALUES):
            held(Request(method, path, f"{name}={value}", "http://test", headers, body))
        held(Request(method, path, "limit=1&limit=1", "http://test", headers, body))


def test_every_body_is_read_or_refused() -> None:
    """By its content and by the type that the header says."""
    for (method, path), body, kind in product([("POST", f"{ROOT}/invoice"), ("POST", SUITEQL)], BODIES, TYPES):
        held(Request(method, path, "", "http://test", {"content-type": kind, "prefer": "transient"}, body))


def held(request: Request) -> None:
    """The answer to a request on fresh books is one of NetSuite's."""
    reply = asked(account(), request)

    assert reply.status in (200, 204, 400, 404, 405), (request, reply)
    if reply.status == 200:
        decode(reply.body)
    elif reply.status != 204:
        assert decode(reply.body)["o:errorDetails"][0]["detail"]


def asked(books: Account, request: Request) -> Reply:
    """The answer, a refusal too; anything else that is raised is ours."""
    try:
        return carry_out(Work(books.book, books.caller, Order(NOW), 5), request)
    except NetSuiteError as error:
        return refusal(error)


def account() -> Account:
    """With one invoice."""
    books = Account().stocked()
    line = {"item": {"externalId": "item"}, "amount": 5}
    books.save("invoice/eid:inv", {"entity": {"externalId": "cus"}, "item": {"items": [line]}, "memo": "x"})
    return books


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('externalId IS "inv_1"', ["2"]),
        ('memo IS_NOT "x" AND externalId START_WITH "inv"', ["2", "3"]),
        ("entity EQUAL 1", ["1", "2", "3"]),
        ("entity ANY_OF [1,2]", ["1", "2", "3"]),
        ("currency EQUAL 4", ["3"]),
        ("tranDate ON 2026-11-02 AND currency EQUAL 1", ["1", "2"]),
        ("tranDate AFTER 2026-11-02", []),
        ("tranDate BEFORE 2026-11-03 AND exchangeRate LESS 1", ["3"]),
        ('memo IS "say \\"so\\""', ["2"]),
    ],
)
def test_a_collection_is_filtered(q: str, found: list[str]) -> None:
    """Each operator, quoting, and AND."""
    books = account()
    line = {"item": {"externalId": "item"}, "amount": 5}
    for name, currency, memo in (("inv_1", "1", 'say "so"'), ("inv_2", "4", "y")):
        body = {"entity": {"externalId": "cus"}, "currency": {"id": currency}, "memo": memo, "item": {"items": [line]}}
        books.save(f"invoice/eid:{name}", body)

    reply = books.record("GET", "invoice", query=f"q={quote(q)}")

    assert [one["id"] for one in decode(reply.body)["items"]] == found, reply.body
