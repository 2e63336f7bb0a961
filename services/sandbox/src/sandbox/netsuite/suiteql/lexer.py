"""A query's text into tokens. What is no token of the grammar is refused: comments, semicolons, control codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.netsuite.suiteql.tree import QueryError

UNSUPPORTED = "Search error occurred: Invalid or unsupported search."
LONGEST = 20_000  # characters; far above any query of a connector, far below what could keep the parser busy
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?(?:\.\*)?)
  | '(?P<text>(?:[^'\0]|'')*)'
  | "(?P<quoted>[^"\0]+)"
  | (?P<symbol><=|>=|<>|!=|\|\||[=<>+*/(),?-])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, number, text, quoted, symbol or end; words keep their case in `text`."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The word in upper case; empty for what is no word."""
        return self.text.upper() if self.kind == "word" else ""


def tokens(query: str) -> list[Token]:
    """All tokens, and an end. Raises QueryError where something is none."""
    if len(query) > LONGEST or "--" in _outside_texts(query) or "/*" in _outside_texts(query):
        raise QueryError(UNSUPPORTED)
    found: list[Token] = []
    query, at = query.strip(), 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None or match.lastgroup is None:
            raise QueryError(f"Search error occurred: Invalid or unsupported search near position {at}.")
        text = match[match.lastgroup]
        found.append(Token(match.lastgroup, text.replace("''", "'") if match.lastgroup == "text" else text))
        at = match.end()
    return [*found, Token("end", "")]


def _outside_texts(query: str) -> str:
    """The query without what stands between quotes, where two hyphens mean nothing."""
    return re.sub(r"'(?:[^']|'')*'", "''", query)
