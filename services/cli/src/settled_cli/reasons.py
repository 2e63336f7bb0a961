"""The reason of an invoice line in a sentence: where its quantity comes from, how it was reckoned, what it goes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from settled_cli.tables import money


def in_words(line: dict[str, Any], currency: str) -> str:
    """Why a line is what it is, as the door says it; empty where it says nothing."""
    why = line.get("why")
    if not why:
        return ""
    amount = money(line["amount_minor"], currency)
    worth = amount if why["rounding"] == "exact" else why["rounding"]
    version = f" of {why['price_version']}" if why["price_version"] else ""  # a credit has an amount and no price
    return f"{why['quantity']}; {why['formula']} = {worth}; by {why['clause']}{version}"


def paragraphs(lines: Sequence[dict[str, Any]], currency: str) -> list[RenderableType]:
    """The reasons of some lines for people, under a heading; nothing where there are none."""
    told = [(line["item"], words) for line in lines if (words := in_words(line, currency))]
    if not told:
        return []
    rows = [Padding(Text(f"{item}: {words}"), (0, 0, 0, 2)) for item, words in told]
    return [Text("Why each line is what it is", style="italic"), Group(*rows), Text()]
