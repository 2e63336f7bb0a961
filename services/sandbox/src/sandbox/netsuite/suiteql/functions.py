"""Scalar functions of SuiteQL, and how values are compared, added and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, DecimalException

from sandbox.netsuite.domain.amounts import rounded
from sandbox.netsuite.suiteql.tree import QueryError, Value

_COALESCE = range(2, 20)
# name -> how many arguments it takes. BUILTIN.DF, which needs its column, is carried out by the evaluator.
FUNCTIONS: dict[str, range] = {
    "ABS": range(1, 2),
    "BUILTIN.DF": range(1, 2),
    "COALESCE": _COALESCE,
    "LOWER": range(1, 2),
    "NVL": range(2, 3),
    "ROUND": range(1, 3),
    "TO_CHAR": range(1, 3),
    "TO_DATE": range(2, 3),
    "TO_NUMBER": range(1, 2),
    "UPPER": range(1, 2),
}
_ISO = "YYYY-MM-DD"


def to_number(value: Value) -> Decimal:
    """A number, also one that is written as text. Raises QueryError for what is none."""
    if isinstance(value, Decimal):
        return value
    try:
        if not isinstance(value, str) or not re.fullmatch(r"\s*[+-]?\d*\.?\d+\s*", value, re.ASCII):
            raise QueryError("Search error occurred: Invalid number.")
        return Decimal(value.strip())
    except DecimalException:
        raise QueryError("Search error occurred: Invalid number.") from None


def written(value: Value) -> str | None:
    """A value as the answer has it: every one is text, a day as M/D/YYYY, a number without trailing zeros."""
    if isinstance(value, Decimal):
        text = format(value, "f") if value else "0"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date):
        return f"{value.month}/{value.day}/{value.year}"
    return value


def compare(left: Value, right: Value) -> int | None:
    """-1, 0, 1; None where one is NULL. Raises QueryError for a day and a text: TO_DATE makes the text a day."""
    if left is None or right is None:
        return None
    if isinstance(left, date) or isinstance(right, date):
        if not (isinstance(left, date) and isinstance(right, date)):
            raise QueryError("Search error occurred: A date is compared with what is none. Use TO_DATE.")
        return (left > right) - (left < right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        a, b = to_number(left), to_number(right)
        return (a > b) - (a < b)
    return (left > right) - (left < right)


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """`+ - * / ||`; NULL makes NULL, but for `||`, where it is an empty text."""
    if operator == "||":
        return (written(left) or "") + (written(right) or "") or None
    if left is None or right is None:
        return None
    a, b = to_number(left), to_number(right)
    if operator == "/" and not b:
        raise QueryError("Search error occurred: Divisor is equal to zero.")
    try:
        return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[operator](b)
    except DecimalException:
        raise QueryError("Search error occurred: Numeric overflow.") from None


def call(name: str, values: list[Value]) -> Value:
    """A scalar function of values."""
    if name in ("NVL", "COALESCE"):
        return next((value for value in values if value is not None), None)
    if any(value is None for value in values):
        return None
    return _CALLS[name](*values)


def _to_char(value: Value, form: Value = None) -> Value:
    if not isinstance(value, date):
        if form is not None:
            raise QueryError("Search error occurred: TO_CHAR of a number takes no format here.")
        return written(value)
    if form is None:
        return written(value)
    if not isinstance(form, str) or form.upper() not in (_ISO, "YYYY-MM", "YYYY", "MM/DD/YYYY"):
        raise QueryError("Search error occurred: Date format not recognized.")
    forms = {_ISO: "%Y-%m-%d", "YYYY-MM": "%Y-%m", "YYYY": "%Y", "MM/DD/YYYY": "%m/%d/%Y"}
    return value.strftime(forms[form.upper()])


def _to_date(value: Value, form: Value) -> Value:
    if isinstance(value, date):
        return value
    if form != _ISO and not (isinstance(form, str) and form.upper() == _ISO):
        raise QueryError("Search error occurred: Date format not recognized.")
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise QueryError("Search error occurred: The date does not match its format.") from None


def _round(value: Value, digits: Value = None) -> Value:
    places = 0 if digits is None else int(to_number(digits))
    if not -10 <= places <= 20:
        raise QueryError("Search error occurred: ROUND takes -10 to 20 digits.")
    return rounded(to_number(value), places)


_CALLS: dict[str, Callable[..., Value]] = {
    "ABS": lambda value: abs(to_number(value)),
    "LOWER": lambda value: str(written(value)).lower(),
    "UPPER": lambda value: str(written(value)).upper(),
    "ROUND": _round,
    "TO_CHAR": _to_char,
    "TO_DATE": _to_date,
    "TO_NUMBER": to_number,
}
