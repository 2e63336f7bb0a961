"""One step after the other through a query's tokens: what every rule of the grammar is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sandbox.netsuite.suiteql.lexer import UNSUPPORTED, Token
from sandbox.netsuite.suiteql.tree import QueryError, Value

_RESERVED_WORDS = (
    "SELECT FROM WHERE GROUP BY HAVING ORDER JOIN INNER LEFT RIGHT FULL OUTER CROSS ON AS AND OR NOT IN LIKE IS NULL "
    "BETWEEN CASE WHEN THEN ELSE END DISTINCT UNION INTERSECT MINUS FETCH FIRST ROWS ONLY ASC DESC WITH EXISTS INSERT "
    "UPDATE DELETE DROP INTO VALUES ALTER CREATE EXEC EXECUTE ALL ANY"
)
RESERVED = frozenset(_RESERVED_WORDS.split())
_DEEPEST = 40  # nested brackets, far above any query of a connector
Part = TypeVar("Part")


class Steps:
    """The tokens, where we are among them, how deep in brackets, and the parameters that are not bound yet."""

    def __init__(self, found: list[Token], parameters: list[Value]) -> None:
        self.tokens, self.at, self.depth = found, 0, 0
        self.parameters = parameters

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Take these words or symbols, if they come next, all of them."""
        following = self.tokens[self.at : self.at + len(words)]
        if [one.word or (one.text if one.kind == "symbol" else "") for one in following] != list(words):
            return False
        self.at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise QueryError(f"{UNSUPPORTED} {' '.join(words)} is expected before {self.token.text or 'the end'}.")

    def name(self) -> str:
        token = self.take()
        if token.kind not in ("word", "quoted") or token.word in RESERVED or "." in token.text:
            raise QueryError(f"{UNSUPPORTED} {token.text or 'the end'} is no name.")
        return token.text.lower()

    def listed(self, part: Callable[[], Part]) -> tuple[Part, ...]:
        found = [part()]
        while self.accept(","):
            found.append(part())
        return tuple(found)

    def nested(self, part: Callable[[], Part]) -> Part:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise QueryError(f"{UNSUPPORTED} It is nested too deeply.")
        try:
            return part()
        finally:
            self.depth -= 1
