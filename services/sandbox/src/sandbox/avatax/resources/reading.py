"""Reads recorded documents: one by code or id, a company's list with a filter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.avatax import errors
from sandbox.avatax.desk import Answer, Call, Desk, found_document
from sandbox.avatax.showing import shown
from sandbox.avatax.state import Body

MOST_ROWS = 1000
DAYS = 30  # without a filter on the date, so many days back
_TEXTS = ("code", "type", "status", "customerCode", "currencyCode", "referenceCode", "country", "region")
_CLAUSE = re.compile(
    r"\s*(?:(?P<range>\w+)\s+between\s+'?(?P<low>[^'\s]+)'?\s+and\s+'?(?P<high>[^'\s]+)'?"
    r"|(?P<field>\w+)\s+(?P<op>eq|ne|gt|gte|ge|lt|lte|le)\s+(?:'(?P<quoted>[^']*)'|(?P<bare>[^'\s]+)))\s*(?:and\b|$)",
    re.IGNORECASE,
)
_OPS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, asked: bool(held == asked),
    "ne": lambda held, asked: bool(held != asked),
    "gt": lambda held, asked: bool(held > asked),
    "gte": lambda held, asked: bool(held >= asked),
    "ge": lambda held, asked: bool(held >= asked),
    "lt": lambda held, asked: bool(held < asked),
    "lte": lambda held, asked: bool(held <= asked),
    "le": lambda held, asked: bool(held <= asked),
}
Test = Callable[[Body], bool]


def by_code(desk: Desk, call: Call) -> Answer:
    """`GET /companies/{code}/transactions/{code}`: the newest version."""
    _, body = found_document(desk, call)
    return Answer(body, document=True)


def by_code_and_type(desk: Desk, call: Call) -> Answer:
    """`GET …/types/{type}`: the same, with the type in the path."""
    call.query["documentType"] = call.ids[2]
    return by_code(desk, call)


def by_id(desk: Desk, call: Call) -> Answer:
    """`GET /transactions/{id}`: any version."""
    body = desk.state.documents.get(int(call.ids[0])) if call.ids[0].isdigit() else None
    if body is None or body.get("_deleted"):
        raise errors.not_found("Transaction", "ID", call.ids[0])
    return Answer(body, document=True)


def listed(desk: Desk, call: Call) -> Answer:
    """`GET /companies/{code}/transactions`: the newest version of each, at most a thousand."""
    company_id, _ = desk.company_in_path(call.ids[0])
    tests, names = _filter(call.ask("$filter") or "")
    if "date" not in names:
        since = (desk.state.now.date() - timedelta(days=DAYS)).isoformat()
        tests.append(lambda body: bool(body["date"] >= since))
    rows = [body for body in desk.state.of_company(company_id) if all(test(body) for test in tests)]
    skip, top = _count(call, "$skip", 0), _count(call, "$top", MOST_ROWS) or MOST_ROWS
    include = call.include() or frozenset()
    page = [shown(body, include) for body in rows[skip : skip + min(top, MOST_ROWS)]]
    return Answer({"@recordsetCount": len(rows), "value": page})


def _count(call: Call, name: str, otherwise: int) -> int:
    text = call.ask(name)
    if text is None:
        return otherwise
    if not text.isdigit():
        raise errors.malformed(name, text, "Int32")
    return int(text)


def _filter(text: str) -> tuple[list[Test], set[str]]:
    """Clauses with `and` between them. Raises AvaTaxError for anything else of Avalara's language."""
    tests, names, at = list[Test](), set[str](), 0
    while at < len(text):
        found = _CLAUSE.match(text, at)
        if found is None:
            raise errors.state(
                400, "MalformedFilterException", 182, "The filter is malformed.", f"At: {text[at:][:40]}"
            )
        at = found.end()
        if found["range"]:
            low, high = _value(found["range"], found["low"]), _value(found["range"], found["high"])
            name = _field(found["range"])
            tests += [_test(name, "gte", low), _test(name, "lte", high)]
        else:
            name = _field(found["field"])
            given = found["quoted"] if found["quoted"] is not None else found["bare"]
            tests.append(_test(name, found["op"].lower(), _value(name, given)))
        names.add(name)
    return tests, names


def _field(name: str) -> str:
    known = (*_TEXTS, "date", "locked", "id", "totalAmount", "totalTax")
    found = next((each for each in known if each.lower() == name.lower()), None)
    if found is None:
        raise errors.state(400, "FieldNotQueryableError", 1408, f"The field {name} cannot be queried.", "Leave it out.")
    return found


def _value(name: str, text: str) -> object:
    name = _field(name)
    try:
        if name == "date":
            return date.fromisoformat(text[:10]).isoformat()
        if name == "locked":
            return {"true": True, "false": False}[text.lower()]
        if name in _TEXTS:
            return text
        return Decimal(text)
    except (ValueError, KeyError, ArithmeticError):
        raise errors.state(400, "InvalidQueryValue", 18, f"'{text}' is no value of {name}.", "Correct it.") from None


def _test(name: str, op: str, asked: object) -> Test:
    return lambda body: _OPS[op](body[name], asked)
