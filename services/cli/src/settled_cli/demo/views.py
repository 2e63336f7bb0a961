"""What the demo shows: tables and panels for a billing engineer's eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from settled_cli.demo.collect import Outcome
from settled_cli.demo.invoices import Difference, Fields, standing
from settled_cli.tables import Column, fitting, money


def _amount(minor: int, currency: str) -> str:
    return money(minor, currency).partition(" ")[2]


INVOICES = (
    *(Column("customer"), Column("invoice"), Column("currency", " "), Column("seats", justify="right")),
    *(Column("usage", justify="right"), Column("off", "taken off", justify="right"), Column("lines", drop=1)),
    Column("total", justify="right", style="bold"),
)
PAID_AHEAD = ("advance", "proration")
TAKEN_OFF = ("discount", "credit_drawdown")


def invoices_table(rows: list[tuple[str, Fields, Fields]], *, most: int = 12, width: int) -> RenderableType:
    """The closing invoices, as (customer, at Stripe, of the door): the largest of each currency first."""
    ordered = sorted(rows, key=lambda row: (-row[1]["total"], row[0]))
    picked = _some_of_each_currency(ordered, most)
    title = f"Invoices of the month: {len(rows)} finalised, {len(picked)} shown"
    return fitting(title, INVOICES, [_invoice_row(*row) for row in picked], width=width)


def _invoice_row(customer: str, invoice: Fields, shown: Fields) -> dict[str, Any]:
    lines = standing(shown["lines"])
    amounts = {
        "seats": sum(line["amount_minor"] for line in lines if line["kind"] in PAID_AHEAD),
        "usage": sum(line["amount_minor"] for line in lines if line["kind"] not in (*PAID_AHEAD, *TAKEN_OFF)),
        "off": sum(line["amount_minor"] for line in lines if line["kind"] in TAKEN_OFF),
        "total": invoice["total"],
    }
    return {
        "customer": customer,
        "invoice": invoice["number"],
        "currency": invoice["currency"].upper(),
        "lines": len(lines),
        **{name: _amount(minor, invoice["currency"]) if minor else "" for name, minor in amounts.items()},
    }


def kinds_of_lines(rows: list[tuple[str, Fields, Fields]]) -> Text:
    """How many lines of each kind these invoices have."""
    count = Counter(line["kind"] for _, _, shown in rows for line in standing(shown["lines"]))
    said = [f"{number:,} {kind.replace('_', ' ')}" for kind, number in count.most_common()]
    return Text(f"Their lines: {', '.join(said)}", style="dim")


def _some_of_each_currency(rows: list[Any], most: int) -> list[Any]:
    others = {invoice["currency"] for _, invoice, _ in rows} - {"usd"}
    picked = [next(row for row in rows if row[1]["currency"] == currency) for currency in sorted(others)]
    dollars = [row for row in rows if row[1]["currency"] == "usd"][: most - len(picked)]
    return dollars + picked


def equations(outcome: Outcome) -> Group:
    """The equations of events, conversations and the month's entries, with their numbers under their words."""
    e, c = outcome.events, outcome.conversations
    waiting = sum(outcome.quarantined.values())
    return Group(
        equation(
            "events",
            e["holds"],
            [
                ("received", e["deliveries"]),
                ("applied", e["applied"]),
                ("duplicate", e["duplicate"]),
                ("conflicting", e["conflicting"]),
                ("quarantined", waiting + e["quarantined"]),
                ("unread", e["unread"]),
            ],
        ),
        equation(
            "conversations",
            c["holds"],
            [
                ("seen", c["seen"]),
                ("charged", c["charged"]),
                ("not chargeable", c["not_chargeable"]),
                ("pending", c["pending"]),
                ("excluded", c["excluded"]),
            ],
        ),
        charges(outcome.charges),
    )


def charges(found: dict[str, Any]) -> RenderableType:
    """Entries by whether they have a price; what waits for its contract is shown where there is any."""
    terms = [(name, found[name]) for name in ("entries", "priced", "free", "unpriced", "corrections")]
    if found["without_contract"]:
        terms.append(("without contract", found["without_contract"]))
    return equation("charges", found["holds"], terms)


def equation(name: str, holds: bool, terms: Sequence[tuple[str, int]]) -> RenderableType:
    """A sum in words over its numbers: the first term is the whole, the others are its parts."""
    table = Table.grid(padding=(0, 1))
    words: list[str] = [f"[bold]{name}[/]"]
    numbers: list[str] = ["[green]✓ holds[/]" if holds else "[bold red]✗ does not hold[/]"]
    for place, (word, number) in enumerate(terms):
        words += [["", "=", *["+"] * len(terms)][place], word]
        numbers += ["", f"[bold]{number:,}[/]"]
    for _ in words:
        table.add_column(justify="right")
    table.add_row(*words)
    table.add_row(*numbers)
    return table


def reconciliation(outcome: Outcome) -> RenderableType:
    """One sentence, or a table of what drifted."""
    result = outcome.reconciliation
    if not result["drift"]:
        return Text.from_markup(
            f"[green]✓[/] ledger and Stripe agree in all [bold]{result['compared']:,}[/] (customer, meter, day)"
        )
    return drift_table(result)


def drift_table(result: dict[str, Any], *, width: int = 100) -> RenderableType:
    """Every drift with its cause."""
    columns = (
        Column("customer"),
        Column("meter"),
        Column("day"),
        Column("ledger", justify="right"),
        Column("stripe", "Stripe", justify="right"),
        Column("cause", style="bold"),
    )
    rows = [{**row, "day": row["day"][:10]} for row in result["drift"]]
    title = f"Drift: {len(rows):,} of {result['compared']:,} compared"
    return fitting(title, columns, rows, width=width)


def conversation(found: dict[str, Any], title: str) -> Panel:
    """A conversation's story, each charge and non-charge in words."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for line in found["story"]:
        sentence = line["sentence"]
        colour = "green" if sentence.startswith("Charged as") else "red" if "is reversed" in sentence else ""
        grid.add_row(line["at"][:19].replace("T", " "), Text(sentence, style=colour))
    return Panel(grid, title=title, title_align="left", border_style="cyan")


def verdict(found: Sequence[Difference], *, compared: str) -> Panel:
    """The comparison with the truth."""
    if not found:
        return Panel(
            f"[bold green]0 differences[/] {compared}", border_style="green", title="truth", title_align="left"
        )
    table = Table.grid(padding=(0, 2))
    for difference in found[:20]:
        table.add_row(difference.what, f"expected {difference.expected}", f"[red]got {difference.got}[/]")
    if len(found) > 20:
        table.add_row(f"… and {len(found) - 20} more", "", "")
    return Panel(table, border_style="red", title=f"{len(found)} differences", title_align="left")


def stages(times: Sequence[tuple[str, float]]) -> Table:
    """How long each stage took, in seconds."""
    table = Table(title="Where the time went", title_justify="left", show_header=False, box=None)
    total = sum(seconds for _, seconds in times)
    for name, seconds in times:
        table.add_row(name, f"{seconds:6.1f} s", "[cyan]" + "█" * max(1, round(30 * seconds / total)) + "[/]")
    table.add_row("[bold]all[/]", f"[bold]{total:6.1f} s[/]", "")
    return table
