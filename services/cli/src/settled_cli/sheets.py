"""CSV for spreadsheets: RFC 4180, a header, decimals in major units, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from event_schemas.values import Currency

RUNS = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is a formula to Excel, LibreOffice and Sheets


def major(minor: int, currency: str) -> Decimal:
    """An amount of minor units in major ones, exact, with the currency's decimals."""
    return Decimal(minor).scaleb(-Currency(currency.upper()).minor_digits)


def sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """
    Rows as CSV with a header: lines end with CRLF, a cell with a comma, a quote or a line break is quoted.

    Numbers (int, Decimal) stay numbers. A text that a spreadsheet would take for a formula gets an apostrophe before
    it, which spreadsheets read as "this is text".
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def print_sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """CSV on standard output, its line ends kept."""
    sys.stdout.flush()
    sys.stdout.buffer.write(sheet(columns, rows).encode())
    sys.stdout.buffer.flush()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(RUNS) else text
