"""An invoice as its customer reads it, and beside or under each line why it is there: clause, quantity, formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from event_schemas.times import parse_instant
from settled_cli.demo.invoices import Fields, standing
from settled_cli.tables import money

WIDE = 110  # cells from which on the reasons have a column of their own
WIDEST = 132
SEATS, ADD_ONS, USAGE, OFF = "Seats", "Add-ons", "Usage", "Credits and discounts"
_SINCE = re.compile(r"(from|until) (\d{4}-\d\d-\d\d(?:T[0-9:.]+Z)?)(?=,|;|$)")
_PART = re.compile(r"× (\d+) / (\d+) microseconds")
_OF_TERM = re.compile(r"(-?)\((.+)\) × ([0-9.]+) of (\d+) days")
_PRODUCT = re.compile(r"-?[0-9.,]+ × [0-9.,]+")
_LONG = re.compile(r"(\d+\.\d{5})\d+")
_WHERE = re.compile(r" for [a-z0-9_]+ in \S+ to \S+?(?=,|;|$)")
DAY = 86_400_000_000
NAMES = {  # in the order in which a group's lines are read
    "advance": "{item}, paid ahead",
    "proration": "{item}, {turn}",
    "usage": "{item}",
    "overage": "{item} beyond the commitment",
    "included": "{item}, included",
    "commitment": "{item}, committed",
    "shortfall": "{item}, up to the agreed minimum",
    "discount": "Discount on {item}",
    "credit_drawdown": "Prepaid credit for {item}",
    "prior_period": "{item} of an earlier period",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is read: what, how it comes about in a few signs, the amount, and the whole reason."""

    group: str
    what: str
    sum: str
    amount: str
    why: Text


def statement(shown: Fields, agreed: Fields, notes: Sequence[Fields], *, width: int) -> Panel:
    """
    The invoice.

    Args:
        shown: the door's answer.
        agreed: the contract, of either version.
        notes: the credit notes that settle what came late for it.
    """
    width = min(width, WIDEST)
    rows = rows_of(shown, agreed)
    body = _beside(rows) if width >= WIDE else _under(rows, width - 4)
    parts = [_head(shown, agreed), Text(), *body, *_totals(shown, notes)]
    title = f"Invoice {shown['number']} · {shown['status']}"
    return Panel(Group(*parts), title=f"[bold]{title}[/]", title_align="left", border_style="cyan", width=width)


def rows_of(shown: Fields, agreed: Fields) -> list[Row]:
    """Its lines in the order in which they are read; what bills nothing and says nothing is left out."""
    add_ons = _add_ons(agreed)
    free = [line for line in shown["lines"] if not line["amount_minor"] and line["kind"] == "included" and line["why"]]
    found = [(_group(line, add_ons), line) for line in (*standing(shown["lines"]), *free)]
    places, kinds = (SEATS, ADD_ONS, USAGE, OFF), tuple(NAMES)
    found.sort(key=lambda one: (places.index(one[0]), one[1]["item"], kinds.index(one[1]["kind"]), _turn(one[1])))
    return [_row(line, group, shown) for group, line in found]


def _add_ons(agreed: Fields) -> set[str]:
    """Products that are paid ahead and belong to no plan; contracts of version 1 know none."""
    return {item["product"] for item in agreed.get("items", ()) if item["kind"] == "licensed" and not item.get("plan")}


def _group(line: Fields, add_ons: set[str]) -> str:
    if line["kind"] in ("discount", "credit_drawdown", "prior_period"):
        return OFF
    if line["kind"] in ("advance", "proration"):
        return ADD_ONS if line["item"] in add_ons else SEATS
    return USAGE


def _turn(line: Fields) -> tuple[str, int]:
    """When a proration takes place, so that they stand in order of time, what ends before what begins."""
    turned = _SINCE.search(line["why"]["quantity"]) if line["why"] else None
    return (turned[2], line["amount_minor"]) if turned else ("", 0)


def _row(line: Fields, group: str, shown: Fields) -> Row:
    why = line["why"] or {"quantity": "", "formula": "", "rounding": "exact", "clause": "", "price_version": ""}
    item = line["item"].replace("_", " ").replace("sms", "SMS")
    name = NAMES[line["kind"]].format(item=item, turn=_turned(why["quantity"]))
    amount = money(line["amount_minor"], shown["currency"])
    formula = _in_days(why["formula"])
    return Row(
        group,
        name[0].upper() + name[1:],
        _times(formula) if group is not OFF else "",
        amount.partition(" ")[2],
        _why(why, formula, amount, since=shown["period_start"][:10], until=shown["period_end"][:10]),
    )


def _times(formula: str) -> str:
    """Quantity and price, where that is what the formula says; of a part of a term also its days."""
    part = _OF_TERM.fullmatch(formula)
    if part:
        return f"{part[1]}{part[2]}, {part[3]}/{part[4]} d"
    return formula if _PRODUCT.fullmatch(formula) else ""


