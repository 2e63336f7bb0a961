"""What expressions and conditions come to for a row or a group. NULL is unknown: a condition is true, false or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cmp_to_key

from sandbox.netsuite.domain.amounts import total
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.suiteql.functions import arithmetic, call, compare, to_number, written
from sandbox.netsuite.suiteql.ledger_tables import Row
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED
from sandbox.netsuite.suiteql.tables import TABLES, shown_name
from sandbox.netsuite.suiteql.tree import (
    Aggregate,
    Among,
    Arithmetic,
    Both,
    Call,
    Case,
    Column,
    Compare,
    Condition,
    Either,
    Expression,
    IsNull,
    Like,
    Literal,
    Not,
    QueryError,
    Value,
)
from sandbox.netsuite.suiteql.walking import has_aggregate

_ORDERS: dict[str, Callable[[int], bool]] = {
    "=": lambda c: c == 0,
    "<>": lambda c: c != 0,
    "<": lambda c: c < 0,
    "<=": lambda c: c <= 0,
    ">": lambda c: c > 0,
    ">=": lambda c: c >= 0,
}
Joined = dict[str, Row | None]  # by alias; None: an outer join has no match


def _order(one: Value, other: Value) -> int:
    """How two values are sorted, NULL last."""
    if one is None or other is None:
        return (one is None) - (other is None)
    return compare(one, other) or 0


SORTED = cmp_to_key(_order)


def _like(value: str, pattern: str) -> bool:
    """Whether a text has the form of a pattern; in time that grows with their lengths, whatever the pattern."""
    at = place = 0
    star, resume = -1, 0
    while at < len(value):
        if place < len(pattern) and pattern[place] == "%":
            star, resume, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("_", value[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("%")


class Values:
    """Values over the tables of one query, by alias."""

    def __init__(self, book: Book, tables: Mapping[str, str]) -> None:
        self._book, self._tables = book, tables

    def place(self, column: Column) -> tuple[str, str]:
        """(alias, table) of a column."""
        tables = self._tables
        aliases = [column.table] if column.table is not None else list(tables)
        if column.table is None:
            aliases = [alias for alias in tables if column.name in TABLES[tables[alias]].columns]
        if not aliases or aliases[0] not in tables or column.name not in TABLES[tables[aliases[0] or ""]].columns:
            known = ", ".join(f"{alias}={table}" for alias, table in tables.items())
            said = f"Unknown identifier '{column.name}'. Available identifiers are: {{{known}}}."
            raise QueryError(f"Search error occurred: {said}")
        if len(aliases) > 1:
            raise QueryError(f"{UNSUPPORTED} The column {column.name} is ambiguous.")
        alias = aliases[0] or ""
        return alias, tables[alias]

    def value(self, part: Expression, group: list[Joined]) -> Value:
        """What an expression comes to for a row, or for the rows of a group."""
        match part:
            case Literal():
                return part.value
            case Column():
                if not group:
                    return None
                held = group[0][self.place(part)[0]]
                return None if held is None else held[part.name]
            case Aggregate():
                return self._aggregate(part, group)
            case Arithmetic():
                return arithmetic(part.operator, self.value(part.left, group), self.value(part.right, group))
            case Case():
                for condition, then in part.branches:
                    if self.holds(condition, group) is True:
                        return self.value(then, group)
                return self.value(part.otherwise, group)
            case Call(name="BUILTIN.DF"):
                column = part.arguments[0]
                if not isinstance(column, Column):
                    raise QueryError(f"{UNSUPPORTED} BUILTIN.DF takes a column.")
                return shown_name(self._book, self.place(column)[1], column.name, self.value(column, group))
            case Call():
                return call(part.name, [self.value(one, group) for one in part.arguments])

    def _aggregate(self, part: Aggregate, group: list[Joined]) -> Value:
        if part.argument is None:
            return Decimal(len(group))
        argument = part.argument
        if has_aggregate(argument):
            raise QueryError(f"{UNSUPPORTED} Aggregates are nested.")
        values = [value for row in group if (value := self.value(argument, [row])) is not None]
        if part.distinct:
            values = list(dict.fromkeys(values))
        match part.name:
            case "COUNT":
                return Decimal(len(values))
            case "MIN" | "MAX" if values:
                ordered = sorted(values, key=SORTED)
                return ordered[0 if part.name == "MIN" else -1]
            case "SUM" if values:
                return total(to_number(value) for value in values)
            case "AVG" if values:
                return total(to_number(value) for value in values) / len(values)
        return None

    def holds(self, part: Condition, group: list[Joined]) -> bool | None:
        """Whether a condition holds; None where that is unknown."""
        match part:
            case Both():
                left, right = self.holds(part.left, group), self.holds(part.right, group)
                return False if False in (left, right) else None if None in (left, right) else True
            case Either():
                left, right = self.holds(part.left, group), self.holds(part.right, group)
                return True if True in (left, right) else None if None in (left, right) else False
            case Not():
                inner = self.holds(part.condition, group)
                return None if inner is None else not inner
            case IsNull():
                return self.value(part.value, group) is None
            case Compare():
                found = compare(self.value(part.left, group), self.value(part.right, group))
                return None if found is None else _ORDERS[part.operator](found)
            case Among():
                value = self.value(part.value, group)
                results = [compare(value, self.value(one, group)) for one in part.options]
                return True if 0 in results else None if None in results else False
            case Like():
                value, pattern = written(self.value(part.value, group)), written(self.value(part.pattern, group))
                if value is None or pattern is None:
                    return None
                return _like(value, pattern)
