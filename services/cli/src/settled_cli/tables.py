"""
Tables that fit the window: columns are left out, sentences wrapped, and what people copy is never cut.

A column stays whole (an id, a reason, an amount), or it wraps. Where the window is too narrow for all of them, columns
with `drop` go first, the highest number before the others; where that is not enough, each row becomes a card: one line
for each column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from event_schemas.values import Currency, Money

Row = Mapping[str, Any]
GAP = 2  # beside it, rich's box takes a cell after each column and one before the first
NARROWEST = 24  # of a column that wraps: three or four words a line


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the row's member that it shows, its heading, and what may happen to it in a narrow window."""

    key: str
    heading: str = ""
    wraps: bool = False
    drop: int = 0
    justify: Literal["left", "right"] = "left"
    style: str = ""

    @property
    def title(self) -> str:
        """What stands above it."""
        return self.heading or self.key.replace("_", " ")


def fitting(title: str, columns: Sequence[Column], rows: Sequence[Row], *, width: int) -> RenderableType:
    """A table of these rows for a window of `width` cells; cards where it is too narrow for one."""
    chosen = _chosen(columns, rows, width)
    head = Text(title, style="italic")
    return Group(head, *_cards(columns, rows)) if chosen is None else Group(head, _table(chosen, rows))


def _chosen(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[Column] | None:
    """The columns that fit, dropping the dispensable ones first; None where no choice of them does."""
    chosen = list(columns)
    while sum(_least(column, rows) + GAP + 1 for column in chosen) + 1 > width:
        droppable = [column for column in chosen if column.drop]
        if not droppable:
            return None
        chosen.remove(max(droppable, key=lambda column: column.drop))
    return chosen


def _least(column: Column, rows: Sequence[Row]) -> int:
    """The fewest cells that a column can do with."""
    longest = max((cell_len(shown(row.get(column.key))) for row in rows), default=0)
    return max(cell_len(column.title), min(longest, NARROWEST) if column.wraps else longest)


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, GAP, 0, 0))
    for column in columns:
        table.add_column(
            column.title,
            justify=column.justify,
            no_wrap=not column.wraps,
            min_width=_least(column, rows),
            overflow="fold",
            style=column.style,
        )
    for row in rows:
        table.add_row(*(Text(shown(row.get(column.key))) for column in columns))
    return table


def _cards(columns: Sequence[Column], rows: Sequence[Row]) -> list[RenderableType]:
    parts: list[RenderableType] = [Text()]
    for row in rows:
        card = Table.grid(padding=(0, GAP, 0, 0))
        card.add_column(style="dim", no_wrap=True)
        card.add_column(overflow="fold")
        for column in columns:
            if text := shown(row.get(column.key)):
                card.add_row(column.title, Text(text, style=column.style))
        parts += [card, Text()]
    return parts


def shown(value: Any) -> str:
    """A value as a cell shows it: nothing for None, yes and no for truth."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def money(minor: int, currency: str) -> str:
    """An amount of minor units as people write it."""
    return str(Money(minor, Currency(currency.upper())))


def moment(text: str | None) -> str:
    """An instant as people read it, to the second, in UTC."""
    return text[:19].replace("T", " ") if text else ""


def day(text: str | None) -> str:
    """The day of an instant."""
    return text[:10] if text else ""
