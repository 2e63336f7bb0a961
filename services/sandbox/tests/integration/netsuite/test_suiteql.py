"""SuiteQL over HTTP: the tie-out's queries, look-ups, paging, and what is refused in NetSuite's words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.netsuite.operations import SUITEQL
from sandbox.netsuite.testing import Driver

D = Decimal
ACME = {"externalId": "cus_acme"}
SUMS = (
    "SELECT t.type, c.symbol AS currency, COUNT(*) AS documents, SUM(t.foreigntotal) AS total FROM transaction t "
    "INNER JOIN currency c ON c.id = t.currency WHERE t.trandate BETWEEN TO_DATE('2026-11-01', 'YYYY-MM-DD') AND "
    "TO_DATE('2026-11-30', 'YYYY-MM-DD') GROUP BY t.type, c.symbol ORDER BY t.type, c.symbol"
)


@pytest.fixture(autouse=True)
async def a_month(netsuite: Driver) -> None:
    """Invoices of 10.10, 20.20 and 5 (October), one in yen, a credit of 3, a payment of 12 with 10.10 applied."""
    await netsuite.an_item()
    await netsuite.a_customer(currencyList={"items": [{"currency": {"id": "4"}}]})
    await netsuite.an_invoice("inv_1", "10.10", otherRefNum="it's")
    await netsuite.an_invoice("inv_2", "20.20")
    await netsuite.an_invoice("inv_3", "5", tranDate="2026-10-31")
    await netsuite.an_invoice("inv_yen", "1000", currency={"id": "4"})
    line = {"item": {"externalId": "item_resolution"}, "amount": 3}
    await netsuite.save("creditMemo", "cn_1", {"entity": ACME, "item": {"items": [line]}})
    apply = {"items": [{"doc": {"externalId": "inv_1"}, "apply": True}]}
    await netsuite.save(
        "customerPayment", "pay_1", {"customer": ACME, "payment": 12, "undepFunds": True, "apply": apply}
    )


async def test_sums_by_type_and_currency(netsuite: Driver) -> None:
    """Every value is a text; credits count below zero; October is out."""
    assert await netsuite.rows(SUMS) == [
        {"type": "CustCred", "currency": "USD", "documents": "1", "total": "-3"},
        {"type": "CustInvc", "currency": "JPY", "documents": "1", "total": "1000"},
        {"type": "CustInvc", "currency": "USD", "documents": "2", "total": "30.3"},
        {"type": "CustPymt", "currency": "USD", "documents": "1", "total": "12"},
    ]


async def test_looks_up_by_external_id_with_parameters_and_literals(netsuite: Driver) -> None:
    """A quote in a text is doubled; what is NULL is left out; a day is M/D/YYYY, or as TO_CHAR says."""
    columns = (
        "id, externalid, status, trandate, TO_CHAR(trandate, 'YYYY-MM-DD') AS day, memo, BUILTIN.DF(entity) AS who"
    )
    by_literal = await netsuite.rows(f"SELECT {columns} FROM transaction WHERE otherrefnum = 'it''s'")
    by_parameter = await netsuite.rows(f"SELECT {columns} FROM transaction WHERE externalid IN (?, ?)", "inv_1", "x")

    assert by_literal == by_parameter
    assert by_literal == [
        {
            "id": "1",
            "externalid": "inv_1",
            "status": "B",
            "trandate": "11/2/2026",
            "day": "2026-11-02",
            "who": "CUST1 Acme",
        }
    ]


async def test_what_is_open_and_what_is_applied(netsuite: Driver) -> None:
    rows = await netsuite.rows(
        "SELECT externalid, foreignamountunpaid AS unpaid, foreignamountpaid AS paid FROM transaction "
        "WHERE type = 'CustInvc' AND foreignamountunpaid < foreigntotal OR externalid LIKE 'inv\\_2' "
        "OR externalid LIKE '%v_2' ORDER BY 1"
    )
    assert rows == [
        {"externalid": "inv_1", "unpaid": "0", "paid": "10.1"},
        {"externalid": "inv_2", "unpaid": "20.2", "paid": "0"},
    ]
    links = await netsuite.rows(
        "SELECT a.externalid AS applied, b.externalid AS by_whom, l.foreignamount FROM nexttransactionlinelink l "
        "JOIN transaction a ON a.id = l.previousdoc JOIN transaction b ON b.id = l.nextdoc"
    )
    assert links == [{"applied": "inv_1", "by_whom": "pay_1", "foreignamount": "10.1"}]


async def test_lines_and_the_ledger_sum_to_nothing(netsuite: Driver) -> None:
    """Main line against item lines; accounts by number; a left join keeps what has no match."""
    by_account = await netsuite.rows(
        "SELECT a.acctnumber AS account, SUM(NVL(l.debit, 0)) - SUM(NVL(l.credit, 0)) AS balance "
        "FROM transactionaccountingline l JOIN account a ON l.account = a.id GROUP BY a.acctnumber ORDER BY account"
    )
    assert by_account == [
        {"account": "1100", "balance": "27.1"},  # 10.10 + 20.20 + 5 + 6.80 (1000 yen) - 3 - 12
        {"account": "1150", "balance": "12"},
        {"account": "4000", "balance": "-39.1"},
    ]
    lines = await netsuite.rows(
        "SELECT tl.mainline, SUM(tl.foreignamount) AS amount FROM transaction t JOIN transactionline tl "
        "ON tl.transaction = t.id AND t.currency = 1 GROUP BY tl.mainline ORDER BY tl.mainline DESC"
    )
    assert lines == [{"mainline": "T", "amount": "44.3"}, {"mainline": "F", "amount": "-44.3"}]
    joined = await netsuite.rows(
        "SELECT a.id, COUNT(l.transaction) AS n FROM account a LEFT JOIN transactionaccountingline l "
        "ON l.account = a.id WHERE a.accttype IN ('AcctRec', 'Bank') GROUP BY a.id HAVING COUNT(l.transaction) < 1 "
        "ORDER BY a.id FETCH FIRST 2 ROWS ONLY"
    )
    assert joined == [{"id": "10", "n": "0"}, {"id": "11", "n": "0"}]


async def test_pages(netsuite: Driver) -> None:
    """limit and offset by the URL; links lead on; a watermark on id does too."""
    first = (await netsuite.ask("SELECT id FROM transaction ORDER BY id", limit=4)).json()
    second = (await netsuite.ask("SELECT id FROM transaction ORDER BY id", limit=4, offset=4)).json()

    assert [row["id"] for row in first["items"] + second["items"]] == ["1", "2", "3", "4", "5", "6"]
    assert (first["hasMore"], first["count"], first["totalResults"]) == (True, 4, 6)
    assert (second["hasMore"], second["count"], second["offset"]) == (False, 2, 4)
    assert first["links"][0] == {"rel": "next", "href": f"{netsuite.url}{SUITEQL}?limit=4&offset=4"}
    assert [row["id"] for row in await netsuite.rows("SELECT id FROM transaction WHERE id > ? ORDER BY id", 4)] == [
        "5",
        "6",
    ]


async def test_sums_of_nothing(netsuite: Driver) -> None:
    """A sum of no rows is NULL, a count is 0; with GROUP BY there is no row."""
    nothing = "FROM transaction WHERE type = 'Journal'"
    assert await netsuite.rows(f"SELECT SUM(foreigntotal) AS total, COUNT(*) AS n {nothing}") == [{"n": "0"}]
    assert await netsuite.rows(f"SELECT type, COUNT(*) AS n {nothing} GROUP BY type") == []


REFUSED = [
    ("SELECT id FROM nothing", "Invalid search type: nothing."),
    (
        "SELECT nothing FROM transaction",
        "Unknown identifier 'nothing'. Available identifiers are: {transaction=transaction}.",
    ),
    ("SELECT id FROM transaction WHERE t.id = 1", "Unknown identifier 'id'"),
    ("SELECT subsidiary FROM transaction", "Unknown identifier 'subsidiary'"),
    ("SELECT id FROM transaction t JOIN transactionline l ON l.transaction = t.id", "ambiguous"),
    ("SELECT type, SUM(foreigntotal) FROM transaction", "neither grouped nor summed"),
    ("SELECT type FROM transaction GROUP BY type ORDER BY id", "neither grouped nor summed"),
    ("SELECT id FROM transaction WHERE SUM(foreigntotal) > 1", "Group function"),
    ("SELECT id FROM transaction WHERE trandate = '11/2/2026'", "TO_DATE"),
    ("SELECT id FROM transaction WHERE id = 'abc'", "Invalid number"),
    ("SELECT id FROM transaction WHERE trandate > TO_DATE('2026-13-01', 'YYYY-MM-DD')", "does not match"),
    ("SELECT id FROM transaction, customer", "not expected"),
    ("SELECT id FROM (SELECT id FROM transaction)", "no name"),
    ("SELECT id FROM transaction UNION SELECT id FROM customer", "not expected"),
    ("SELECT id FROM transaction; DROP TABLE documents", "near position"),
    ("SELECT id FROM transaction -- x", "Invalid or unsupported"),
    ("SELECT /* x */ id FROM transaction", "Invalid or unsupported"),
    ("SELECT id FROM transaction WHERE externalid = 'x' OR '1'='1' --'", "Invalid or unsupported"),
    ("SELECT pg_sleep(10) FROM transaction", "not known"),
    ("SELECT id FROM pg_catalog.pg_tables", "no name"),
    ("SELECT id FROM documents", "Invalid search type: documents."),
    ("DELETE FROM transaction", "SELECT is expected"),
    ("SELECT id FROM transaction WHERE id = ?", "fewer parameters"),
    ("SELECT 1/0 FROM transaction", "Divisor"),
    ("SELECT id FROM transaction WHERE " + "(" * 100 + "id = 1" + ")" * 100, "nested"),
    ("SELECT id FROM transaction WHERE id IN (" + ", ".join("1" * 1001) + ")", "1000"),
    ("SELECT id FROM transaction WHERE memo = '" + "x" * 20_000 + "'", "Invalid or unsupported"),
    ("", "SELECT is expected"),
]


@pytest.mark.parametrize(("query", "says"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
async def test_refuses(netsuite: Driver, query: str, says: str) -> None:
    """400 INVALID_PARAMETER about q, in the words in which NetSuite begins."""
    answer = await netsuite.ask(query)

    (found,) = answer.json()["o:errorDetails"]
    assert (answer.status_code, found["o:errorCode"], found["o:errorQueryParam"]) == (400, "INVALID_PARAMETER", "q")
    assert found["detail"].startswith("Invalid search query. Detailed unprocessed description follows. ")
    assert says in found["detail"], found["detail"]


@pytest.mark.parametrize(
    "hostile",
    [
        "' OR '1'='1",
        "'; DROP TABLE documents; --",
        "\\' OR 1=1",
        "inv_1\u2019 OR 1=1",
        "%",
        "_",
        "?",
        "NULL",
        ") OR (1=1",
    ],
)
async def test_a_hostile_text_is_only_a_text(netsuite: Driver, hostile: str) -> None:
    """As a parameter, and as a literal with its quotes doubled: it finds nothing, and everything is still there."""
    literal = hostile.replace("'", "''")

    assert await netsuite.rows("SELECT id FROM transaction WHERE externalid = ?", hostile) == []
    assert await netsuite.rows(f"SELECT id FROM transaction WHERE externalid = '{literal}'") == []
    assert await netsuite.rows("SELECT COUNT(*) AS n FROM transaction") == [{"n": "6"}]


@pytest.mark.parametrize(
    ("headers", "query", "body", "place"),
    [
        ({"Prefer": ""}, {}, {"q": "SELECT id FROM transaction"}, "Prefer"),
        ({"Prefer": "respond-async"}, {}, {"q": "SELECT id FROM transaction"}, "Prefer"),
        ({}, {"limit": "1001"}, {"q": "SELECT id FROM transaction"}, "limit"),
        ({}, {"limit": "x"}, {"q": "SELECT id FROM transaction"}, "limit"),
        ({}, {"limit": "2", "offset": "3"}, {"q": "SELECT id FROM transaction"}, "offset"),
        ({}, {}, {"query": "SELECT id FROM transaction"}, "q"),
        ({}, {}, {"q": 1}, "q"),
        ({}, {}, {"q": "SELECT id FROM transaction", "params": "x"}, "q"),
        ({}, {}, {"q": "SELECT id FROM transaction", "params": [{}]}, "q"),
        ({}, {}, {"q": "SELECT id FROM transaction", "params": ["x"]}, "q"),
    ],
)
async def test_refuses_a_request_of_another_form(
    netsuite: Driver, headers: dict[str, str], query: dict[str, str], body: Any, place: str
) -> None:
    answer = await netsuite.call("POST", SUITEQL, body, headers={"Prefer": "transient", **headers}, **query)

    (found,) = answer.json()["o:errorDetails"]
    assert answer.status_code == 400
    assert place in (found.get("o:errorHeader"), found.get("o:errorQueryParam"), found.get("o:errorPath"))
