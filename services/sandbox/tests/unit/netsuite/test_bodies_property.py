"""Whatever JSON comes in, it is taken or refused in NetSuite's shape: never an error of ours."""

from __future__ import annotations

import copy
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.documents import decode
from sandbox.netsuite.in_memory import Account
from sandbox.netsuite.records.catalogue import RECORDS

CODES = ("INVALID_CONTENT", "USER_ERROR", "NONEXISTENT_ID")
KINDS = [name for name, kind in RECORDS.items() if not kind.setup]
REFERENCES = st.one_of(
    st.sampled_from(["1", "2", "20", "25", "10", "40"]).map(lambda id_: {"id": id_}),
    st.sampled_from(["cus", "item", "inv", "pay", "cn", "\u0000", ""]).map(lambda id_: {"externalId": id_}),
)
EXTREMES = [10**30, Decimal("1e400"), Decimal("1e-400"), Decimal("-0"), Decimal("99999999999999.999")]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 100),
    st.decimals("-5", "100", places=2),
    st.sampled_from(EXTREMES),
    st.text(max_size=5),
    REFERENCES,
    st.sampled_from(["2026-11-02", "2026-13-01"]),
)


@cache
def names_of(kind: str) -> tuple[list[str], dict[str, list[str]]]:
    return list(RECORDS[kind].fields), {name: list(one.fields) for name, one in RECORDS[kind].sublists.items()}


def records_of(books: Account) -> dict[tuple[str, str], str]:
    """What is kept, but for the numbers that a refused record has used up."""
    return {key: body for key, body in books.kept.rows.items() if key[0] != "counter"}


def right_body(kind: str) -> dict[str, Any]:
    """A body that is taken."""
    cus, line = {"externalId": "cus"}, {"item": {"externalId": "item"}, "quantity": 2, "rate": 3, "amount": 6}
    apply = {"items": [{"doc": {"externalId": "inv"}, "line": 0, "apply": True, "amount": 2}]}
    back = {"items": [{"doc": {"externalId": "cn"}, "line": 0, "apply": True, "amount": 2}]}
    other = {"items": [{"account": {"id": "50"}, "amount": -1, "entity": cus}]}
    return {
        "customer": {
            "companyName": "A",
            "subsidiary": {"id": "1"},
            "currencyList": {"items": [{"currency": {"id": "2"}}]},
        },
        "customerSubsidiaryRelationship": {"entity": cus, "subsidiary": {"id": "2"}},
        "invoice": {"entity": cus, "item": {"items": [line, line]}, "tranDate": "2026-11-02"},
        "creditMemo": {"entity": cus, "item": {"items": [line]}, "apply": apply},
        "customerPayment": {"customer": cus, "payment": 3, "undepFunds": True, "apply": apply},
        "customerRefund": {"customer": cus, "account": {"id": "25"}, "apply": back},
        "deposit": {"account": {"id": "10"}, "other": other, "payment": {"items": [{"id": {"externalId": "pay"}}]}},
        "journalEntry": {
            "subsidiary": {"id": "1"},
            "line": {"items": [{"account": {"id": "50"}, "debit": 1}, {"account": {"id": "10"}, "credit": 1}]},
        },
        "discountItem": {"itemId": "new", "account": {"id": "41"}},
    }.get(kind, {"itemId": "new", "incomeAccount": {"id": "40"}})


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A right body with up to three changes: a value of another kind, one that is gone, one that is more."""
    kind = draw(st.sampled_from(KINDS))
    fields, sublists = names_of(kind)
    body: dict[str, Any] = copy.deepcopy(right_body(kind))
    for _ in range(draw(st.integers(0, 3))):
        place, names = body, [*fields, *sublists]
        lists = [name for name in sublists if isinstance(body.get(name), dict) and body[name].get("items")]
        if lists and draw(st.booleans()):
            name = draw(st.sampled_from(lists))
            number = draw(st.integers(0, len(body[name]["items"]) - 1))
            if not isinstance(body[name]["items"][number], dict) or not draw(st.integers(0, 5)):
                body[name]["items"][number] = draw(LEAVES)
                continue
            place, names = body[name]["items"][number], sublists[name]
        key = draw(st.sampled_from(sorted(place) or names) if draw(st.booleans()) else st.sampled_from(names))
        if draw(st.integers(0, 3)):
            place[key] = draw(LEAVES)
        else:
            place.pop(key, None)
    return kind, body


def test_every_right_body_is_taken() -> None:
    """What the random ones begin with."""
    for kind in KINDS:
        assert stocked().record("POST", kind, right_body(kind)).status == 204, kind


def test_every_number_of_every_record_has_bounds() -> None:
    """
    Each number of a right body, or one that could be there, in turn each of the extremes. Plants caught: no bound; a
    product of large numbers in 28 digits.
    """
    for kind in KINDS:
        fields, sublists = RECORDS[kind].fields, RECORDS[kind].sublists
        places = [(None, name) for name, one in fields.items() if one.kind == "number" and not one.computed]
        places += [
            (name, key) for name in sublists for key, one in sublists[name].fields.items() if one.kind == "number"
        ]
        for sublist, name in places:
            for extreme in EXTREMES:
                body = copy.deepcopy(right_body(kind))
                for place in [body] if sublist is None else body.get(sublist, {"items": []})["items"]:
                    place[name] = extreme
                    if name == "quantity":  # as large as its rate
                        place |= {"rate": extreme, "amount": None}
                assert stocked().record("POST", kind, body).status in (204, 400)


def stocked() -> Account:
    """With an invoice of 50, a credit of 9 and a payment of 20."""
    books = Account().stocked()
    line = {"item": {"id": "1"}}
    cus = {"externalId": "cus"}
    books.save("invoice/eid:inv", {"entity": cus, "item": {"items": [{**line, "amount": 50}]}})
    books.save("creditMemo/eid:cn", {"entity": cus, "item": {"items": [{**line, "amount": 9}]}})
    books.save("customerPayment/eid:pay", {"customer": cus, "payment": 20, "undepFunds": True})
    return books


DELETED = ["customer", "serviceSaleItem", "deposit", "customerPayment", "invoice", "customer", "discountItem"]


@settings(max_examples=600, deadline=None)
@given(st.lists(bodies(), min_size=1, max_size=4))
def test_any_body_is_taken_or_refused(given_bodies: list[tuple[str, dict[str, Any]]]) -> None:
    """
    POST, PATCH, upsert; what is refused has changed nothing; some is deleted; all that is there is shown, queried, and
    the same after a restart. Plants caught: an application without a document; a line that is null; a draft that is
    the record itself.
    """
    books = stocked()
    for kind, body in given_bodies:
        for method, path in (("POST", kind), ("PATCH", f"{kind}/1"), ("PUT", f"{kind}/eid:new")):
            before = records_of(books)
            reply = books.record(method, path, body)
            assert reply.status in (204, 400, 404), reply.body
            if reply.status != 204:
                assert decode(reply.body)["o:errorDetails"][0]["o:errorCode"] in CODES, reply.body
                assert records_of(books) == before
    for kind in DELETED:
        for id_ in list(books.book.records[kind]):
            assert books.record("DELETE", f"{kind}/{id_}").status in (204, 400)
    for kind in KINDS:
        for id_ in list(books.book.records[kind]):
            assert books.record("GET", f"{kind}/{id_}", query="expandSubResources=true").status == 200
    books.rows("SELECT * FROM transactionline")
    books.rows("SELECT * FROM transactionaccountingline")
    assert books.again().records == books.book.records
