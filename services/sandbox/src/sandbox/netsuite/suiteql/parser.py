"""
SuiteQL, as far as it is carried out, by recursive descent. Everything else is refused.

    SELECT [DISTINCT] * | expression [[AS] name], …
    FROM table [alias] {[INNER | LEFT [OUTER]] JOIN table [alias] ON condition}
    [WHERE condition] [GROUP BY expression, …] [HAVING condition]
    [ORDER BY expression [ASC | DESC], …] [FETCH FIRST n ROWS ONLY]

No query ever becomes text for another database: what is read here is walked over by `evaluate.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from sandbox.netsuite.suiteql.functions import FUNCTIONS
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED, Token, tokens
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

AGGREGATES = frozenset({"SUM", "COUNT", "MIN", "MAX", "AVG"})
_RESERVED_WORDS = (
    "SELECT FROM WHERE GROUP BY HAVING ORDER JOIN INNER LEFT RIGHT FULL OUTER CROSS ON AS AND OR NOT IN LIKE IS NULL "
    "BETWEEN CASE WHEN THEN ELSE END DISTINCT UNION INTERSECT MINUS FETCH FIRST ROWS ONLY ASC DESC WITH EXISTS INSERT "
    "UPDATE DELETE DROP INTO VALUES ALTER CREATE EXEC EXECUTE ALL ANY"
)
_RESERVED = frozenset(_RESERVED_WORDS.split())
_COMPARISONS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
_TELLING = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "BETWEEN"})
_DEEPEST = 40  # nested brackets, far above any query of a connector
_LONGEST_LIST = 1000  # Oracle's own bound of IN
_Part = TypeVar("_Part")


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


class _Parser:
    def __init__(self, found: list[Token], parameters: list[Value]) -> None:
        self._tokens, self._at, self._depth = found, 0, 0
        self.parameters = parameters

    # -- steps -----------------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._token
        self._at += 1
        return token

    def _accept(self, *words: str) -> bool:
        """Take these words or symbols, if they come next, all of them."""
        following = self._tokens[self._at : self._at + len(words)]
        if [one.word or (one.text if one.kind == "symbol" else "") for one in following] != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._accept(*words):
            raise QueryError(f"{UNSUPPORTED} {' '.join(words)} is expected before {self._token.text or 'the end'}.")

    def _name(self) -> str:
        token = self._take()
        if token.kind not in ("word", "quoted") or token.word in _RESERVED or "." in token.text:
            raise QueryError(f"{UNSUPPORTED} {token.text or 'the end'} is no name.")
        return token.text.lower()

    def _listed(self, part: Callable[[], _Part]) -> tuple[_Part, ...]:
        found = [part()]
        while self._accept(","):
            found.append(part())
        return tuple(found)

    # -- clauses ---------------------------------------------------------------------------------------------------

    def query(self) -> Query:
        """The whole text."""
        self._expect("SELECT")
        distinct = self._accept("DISTINCT")
        outputs = () if self._accept("*") else self._named(self._listed(self._output))
        self._expect("FROM")
        sources = self._sources()
        where = self._condition() if self._accept("WHERE") else None
        group = self._listed(self._expression) if self._accept("GROUP", "BY") else ()
        having = self._condition() if self._accept("HAVING") else None
        order = self._listed(self._ordering) if self._accept("ORDER", "BY") else ()
        first = self._first() if self._accept("FETCH", "FIRST") else None
        if self._token.kind != "end":
            raise QueryError(f"{UNSUPPORTED} {self._token.text} is not expected.")
        tables = {one.alias: one.table for one in sources}
        if len(tables) != len(sources):
            raise QueryError(f"{UNSUPPORTED} Two tables have one alias.")
        return Query(outputs, sources, distinct, where, group, having, order, first, tables)

    def _output(self) -> tuple[Expression, str | None]:
        expression = self._expression()
        if self._accept("AS") or (self._token.kind in ("word", "quoted") and self._token.word not in _RESERVED):
            return expression, self._name()
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
            outer = self._accept("LEFT", "OUTER", "JOIN") or self._accept("LEFT", "JOIN")
            if not outer and not self._accept("INNER", "JOIN") and not self._accept("JOIN"):
                return tuple(found)
            source = self._source()
            self._expect("ON")
            found.append(Source(source.table, source.alias, self._condition(), outer))

    def _source(self) -> Source:
        table = self._name()
        self._accept("AS")
        named = self._token.kind == "word" and self._token.word not in _RESERVED
        return Source(table, self._name() if named else table)

    def _ordering(self) -> tuple[Expression, bool]:
        expression = self._expression()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        return expression, descending

    def _first(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.isdigit():
            raise QueryError(f"{UNSUPPORTED} FETCH FIRST takes a whole number.")
        self._expect("ROWS", "ONLY")
        return int(token.text)

    # -- conditions ------------------------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        left = self._conjunction()
        while self._accept("OR"):
            left = Either(left, self._conjunction())
        return left

    def _conjunction(self) -> Condition:
        left = self._negation()
        while self._accept("AND"):
            left = Both(left, self._negation())
        return left

    def _negation(self) -> Condition:
        if self._accept("NOT"):
            return self._nested(lambda: Not(self._negation()))
        if self._token.text == "(" and self._is_condition():
            self._expect("(")
            inner = self._nested(self._condition)
            self._expect(")")
            return inner
        return self._predicate()

    def _is_condition(self) -> bool:
        """
        Whether the bracket that comes next holds a condition rather than an expression.

        Expressions hold conditions in CASE alone, so what compares outside of one tells it. It is read ahead: trying
        would double the work with each bracket.
        """
        brackets = cases = 0
        for token in self._tokens[self._at :]:
            brackets += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
            if not brackets:
                return False
            cases += (token.word == "CASE") - (token.word == "END")
            if not cases and (token.word in _TELLING or (token.kind == "symbol" and token.text in _COMPARISONS)):
                return True
        return False

    def _predicate(self) -> Condition:
        left = self._expression()
        if self._accept("IS"):
            negated = self._accept("NOT")
            self._expect("NULL")
            return Not(IsNull(left)) if negated else IsNull(left)
        negated = self._accept("NOT")
        found: Condition
        if self._accept("IN"):
            self._expect("(")
            options = self._listed(self._expression)
            self._expect(")")
            if len(options) > _LONGEST_LIST:
                raise QueryError("Search error occurred: The maximum number of expressions in a list is 1000.")
            found = Among(left, options)
        elif self._accept("LIKE"):
            found = Like(left, self._expression())
        elif self._accept("BETWEEN"):
            low = self._expression()
            self._expect("AND")
            found = Both(Compare(">=", left, low), Compare("<=", left, self._expression()))
        elif not negated and self._token.kind == "symbol" and self._token.text in _COMPARISONS:
            operator = self._take().text
            found = Compare("<>" if operator == "!=" else operator, left, self._expression())
        else:
            raise QueryError(f"{UNSUPPORTED} A condition is expected before {self._token.text or 'the end'}.")
        return Not(found) if negated else found

    # -- expressions -----------------------------------------------------------------------------------------------

    def _expression(self) -> Expression:
        left = self._product()
        while self._token.kind == "symbol" and self._token.text in ("+", "-", "||"):
            left = Arithmetic(self._take().text, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._factor()
        while self._token.kind == "symbol" and self._token.text in ("*", "/"):
            left = Arithmetic(self._take().text, left, self._factor())
        return left

    def _factor(self) -> Expression:
        if self._accept("-"):
            return self._nested(lambda: Arithmetic("-", Literal(Decimal(0)), self._factor()))
        if self._accept("("):
            inner = self._nested(self._expression)
            self._expect(")")
            return inner
        if self._accept("CASE"):
            return self._nested(self._case)
        token = self._take()
        match token.kind:
            case "number":
                return Literal(Decimal(token.text))
            case "text":
                return Literal(token.text or None)  # Oracle: an empty text is NULL
            case "symbol" if token.text == "?":
                if not self.parameters:
                    raise QueryError("Search error occurred: There are fewer parameters than placeholders.")
                return Literal(self.parameters.pop(0))
            case "word" if token.word == "NULL":
                return Literal(None)
            case "word" if self._token.text == "(" and self._token.kind == "symbol":
                return self._nested(lambda: self._call(token.word))
            case "word" if token.word not in _RESERVED and not token.text.endswith("*"):
                table, _, name = token.text.lower().rpartition(".")
                return Column(name, table or None)
        raise QueryError(f"{UNSUPPORTED} {token.text or 'The end'} is not expected.")

    def _call(self, name: str) -> Expression:
        self._expect("(")
        if name in AGGREGATES:
            if name == "COUNT" and self._accept("*", ")"):
                return Aggregate(name, None)
            distinct = self._accept("DISTINCT")
            argument = self._expression()
            self._expect(")")
            return Aggregate(name, argument, distinct)
        if name not in FUNCTIONS:
            raise QueryError(f"{UNSUPPORTED} The function {name} is not known.")
        arguments = self._listed(self._expression)
        self._expect(")")
        if len(arguments) not in FUNCTIONS[name]:
            raise QueryError(f"{UNSUPPORTED} {name} has another number of arguments.")
        return Call(name, arguments)

    def _case(self) -> Expression:
        branches = []
        while self._accept("WHEN"):
            condition = self._condition()
            self._expect("THEN")
            branches.append((condition, self._expression()))
        otherwise = self._expression() if self._accept("ELSE") else Literal(None)
        self._expect("END")
        if not branches:
            raise QueryError(f"{UNSUPPORTED} CASE has no WHEN.")
        return Case(tuple(branches), otherwise)

    def _nested(self, part: Callable[[], _Part]) -> _Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"{UNSUPPORTED} It is nested too deeply.")
        try:
            return part()
        finally:
            self._depth -= 1
