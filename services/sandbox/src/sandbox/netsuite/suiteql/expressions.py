"""Conditions and expressions of a query, by recursive descent."""

from __future__ import annotations

from decimal import Decimal

from sandbox.netsuite.suiteql.functions import FUNCTIONS
from sandbox.netsuite.suiteql.lexer import UNSUPPORTED
from sandbox.netsuite.suiteql.stepping import RESERVED, Steps
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
)

AGGREGATES = frozenset({"SUM", "COUNT", "MIN", "MAX", "AVG"})
_COMPARISONS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
_TELLING = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "BETWEEN"})
_LONGEST_LIST = 1000  # Oracle's own bound of IN


class Expressions(Steps):
    """`OR` binds less than `AND`, that less than `NOT`; `+ - ||` less than `* /`."""

    def condition(self) -> Condition:
        left = self._conjunction()
        while self.accept("OR"):
            left = Either(left, self._conjunction())
        return left

    def _conjunction(self) -> Condition:
        left = self._negation()
        while self.accept("AND"):
            left = Both(left, self._negation())
        return left

    def _negation(self) -> Condition:
        if self.accept("NOT"):
            return self.nested(lambda: Not(self._negation()))
        if self.token.text == "(" and self._is_condition():
            self.expect("(")
            inner = self.nested(self.condition)
            self.expect(")")
            return inner
        return self._predicate()

    def _is_condition(self) -> bool:
        """
        Whether the bracket that comes next holds a condition rather than an expression.

        Expressions hold conditions in CASE alone, so what compares outside of one tells it. It is read ahead: trying
        would double the work with each bracket.
        """
        brackets = cases = 0
        for token in self.tokens[self.at :]:
            brackets += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
            if not brackets:
                return False
            cases += (token.word == "CASE") - (token.word == "END")
            if not cases and (token.word in _TELLING or (token.kind == "symbol" and token.text in _COMPARISONS)):
                return True
        return False

    def _predicate(self) -> Condition:
        left = self.expression()
        if self.accept("IS"):
            negated = self.accept("NOT")
            self.expect("NULL")
            return Not(IsNull(left)) if negated else IsNull(left)
        negated = self.accept("NOT")
        found: Condition
        if self.accept("IN"):
            self.expect("(")
            options = self.listed(self.expression)
            self.expect(")")
            if len(options) > _LONGEST_LIST:
                raise QueryError("Search error occurred: The maximum number of expressions in a list is 1000.")
            found = Among(left, options)
        elif self.accept("LIKE"):
            found = Like(left, self.expression())
        elif self.accept("BETWEEN"):
            low = self.expression()
            self.expect("AND")
            found = Both(Compare(">=", left, low), Compare("<=", left, self.expression()))
        elif not negated and self.token.kind == "symbol" and self.token.text in _COMPARISONS:
            operator = self.take().text
            found = Compare("<>" if operator == "!=" else operator, left, self.expression())
        else:
            raise QueryError(f"{UNSUPPORTED} A condition is expected before {self.token.text or 'the end'}.")
        return Not(found) if negated else found

    def expression(self) -> Expression:
        left = self._product()
        while self.token.kind == "symbol" and self.token.text in ("+", "-", "||"):
            left = Arithmetic(self.take().text, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._factor()
        while self.token.kind == "symbol" and self.token.text in ("*", "/"):
            left = Arithmetic(self.take().text, left, self._factor())
        return left

    def _factor(self) -> Expression:
        if self.accept("-"):
            return self.nested(lambda: Arithmetic("-", Literal(Decimal(0)), self._factor()))
        if self.accept("("):
            inner = self.nested(self.expression)
            self.expect(")")
            return inner
        if self.accept("CASE"):
            return self.nested(self._case)
        token = self.take()
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
            case "word" if self.token.text == "(" and self.token.kind == "symbol":
                return self.nested(lambda: self._call(token.word))
            case "word" if token.word not in RESERVED and not token.text.endswith("*"):
                table, _, name = token.text.lower().rpartition(".")
                return Column(name, table or None)
        raise QueryError(f"{UNSUPPORTED} {token.text or 'The end'} is not expected.")

    def _call(self, name: str) -> Expression:
        self.expect("(")
        if name in AGGREGATES:
            if name == "COUNT" and self.accept("*", ")"):
                return Aggregate(name, None)
            distinct = self.accept("DISTINCT")
            argument = self.expression()
            self.expect(")")
            return Aggregate(name, argument, distinct)
        if name not in FUNCTIONS:
            raise QueryError(f"{UNSUPPORTED} The function {name} is not known.")
        arguments = self.listed(self.expression)
        self.expect(")")
        if len(arguments) not in FUNCTIONS[name]:
            raise QueryError(f"{UNSUPPORTED} {name} has another number of arguments.")
        return Call(name, arguments)

    def _case(self) -> Expression:
        branches = []
        while self.accept("WHEN"):
            condition = self.condition()
            self.expect("THEN")
            branches.append((condition, self.expression()))
        otherwise = self.expression() if self.accept("ELSE") else Literal(None)
        self.expect("END")
        if not branches:
            raise QueryError(f"{UNSUPPORTED} CASE has no WHEN.")
        return Case(tuple(branches), otherwise)
