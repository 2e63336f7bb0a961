"""What a query is once it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Value = str | Decimal | date | None


class QueryError(Exception):
    """The query is not carried out; the text is what NetSuite would describe."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, or a bound parameter's value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `table` is the alias that it is qualified by."""

    name: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """SUM, COUNT, MIN, MAX, AVG; `argument` is None for COUNT(*)."""

    name: str
    argument: Expression | None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /` of numbers, `||` of texts."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Case:
    """CASE WHEN condition THEN value … ELSE value END."""

    branches: tuple[tuple[Condition, Expression], ...]
    otherwise: Expression


Expression = Literal | Column | Call | Aggregate | Arithmetic | Case


@dataclass(frozen=True, slots=True)
class Compare:
    """`= <> < <= > >=`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Among:
    """IN, of a list."""

    value: Expression
    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """LIKE with % and _."""

    value: Expression
    pattern: Expression


@dataclass(frozen=True, slots=True)
class IsNull:
    """IS NULL."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """NOT, whose unknown stays unknown."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """AND."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Either:
    """OR."""

    left: Condition
    right: Condition


Condition = Compare | Among | Like | IsNull | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Source:
    """A table with its alias; `on` joins it to those before it, and `outer` keeps rows that have no match."""

    table: str
    alias: str
    on: Condition | None = None
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer."""

    expression: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `outputs` is empty for `SELECT *`."""

    outputs: tuple[Output, ...]
    sources: tuple[Source, ...]
    distinct: bool = False
    where: Condition | None = None
    group: tuple[Expression, ...] = ()
    having: Condition | None = None
    order: tuple[tuple[Expression, bool], ...] = ()  # with whether it descends
    first: int | None = None
    tables: dict[str, str] = field(default_factory=dict)  # alias -> table
