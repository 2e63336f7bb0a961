"""Answers a query from the tables' rows, in memory: joined, filtered, grouped, ordered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from sandbox.netsuite.records.book import Book
from sandbox.netsuite.suiteql.functions import to_number, written
from sandbox.netsuite.suiteql.ledger_tables import Row, named, transactions
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED
from sandbox.netsuite.suiteql.tables import TABLES
from sandbox.netsuite.suiteql.tree import (
    Aggregate,
    Among,
    Both,
    Column,
    Compare,
    Condition,
    Expression,
    Literal,
    Output,
    Query,
    QueryError,
    Source,
    Value,
)
from sandbox.netsuite.suiteql.values import SORTED, Joined, Values
from sandbox.netsuite.suiteql.walking import columns_of, has_aggregate, inner_parts

MOST_ROWS = 100_000  # of a result, without SuiteAnalytics Connect
_MOST_PAIRS = 5_000_000  # that a join may look at: above any use, below what would keep the process busy for long


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
        self._values = Values(book, query.tables)
        for source in query.sources:
            if source.table not in TABLES:
                raise QueryError(f"Invalid search type: {source.table}.")
        self._outputs = query.outputs or self._all_columns()
        self._check_columns()
        if any(has_aggregate(part) for part in (query.where, query.group, query.sources)):
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
        for part in columns_of((self._query, self._outputs)):
            if part.table is None and part.name in names and part in [one for one, _ in self._query.order]:
                continue  # an alias
            self._values.place(part)

    # -- rows ------------------------------------------------------------------------------------------------------

    def rows(self) -> list[dict[str, str]]:
        query = self._query
        joined: Iterable[Joined] = self._joined()
        if query.where is not None:
            where = query.where
            joined = (row for row in joined if self._values.holds(where, [row]) is True)
        groups = self._groups(joined)
        if query.having is not None:
            having = query.having
            groups = (group for group in groups if self._values.holds(having, group) is True)
        found = [(group, [self._values.value(one.expression, group) for one in self._outputs]) for group in groups]
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
        found: Iterator[Joined] = ({first.alias: row} for row in self._first_rows(first))
        known = [first.alias]
        for source in others:
            found = self._join(found, source, tuple(known))
            known.append(source.alias)
        return found

    def _first_rows(self, source: Source) -> Iterator[Row]:
        """The rows of the first table; transactions that the condition names are looked up rather than looked for."""
        pinned = None if self._query.where is None else self._pinned(self._query.where, source)
        found = None if pinned is None else named(self._book, *pinned)
        return TABLES[source.table].rows(self._book) if found is None else transactions(self._book, found)

    def _pinned(self, where: Condition, source: Source) -> tuple[str, tuple[Value, ...]] | None:
        """(column, values) of which a transaction must have one: of its id or external id."""
        match where:
            case Both(left, right):
                return self._pinned(left, source) or self._pinned(right, source)
            case Compare("=", Column() as column, Literal() as literal):
                values: tuple[Value, ...] = (literal.value,)
            case Among(Column() as column, options) if all(isinstance(one, Literal) for one in options):
                values = tuple(one.value for one in options if isinstance(one, Literal))
            case _:
                return None
        mine = source.table == "transaction" and column.name in ("id", "externalid")
        return (column.name, values) if mine and self._values.place(column)[0] == source.alias else None

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
            options = right if keys is None else index.get(_looked_up(self._values.value(keys[0], [joined])), [])
            looked_at += len(options)
            if looked_at > _MOST_PAIRS:
                raise QueryError(f"{UNSUPPORTED} The join looks at too many rows.")
            matched = False
            for row in options:
                candidate = {**joined, source.alias: row}
                if self._values.holds(source.on, [candidate]) is True:
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
                left, right = self._values.place(one)[0], self._values.place(other)[0]
                if right == alias and left in known:
                    return one, other
                if left == alias and right in known:
                    return other, one
        return None

    def _groups(self, joined: Iterable[Joined]) -> Iterator[list[Joined]]:
        """Each row by itself, or the rows of each group; without GROUP BY all rows are one where anything is summed."""
        query = self._query
        summed = any(has_aggregate(one.expression) for one in self._outputs) or query.having is not None
        if not query.group:
            if not summed:
                return ([row] for row in joined)
            self._check_grouped()
            return iter([list(joined)])
        self._check_grouped()
        groups: dict[tuple[Value, ...], list[Joined]] = {}
        for row in joined:
            groups.setdefault(tuple(self._values.value(one, [row]) for one in query.group), []).append(row)
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
        return all(self._is_grouped(inner) for inner in inner_parts(part))

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
            return self._values.value(expression, group)

        for expression, descending in reversed(self._query.order):
            keyed = [(key(expression, row), row) for row in found]
            keyed.sort(key=lambda pair: SORTED(pair[0]), reverse=descending)
            found = [row for _, row in keyed]
        return found


def _looked_up(value: Value) -> Value:
    """A value by which rows are found: a text that is a number is equal to the number, as `compare` has it."""
    try:
        return to_number(value) if isinstance(value, str) else value
    except QueryError:
        return value
