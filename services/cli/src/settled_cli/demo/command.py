"""The command `settled demo` and what it prints."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.rule import Rule

from embedded_stack import StackError
from settled_cli import corrections
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.demo import views
from settled_cli.demo.closer import show_one
from settled_cli.demo.invoices import closing, kinds
from settled_cli.demo.plot import closed_periods, draw_month
from settled_cli.demo.run import Demo, run
from settled_cli.fleet import Fleet
from settled_cli.folders import STATE, FolderRefused, work_folder
from settled_cli.line import Line, LineError

OUT = Path("out/demo")
FIRST_YEAR, LAST_YEAR = 2001, 2199  # what the line's HTTP takes, less a year on either side


def a_month(text: str) -> str:
    """A month such as 2026-10. Raises typer.BadParameter."""
    try:
        year, month = (int(part) for part in text.split("-"))
        sound = len(text) == 7 and FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12
    except ValueError:
        sound = False
    if not sound:
        raise typer.BadParameter(f"{text} is not a month: write year and month such as 2026-10, from {FIRST_YEAR} on.")
    return text


Replace = Annotated[
    bool, typer.Option("--replace", help="Stop in order the line that runs in the folder, if one does.")
]


class Drafts(StrEnum):
    """Whether the sandbox's drafts follow the usage."""

    STALE = "stale"
    FRESH = "fresh"


class Priced(StrEnum):
    """Whether Stripe prices usage, or counts it at price zero and gets the amounts as invoice items."""

    STRIPE = "stripe"
    EXPLICIT = "explicit"


def demo(
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 300,
    conversations: Annotated[int, typer.Option(min=0, help="How many conversations, about ten signals each.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same month.")] = 20261001,
    month: Annotated[str, typer.Option(callback=a_month, help="The month, such as 2026-10 or 2028-02.")] = "2026-10",
    freeze_hours: Annotated[
        float, typer.Option(min=0.5, max=72, help="Business time from the month's end to its freeze.")
    ] = 0.5,
    draft_usage: Annotated[Drafts, typer.Option(help="Which usage the sandbox's drafts show.")] = Drafts.STALE,
    usage_lines: Annotated[Priced, typer.Option(help="How usage comes onto invoices.")] = Priced.STRIPE,
    doors: Annotated[
        int, typer.Option(min=1, max=2, help="A door and an account of Stripe for each of two issuers, or 1 for both.")
    ] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the line running to look closer.")] = False,
    replace: Replace = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """Carry a month of conversations to finalised invoices, and hold every cent against the ground truth."""
    try:
        with work_folder(OUT, "settled demo", replace=replace):
            fleet = Fleet(OUT / STATE)
            ways = draft_usage.value, usage_lines.value
            wanted = Demo(fleet, OUT, seed, customers, conversations, month, freeze_hours, *ways, doors)
            made = _run(wanted, keep, as_json=as_json)
    except FolderRefused as refused:
        fail(str(refused), Exit.USAGE)
    raise typer.Exit(Exit.FINDING if made.found else Exit.WELL)


def _run(made: Demo, keep: bool, *, as_json: bool) -> Demo:
    began = time.monotonic()
    try:
        asyncio.run(run(made))
        plot = OUT / "month.png"
        with made.stage("draw the month"):
            assert made.outcome is not None
            span = made.truth["month"]
            draw_month(
                made.outcome.entries,
                start=span["start"],
                end=span["end"],
                frozen_at=span["frozen_at"],
                closed=closed_periods(made.truth, made.freeze_hours),
                path=plot,
            )
        if as_json:
            print_json(_facts(made, time.monotonic() - began))
        else:
            asyncio.run(_show(made, plot))
    except (StackError, LineError) as error:
        fail(str(error), Exit.NOT_RUNNING)
    finally:
        if not keep:
            with err.status("stopping"):
                made.fleet.down()
    return made


def _facts(made: Demo, seconds: float) -> dict[str, Any]:
    assert made.outcome is not None
    return {
        "differences": len(made.found),
        "events": made.outcome.events,
        "quarantined": made.outcome.quarantined,
        "conversations": made.outcome.conversations,
        "invoices": sum(len(invoices) for invoices in made.outcome.invoices.values()),
        "lines_of_true_invoices": dict(kinds(made.truth["customers"])),
        "currencies": sorted({found["currency"] for found in made.truth["customers"].values()}),
        "held": made.outcome.held,
        "corrections": sum(len(meters) for meters in made.outcome.corrections.values()),
        "corrections_priced": [
            {"document": document, "count": count, "amounts_minor": dict(amounts)}
            for document, count, amounts in corrections.sums(made.outcome.priced)
        ],
        "freeze_hours": made.freeze_hours,
        "compared_days": made.outcome.reconciliation["compared"],
        "stages_s": {name: round(spent, 2) for name, spent in made.times},
        "duration_s": round(seconds, 1),
    }


async def _show(made: Demo, plot: Path) -> None:
    outcome = made.outcome
    assert outcome is not None
    closed = closing(made.truth["customers"], outcome.invoices, outcome.shown)
    out.print()
    out.print(views.invoices_table(closed, width=out.width))
    out.print(views.kinds_of_lines(closed))
    out.print()
    out.print(Rule("Where everything went", style="dim", align="left"))
    out.print(views.equations(outcome))
    out.print()
    out.print(Rule("Ledger against Stripe", style="dim", align="left"))
    out.print(views.reconciliation(outcome))
    corrected = sum(len(meters) for meters in outcome.corrections.values())
    late = outcome.charges["corrections"]
    out.print(
        f"[green]✓[/] {late} entries came after their period's freeze, {made.freeze_hours:g} h after its end:"
        f" corrections of {corrected} (customer, meter), none of them a meter event"
    )
    out.print("  priced as the difference of their period rated with them and without:")
    for sentence in corrections.sentences(outcome.priced):
        out.print(f"  [bold]{sentence}[/]")
    out.print()
    async with Line(made.fleet) as line:
        await show_one(line, closed, made.truth["decisions"], width=out.width)
    out.print()
    out.print(views.stages(made.times))
    out.print(f"The month as a picture: [cyan]{plot}[/]")
    lines = sum(len(invoice["lines"]) for found in made.truth["customers"].values() for invoice in found["invoices"])
    compared = (
        f"in {lines:,} lines of {len(made.truth['customers'])} customers' invoices, their corrections and credit notes,"
        f" {len(made.truth['decisions']):,} conversations and {made.truth['events']['deliveries']:,} events, against a"
        " truth that no service has seen"
    )
    out.print(views.verdict(made.found, compared=compared))
