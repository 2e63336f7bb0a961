"""SuiteQL against SQLite on the same rows, and against text that is no query."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.netsuite.in_memory import Account
from sandbox.netsuite.suiteql.lexer import Token, tokens
from sandbox.netsuite.suiteql.parser import parse
from sandbox.netsuite.suiteql.tree import QueryError

COLUMNS = ("id", "type", "externalid", "otherrefnum", "entity", "currency", "foreigntotal", "foreignamountunpaid")
NUMBERS = ("id", "entity", "currency", "foreigntotal", "foreignamountunpaid")
TEXTS = ("type", "externalid", "otherrefnum")


@cache
def account() -> Account:
    """Eighteen documents in whole units, with names that LIKE stumbles over; some have no external id."""
    books = Account().stocked()
    for number in range(12):
        lines = {"items": [{"item": {"externalId": "item"}, "amount": number % 5 + 1}]}
        body = {"entity": {"externalId": "cus"}, "item": lines, "currency": {"id": "4" if number % 3 else "1"}}
        body |= {"externalId": f"inv_{number}"} if number % 4 else {}
        body |= {"otherRefNum": ["a%b", "a_b", "ab", "it's", "NULL"][number % 5]} if number % 2 else {}
        assert books.record("POST", "invoice", body).status == 204
    for number in range(6):
        body = {"customer": {"externalId": "cus"}, "payment": number + 1, "undepFunds": True}
        books.save(f"customerPayment/eid:pay_{number}", body)
    return books


@pytest.fixture(scope="module")
def lite() -> Iterator[sqlite3.Connection]:
    """The same rows in SQLite; amounts are whole, so that its numbers are exact."""
    rows = account().rows("SELECT * FROM transaction")
    with closing(sqlite3.connect(":memory:")) as database:
        kinds = ", ".join(f"{name} {'INTEGER' if name in NUMBERS else 'TEXT'}" for name in COLUMNS)
        database.execute(f'CREATE TABLE "transaction" ({kinds})')
        database.execute("PRAGMA case_sensitive_like = ON")
        for row in rows:
            values = [int(row[name]) if name in NUMBERS and name in row else row.get(name) for name in COLUMNS]
            database.execute(f'INSERT INTO "transaction" VALUES ({", ".join("?" * len(COLUMNS))})', values)
        yield database


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


NUMBER = st.one_of(st.sampled_from(NUMBERS), st.integers(0, 9).map(str)).map(str)
SIGN = st.sampled_from(["+", "-", "*"])
SUM = st.tuples(NUMBER, SIGN, NUMBER, SIGN, NUMBER).map(" ".join).map("({})".format)
AMOUNT = st.one_of(
    NUMBER, SUM, NUMBER.map(lambda part: f"ABS({part})"), NUMBER.map(lambda part: f"COALESCE({part}, 7)")
)
WORDS = st.sampled_from(["CustInvc", "CustPymt", "inv_1", "pay_2", "a%b", "a_b", "ab", "it's", "NULL", "x"])
WORD = st.one_of(st.sampled_from(TEXTS), WORDS.map(quoted))
PATTERN = st.text("abinv_%'0", min_size=1, max_size=5).map(quoted)
OPERATOR = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
NAMED = ["id = 3", "5 = id", "externalid = 'inv_1'", "externalid IN ('inv_2', 'pay_1')", "id IN (2, 14, 3)", "id = '7'"]
LEAF = st.one_of(
    st.sampled_from(NAMED),  # of these the transactions are looked up
    st.tuples(AMOUNT, OPERATOR, AMOUNT).map(" ".join),
    st.tuples(WORD, OPERATOR, WORD).map(" ".join),
    st.tuples(st.sampled_from(TEXTS), st.sampled_from([" LIKE ", " NOT LIKE "]), PATTERN).map("".join),
    st.tuples(st.sampled_from(COLUMNS), st.sampled_from([" IS NULL", " IS NOT NULL"])).map("".join),
    st.tuples(AMOUNT, st.booleans(), st.lists(NUMBER, min_size=1, max_size=3)).map(
        lambda part: f"{part[0]} {'NOT ' if part[1] else ''}IN ({', '.join(part[2])})"
    ),
    st.tuples(AMOUNT, st.booleans(), NUMBER, NUMBER).map(
        lambda part: f"{part[0]} {'NOT ' if part[1] else ''}BETWEEN {part[2]} AND {part[3]}"
    ),
)
CONDITION = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        inner.map(lambda part: f"NOT ({part})"),
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map("".join),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=5,
)


@settings(max_examples=400, deadline=None)
@given(condition=CONDITION)
def test_a_condition_finds_what_sqlite_finds(lite: sqlite3.Connection, condition: str) -> None:
    """
    Rows, and sums by group. Plants caught: NOT of unknown is true; OR binds before AND; IN of a list with NULL is false
    where it is unknown; LIKE takes `_` for itself; BETWEEN without its upper bound; `-` from right to
    left; transactions looked up by one side of an OR.
    """
    query = f'SELECT id FROM "transaction" WHERE {condition} ORDER BY id'
    sums = (
        "SELECT type, currency, COUNT(*) AS n, SUM(foreignamountunpaid) AS total, MIN(otherrefnum) AS low, "
        f'COUNT(DISTINCT foreigntotal) AS d FROM "transaction" WHERE {condition} GROUP BY type, currency ORDER BY 1, 2'
    )

    found = account().rows(query.replace('"', ""))
    grouped = account().rows(sums.replace('"', ""))

    assert [int(row["id"]) for row in found] == [row[0] for row in lite.execute(query)]
    names = ("type", "currency", "n", "total", "low", "d")
    numbers = ("currency", "n", "total", "d")
    ours = [tuple(_read(row.get(name), number=name in numbers) for name in names) for row in grouped]
    assert ours == lite.execute(sums).fetchall()


def _read(value: str | None, *, number: bool) -> Any:
    return None if value is None else int(Decimal(value)) if number else value


PIECES = [
    "SELECT",
    "FROM",
    "WHERE",
    "transaction",
    "id",
    "*",
    "(",
    ")",
    ",",
    "'",
    "''",
    "?",
    "=",
    "AND",
    "NOT",
    "IN",
    "CASE",
]
PIECES += [
    "WHEN",
    "THEN",
    "END",
    "GROUP",
    "BY",
    "ORDER",
    "1",
    "-",
    "--",
    "/*",
    ";",
    ".",
    "t.",
    "SUM",
    "JOIN",
    "ON",
    "NULL",
    "\0",
]


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    """Nothing but QueryError comes out of the parser. Plants caught: a bracket at the end read past the last token."""
    assert refused(text) != ""


DEEP = {
    "brackets of conditions": "(" * 16 + "id = 1" + ")" * 16,
    "brackets of numbers": "id = " + "(" * 39 + "1" + ")" * 39,
    "brackets without an end": "(" * 9000,
    "negations": "NOT " * 4000,
    "cases": "id = " + "CASE WHEN (1 = 1) THEN " * 20 + "1" + " END" * 20,
}


@pytest.mark.parametrize("name", DEEP)
def test_nesting_takes_no_more_looks_than_its_length_allows(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """
    How often tokens are looked at: so many times their number, whatever is nested in what. Plant caught: whether a
    bracket holds a condition was found by trying, which doubled with each bracket.
    """
    looks = 0
    word = Token.word.fget

    def counted(token: Token) -> str:
        nonlocal looks
        looks += 1
        return str(word(token))

    monkeypatch.setattr(Token, "word", property(counted))
    query = f"SELECT id FROM transaction WHERE {DEEP[name]}"

    said = refused(query)

    assert said is None or "nested" in said
    assert looks <= 200 * len(tokens(query))


def refused(text: str) -> str | None:
    """What the parser says against a query; None where it takes it."""
    try:
        parse(text)
    except QueryError as error:
        return str(error)
    return None
