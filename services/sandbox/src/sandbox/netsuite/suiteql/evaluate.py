"""Answers a query from the tables' rows, in memory. NULL is unknown: a condition is true, false or None."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from sandbox.netsuite.domain.amounts import total
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.suiteql.functions import arithmetic, call, compare, to_number, written
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED
from sandbox.netsuite.suiteql.tables import TABLES, Row, shown_name
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
    Output,
    Query,
    QueryError,
    Source,
    Value,
)

MOST_ROWS = 100_000  # of a result, without SuiteAnalytics Connect
_MOST_PAIRS = 5_000_000  # that a join may look at: above any use, below what would keep the process busy for long
_ORDERS: dict[str, Callable[[int], bool]] = {
    "=": lambda c: c == 0,
    "<>": lambda c: c != 0,
    "<": lambda c: c < 0,
    "<=": lambda c: c <= 0,
    ">": lambda c: c > 0,
    ">=": lambda c: c >= 0,
}
Joined = dict[str, Row | None]  # by alias; None: an outer join has no match


def answer(book: Book, query: Query) -> list[dict[str, str]]:
    """
    The rows of the result, each value as text; what is NULL is left out.

    Raises:
        QueryError: a table or column is not there, types do not go together, or the result is too large.
    """
    return _Evaluator(book, query).rows()


class _Evaluator:
    def __init__(self, book: Book, query: Query) -> None:
        self._book, self._query = book, query
        for source in query.sources:
            if source.table not in TABLES:
                raise QueryError(f"Invalid search type: {source.table}.")
        self._outputs = query.outputs or self._all_columns()
        self._check_columns()
        if any(_has_aggregate(part) for part in (query.where, query.group, query.sources)):
            raise QueryError(f"{UNSUPPORTED} Group function is not allowed here.")

    def _all_columns(self) -> tuple[Output, ...]:
        if len(self._query.sources) > 1:
            raise QueryError(f"{UNSUPPORTED} SELECT * takes one table.")
        source = self._query.sources[0]
        return tuple(Output(Column(name, source.alias), name) for name in TABLES[source.table].columns)

    # -- columns ---------------------------------------------------------------------------------------------------

    def _check_columns(self) -> None:
        """Every column is there before the first row is looked at, so that an empty table hides no mistake."""
        names = {output.name for output in self._outputs}
        for part in _columns_of((self._query, self._outputs)):
            if part.table is None and part.name in names and part in [one for one, _ in self._query.order]:
                continue  # an alias
            self._place(part)

    def _place(self, column: Column) -> tuple[str, str]:
        """(alias, table) of a column."""
        tables = self._query.tables
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

    # -- rows ------------------------------------------------------------------------------------------------------

    def rows(self) -> list[dict[str, str]]:
        query = self._query
        joined: Iterable[Joined] = self._joined()
        if query.where is not None:
            where = query.where
            joined = (row for row in joined if self._holds(where, [row]) is True)
        groups = self._groups(joined)
        if query.having is not None:
            having = query.having
            groups = (group for group in groups if self._holds(having, group) is True)
        found = [(group, [self._value(one.expression, group) for one in self._outputs]) for group in groups]
        if query.distinct:
            found = list({tuple(values): (group, values) for group, values in found}.values())
        if query.order:
            found = self._ordered(found)
        if query.first is not None:
            found = found[: query.first]
        if len(found) > MOST_ROWS:
            raise QueryError(f"Search error occurred: The result has more than {MOST_ROWS} rows.")
        names = [output.name for output in self._outputs]
        texts = ([written(value) for value in values] for _, values in found)
        return [{name: text for name, text in zip(names, row, strict=True) if text is not None} for row in texts]

    def _joined(self) -> Iterator[Joined]:
        first, *others = self._query.sources
        found: Iterator[Joined] = ({first.alias: row} for row in TABLES[first.table].rows(self._book))
        known = [first.alias]
        for source in others:
            found = self._join(found, source, tuple(known))
            known.append(source.alias)
        return found

    def _join(self, left: Iterator[Joined], source: Source, known: tuple[str, ...]) -> Iterator[Joined]:
        """Rows of the left with their matches; an equality of two columns finds them by look-up."""
        assert source.on is not None
        keys = self._equality(source.on, source.alias, known)
        right = list(TABLES[source.table].rows(self._book))
        index: dict[Value, list[Row]] = {}
        if keys is not None:
            for row in right:
                index.setdefault(_looked_up(row[keys[1].name]), []).append(row)
        looked_at = 0
        for joined in left:
            options = right if keys is None else index.get(_looked_up(self._value(keys[0], [joined])), [])
            looked_at += len(options)
            if looked_at > _MOST_PAIRS:
                raise QueryError(f"{UNSUPPORTED} The join looks at too many rows.")
            matched = False
            for row in options:
                candidate = {**joined, source.alias: row}
                if self._holds(source.on, [candidate]) is True:
                    matched = True
                    yield candidate
            if source.outer and not matched:
                yield {**joined, source.alias: None}

    def _equality(self, on: Condition, alias: str, known: tuple[str, ...]) -> tuple[Column, Column] | None:
        """(a column of the tables before, a column of this one) that the condition wants equal."""
        if isinstance(on, Both):
            return self._equality(on.left, alias, known) or self._equality(on.right, alias, known)
        match on:
            case Compare("=", Column() as one, Column() as other):
                left, right = self._place(one)[0], self._place(other)[0]
                if right == alias and left in known:
                    return one, other
                if left == alias and right in known:
                    return other, one
        return None

    def _groups(self, joined: Iterable[Joined]) -> Iterator[list[Joined]]:
        """Each row by itself, or the rows of each group; without GROUP BY all rows are one where anything is summed."""
        query = self._query
        summed = any(_has_aggregate(one.expression) for one in self._outputs) or query.having is not None
        if not query.group:
            if not summed:
                return ([row] for row in joined)
            self._check_grouped()
            return iter([list(joined)])
        self._check_grouped()
        groups: dict[tuple[Value, ...], list[Joined]] = {}
        for row in joined:
            groups.setdefault(tuple(self._value(one, [row]) for one in query.group), []).append(row)
        return iter(groups.values())

    def _check_grouped(self) -> None:
        for output in self._outputs:
            if not self._is_grouped(output.expression):
                raise QueryError(f"{UNSUPPORTED} {output.name} is neither grouped nor summed.")
        names = [Column(output.name) for output in self._outputs]
        others = [one for one, _ in self._query.order if one not in names] + [self._query.having]
        if not all(one is None or self._is_grouped(one) for one in others):
            raise QueryError(f"{UNSUPPORTED} HAVING or ORDER BY names what is neither grouped nor summed.")

    def _is_grouped(self, part: Any) -> bool:
        if part in self._query.group or isinstance(part, (Aggregate, Literal)):
            return True
        if isinstance(part, Column):
            return False
        return all(self._is_grouped(inner) for inner in _inner(part))

    def _ordered(self, found: list[tuple[list[Joined], list[Value]]]) -> list[tuple[list[Joined], list[Value]]]:
        """By each expression in turn, the last first; NULL comes last, and first where it descends, as in Oracle."""
        names = [output.name for output in self._outputs]

        def key(expression: Expression, row: tuple[list[Joined], list[Value]]) -> Value:
            group, values = row
            if isinstance(expression, Column) and expression.table is None and expression.name in names:
                return values[names.index(expression.name)]
            if isinstance(expression, Literal) and isinstance(expression.value, Decimal):
                place = int(expression.value)
                if not 1 <= place <= len(values):
                    raise QueryError(f"{UNSUPPORTED} ORDER BY names the column {place} of {len(values)}.")
                return values[place - 1]
            return self._value(expression, group)

        for expression, descending in reversed(self._query.order):
            keyed = [(key(expression, row), row) for row in found]
            keyed.sort(key=lambda pair: _SORTED(pair[0]), reverse=descending)
            found = [row for _, row in keyed]
        return found

    # -- values ----------------------------------------------------------------------------------------------------

    def _value(self, part: Expression, group: list[Joined]) -> Value:
        match part:
            case Literal():
                return part.value
            case Column():
                if not group:
                    return None
                held = group[0][self._place(part)[0]]
                return None if held is None else held[part.name]
            case Aggregate():
                return self._aggregate(part, group)
            case Arithmetic():
                return arithmetic(part.operator, self._value(part.left, group), self._value(part.right, group))
            case Case():
                for condition, then in part.branches:
                    if self._holds(condition, group) is True:
                        return self._value(then, group)
                return self._value(part.otherwise, group)
            case Call(name="BUILTIN.DF"):
                column = part.arguments[0]
                if not isinstance(column, Column):
                    raise QueryError(f"{UNSUPPORTED} BUILTIN.DF takes a column.")
                return shown_name(self._book, self._place(column)[1], column.name, self._value(column, group))
            case Call():
                return call(part.name, [self._value(one, group) for one in part.arguments])

    def _aggregate(self, part: Aggregate, group: list[Joined]) -> Value:
        if part.argument is None:
            return Decimal(len(group))
        argument = part.argument
        if _has_aggregate(argument):
            raise QueryError(f"{UNSUPPORTED} Aggregates are nested.")
        values = [value for row in group if (value := self._value(argument, [row])) is not None]
        if part.distinct:
            values = list(dict.fromkeys(values))
        match part.name:
            case "COUNT":
                return Decimal(len(values))
            case "MIN" | "MAX" if values:
                ordered = sorted(values, key=_SORTED)
                return ordered[0 if part.name == "MIN" else -1]
            case "SUM" if values:
                return total(to_number(value) for value in values)
            case "AVG" if values:
                return total(to_number(value) for value in values) / len(values)
        return None

    def _holds(self, part: Condition, group: list[Joined]) -> bool | None:
        match part:
            case Both():
                left, right = self._holds(part.left, group), self._holds(part.right, group)
                return False if False in (left, right) else None if None in (left, right) else True
            case Either():
                left, right = self._holds(part.left, group), self._holds(part.right, group)
                return True if True in (left, right) else None if None in (left, right) else False
            case Not():
                inner = self._holds(part.condition, group)
                return None if inner is None else not inner
            case IsNull():
                return self._value(part.value, group) is None
            case Compare():
                found = compare(self._value(part.left, group), self._value(part.right, group))
                return None if found is None else _ORDERS[part.operator](found)
            case Among():
                value = self._value(part.value, group)
                results = [compare(value, self._value(one, group)) for one in part.options]
                return True if 0 in results else None if None in results else False
            case Like():
                value, pattern = written(self._value(part.value, group)), written(self._value(part.pattern, group))
                if value is None or pattern is None:
                    return None
                return _like(value, pattern)


def _order(one: Value, other: Value) -> int:
    """How two values are sorted, NULL last."""
    if one is None or other is None:
        return (one is None) - (other is None)
    return compare(one, other) or 0


_SORTED = cmp_to_key(_order)


def _looked_up(value: Value) -> Value:
    """A value by which rows are found: a text that is a number is equal to the number, as `compare` has it."""
    try:
        return to_number(value) if isinstance(value, str) else value
    except QueryError:
        return value


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


def _inner(part: Any) -> Iterator[Any]:
    """The parts of which a part is made."""
    if isinstance(part, tuple):
        yield from part
    elif hasattr(part, "__dataclass_fields__"):
        for name in part.__dataclass_fields__:
            value = getattr(part, name)
            if isinstance(value, tuple) or hasattr(value, "__dataclass_fields__"):
                yield value


def _columns_of(part: Any) -> Iterator[Column]:
    if isinstance(part, Column):
        yield part
    for inner in _inner(part):
        yield from _columns_of(inner)


def _has_aggregate(part: Any) -> bool:
    return isinstance(part, Aggregate) or any(_has_aggregate(inner) for inner in _inner(part))
