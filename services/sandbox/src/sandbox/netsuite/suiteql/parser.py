"""
SuiteQL, as far as it is carried out, by recursive descent. Everything else is refused.

    SELECT [DISTINCT] * | expression [[AS] name], …
    FROM table [alias] {[INNER | LEFT [OUTER]] JOIN table [alias] ON condition}
    [WHERE condition] [GROUP BY expression, …] [HAVING condition]
    [ORDER BY expression [ASC | DESC], …] [FETCH FIRST n ROWS ONLY]

No query ever becomes text for another database: what is read here is walked over by `evaluate.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.netsuite.suiteql.expressions import Expressions
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED, tokens
from sandbox.netsuite.suiteql.stepping import RESERVED
from sandbox.netsuite.suiteql.tree import Column, Expression, Output, Query, QueryError, Source, Value


def parse(text: str, parameters: Sequence[Value] = ()) -> Query:
    """
    A query with its bound parameters in their places.

    Raises:
        QueryError: it is not of this grammar, or the parameters are not as many as its question marks.
    """
    parser = _Parser(tokens(text), list(parameters))
    query = parser.query()
    if parser.parameters:
        raise QueryError("Search error occurred: There are more parameters than placeholders.")
    return query


class _Parser(Expressions):
    def query(self) -> Query:
        """The whole text."""
        self.expect("SELECT")
        distinct = self.accept("DISTINCT")
        outputs = () if self.accept("*") else self._named(self.listed(self._output))
        self.expect("FROM")
        sources = self._sources()
        where = self.condition() if self.accept("WHERE") else None
        group = self.listed(self.expression) if self.accept("GROUP", "BY") else ()
        having = self.condition() if self.accept("HAVING") else None
        order = self.listed(self._ordering) if self.accept("ORDER", "BY") else ()
        first = self._first() if self.accept("FETCH", "FIRST") else None
        if self.token.kind != "end":
            raise QueryError(f"{UNSUPPORTED} {self.token.text} is not expected.")
        tables = {one.alias: one.table for one in sources}
        if len(tables) != len(sources):
            raise QueryError(f"{UNSUPPORTED} Two tables have one alias.")
        return Query(outputs, sources, distinct, where, group, having, order, first, tables)

    def _output(self) -> tuple[Expression, str | None]:
        expression = self.expression()
        if self.accept("AS") or (self.token.kind in ("word", "quoted") and self.token.word not in RESERVED):
            return expression, self.name()
        return expression, expression.name if isinstance(expression, Column) else None

    @staticmethod
    def _named(found: tuple[tuple[Expression, str | None], ...]) -> tuple[Output, ...]:
        """Expressions without a name are called expr1, expr2, … by their place among such."""
        named, unnamed = [], 0
        for expression, name in found:
            if name is None:
                unnamed += 1
                name = f"expr{unnamed}"
            named.append(Output(expression, name))
        if len({one.name for one in named}) != len(named):
            raise QueryError(f"{UNSUPPORTED} Two columns of the result have one name.")
        return tuple(named)

    def _sources(self) -> tuple[Source, ...]:
        found = [self._source()]
        while True:
            outer = self.accept("LEFT", "OUTER", "JOIN") or self.accept("LEFT", "JOIN")
            if not outer and not self.accept("INNER", "JOIN") and not self.accept("JOIN"):
                return tuple(found)
            source = self._source()
            self.expect("ON")
            found.append(Source(source.table, source.alias, self.condition(), outer))

    def _source(self) -> Source:
        table = self.name()
        self.accept("AS")
        named = self.token.kind == "word" and self.token.word not in RESERVED
        return Source(table, self.name() if named else table)

    def _ordering(self) -> tuple[Expression, bool]:
        expression = self.expression()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        return expression, descending

    def _first(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise QueryError(f"{UNSUPPORTED} FETCH FIRST takes a whole number.")
        self.expect("ROWS", "ONLY")
        return int(token.text)
