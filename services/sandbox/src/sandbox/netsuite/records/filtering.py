"""The `q` of a record collection: `email IS "x" AND entity EQUAL 13`. Conditions are joined by AND alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.errors import parameter
from sandbox.netsuite.records.types import Field, RecordType

_CONDITION = re.compile(r'\s*([A-Za-z]+)\s+([A-Z_]+)\s+("(?:[^"\\]|\\.)*"|[^\s"]+)\s*')
_AND = re.compile(r"AND\s")
_BY_KIND = {
    "text": {"IS": "eq", "IS_NOT": "ne", "START_WITH": "start"},
    "boolean": {"IS": "eq"},
    "number": {"EQUAL": "eq", "GREATER": "gt", "LESS": "lt"},
    "integer": {"EQUAL": "eq"},
    "ref": {"EQUAL": "eq", "ANY_OF": "any"},
    "date": {"ON": "eq", "AFTER": "gt", "BEFORE": "lt"},
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, value: bool(held == value),
    "ne": lambda held, value: bool(held != value),
    "gt": lambda held, value: held is not None and held > value,
    "lt": lambda held, value: held is not None and held < value,
    "start": lambda held, value: held is not None and held.startswith(value),
    "any": lambda held, value: held in value,
}


def filtering(kind: RecordType, q: str) -> Callable[[Body], bool]:
    """
    A test of records.

    Raises:
        NetSuiteError: not of this form, a field that the type does not have, or an operator that it does not take.
    """
    tests: list[tuple[str, str, Any]] = []
    at = 0
    while True:
        match = _CONDITION.match(q, at)
        if match is None:
            raise parameter('Invalid search query. Provide conditions such as email IS "x" joined by AND.', "q")
        name, operator, text = match.groups()
        wanted = kind.fields.get(name)
        operators = _BY_KIND.get(wanted.kind, {}) if wanted is not None and not wanted.computed else {}
        if wanted is None or operator not in operators:
            raise parameter(f"Invalid search query. {name} {operator} is no condition of {kind.name}.", "q")
        tests.append((name, operators[operator], _value(wanted, text)))
        at = match.end()
        if at == len(q):
            return lambda record: all(_TESTS[test](record.get(field), value) for field, test, value in tests)
        joined = _AND.match(q, at)
        if joined is None:
            raise parameter("Invalid search query. Conditions are joined by AND.", "q")
        at = joined.end()


def _value(wanted: Field, text: str) -> Any:
    plain = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    match wanted.kind:
        case "ref":
            return plain.strip("[]").split(",") if plain.startswith("[") else plain
        case "boolean" if plain in ("true", "false"):
            return plain == "true"
        case "number" | "integer":
            try:
                return Decimal(plain)
            except InvalidOperation:
                raise parameter(f"Invalid search query. {plain[:40]} is no number.", "q") from None
        case "date" if re.fullmatch(r"\d{4}-\d\d-\d\d", plain):
            return plain
        case "text":
            return plain
    raise parameter(f"Invalid search query. {plain[:40]} is not a value of this field.", "q")