def _why(why: Fields, formula: str, amount: str, *, since: str, until: str) -> Text:
    """The quantity and where it comes from, the formula with its rounding; by which clause, at which price."""
    quantity = _WHERE.sub("", why["quantity"])
    for span in (f", paid for {since} to {until}", f" in {since} to {until}", f" for {since} to {until}"):
        quantity = quantity.replace(span, "")
    text = Text(f"{quantity}: " if quantity else "")
    if why["rounding"] != "exact":
        shorter, cut = _LONG.subn(r"\1", why["rounding"])
        text.append(f"{formula} {'≈' if cut else '='} {shorter}")
    else:
        text.append(formula if "=" in formula else f"{formula} = {amount}")
    at = f", at {why['price_version']}" if why["price_version"] else ""
    text.append(f"; by {why['clause']}{at}" if why["clause"] else "", style="cyan")
    return text


def _in_days(formula: str) -> str:
    """A share of a term in days; the door's formula has the same in microseconds."""
    return _PART.sub(lambda part: f"× {int(part[1]) / DAY:.2f} of {int(part[2]) // DAY} days", formula)


def _turned(quantity: str) -> str:
    turned = _SINCE.search(quantity)
    if turned is None:
        return "changed in the period"
    at = date.fromisoformat(turned[2][:10])
    return f"{turned[1]} {at.day} {at:%b}"


# --- how it lies on the page -----------------------------------------------------------------------------------------


def _amount(minor: int, currency: str) -> str:
    return money(minor, currency).partition(" ")[2]


def _head(shown: Fields, agreed: Fields) -> RenderableType:
    billing = agreed["billing"][-1] if "billing" in agreed else agreed
    grid = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
    since, until = (parse_instant(shown[name]) for name in ("period_start", "period_end"))
    grid.add_row("from", Text(billing["issuer"]), "to", Text(billing["name"], style="bold"))
    grid.add_row("period", f"{since:%-d %b %Y} to {until:%-d %b %Y}", "", Text(billing.get("billing_email") or ""))
    issued = parse_instant(shown["released_at"]) if shown["released_at"] else None
    way = agreed["channel"].replace("_", " ")
    grid.add_row(
        "issued",
        f"{issued:%-d %b %Y, %H:%M}" if issued else "not yet",
        "contract",
        f"revision {agreed['revision']}, {way}",
    )
    return grid


def _grouped(rows: Iterable[Row]) -> Iterable[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found.items()


def _beside(rows: Sequence[Row]) -> list[RenderableType]:
    """One table: the reasons in a column of their own."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), expand=True, show_edge=False)
    table.add_column("", ratio=2, overflow="fold")
    table.add_column("quantity × price", justify="right", no_wrap=True)
    table.add_column("amount", justify="right", no_wrap=True)
    table.add_column("why", ratio=3, overflow="fold", style="dim")
    for name, group in _grouped(rows):
        table.add_row(Text(name, style="bold"), "", "", "")
        for row in group:
            table.add_row(Padding(Text(row.what), (0, 0, 0, 2)), row.sum, row.amount, row.why)
        table.add_section()
    return [table]


def _under(rows: Sequence[Row], width: int) -> list[RenderableType]:
    """A line for each, its reason under it."""
    amounts = max((len(row.amount) for row in rows), default=0)
    sums = max((len(row.sum) for row in rows), default=0)
    parts: list[RenderableType] = []
    for name, group in _grouped(rows):
        parts.append(Text(name, style="bold"))
        for row in group:
            grid = Table.grid(padding=(0, 2, 0, 0))
            grid.add_column(width=width - sums - amounts - 6, overflow="fold")
            grid.add_column(width=sums, justify="right", no_wrap=True)
            grid.add_column(width=amounts, justify="right", no_wrap=True)
            grid.add_row(Text(f"  {row.what}"), row.sum, row.amount)
            parts += [grid, Padding(row.why, (0, amounts + 2, 0, 4), style="dim")]
        parts.append(Text())
    return parts


def _totals(shown: Fields, notes: Sequence[Fields]) -> list[RenderableType]:
    """The total; each credit note, and what is left."""
    currency = shown["currency"]
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=1, justify="right")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row("[bold]Total[/]", f"[bold]{money(shown['total_minor'], currency)}[/]")
    for note in notes:
        entries = len(note["entries"])
        late = f"{entries} entr{'y' if entries == 1 else 'ies'} of the period came after its freeze"
        grid.add_row(f"Credit note {note['number']}: {late}", f"-{_amount(note['amount_minor'], currency)}")
    if notes:
        left = shown["total_minor"] - sum(note["amount_minor"] for note in notes)
        grid.add_row("[bold]After credit notes[/]", f"[bold]{money(left, currency)}[/]")
    return [Rule(style="dim"), grid]


def richness(shown: Fields, notes: Sequence[Any]) -> tuple[int, int]:
    """How much there is to see of an invoice: kinds of lines and credit notes; of two alike the shorter is better."""
    lines = standing(shown["lines"])
    return len({line["kind"] for line in lines}) + 2 * bool(notes), -len(lines)
