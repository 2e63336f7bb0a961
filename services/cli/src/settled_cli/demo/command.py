"""The command `settled demo` and what it prints."""

from __future__ import annotations

import asyncio
import random
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
from settled_cli.demo.plot import draw_month
from settled_cli.demo.run import Demo, run
from settled_cli.fleet import Fleet
from settled_cli.folders import STATE, FolderRefused, work_folder
from settled_cli.line import Line, LineError
from settled_cli.tables import money

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
        int, typer.Option(min=1, max=2, help="2: a door and an account of Stripe for each of two issuers.")
    ] = 1,
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
                made.outcome.entries, start=span["start"], end=span["end"], frozen_at=span["frozen_at"], path=plot
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
    out.print()
    out.print(views.invoices_table(outcome, width=out.width))
    out.print()
    out.print(Rule("Where everything went", style="dim", align="left"))
    out.print(views.equations(outcome))
    out.print()
    out.print(Rule("Ledger against Stripe", style="dim", align="left"))
    out.print(views.reconciliation(outcome))
    corrected = sum(len(meters) for meters in outcome.corrections.values())
    hours = f"{made.freeze_hours:g} h after its end"
    late = outcome.charges["corrections"]
    out.print(
        f"[green]✓[/] {late} entries of the month came after its freeze, {hours}: corrections of {corrected} "
        "(customer, meter), none of them a meter event"
    )
    out.print("  priced as the difference of their period rated with them and without:")
    for sentence in corrections.sentences(outcome.priced):
        out.print(f"  [bold]{sentence}[/]")
    out.print()
    out.print(Rule("One invoice line, down to its signals", style="dim", align="left"))
    async with Line(made.fleet) as line:
        await _explain_one(line, made)
    out.print()
    out.print(views.stages(made.times))
    out.print(f"The month as a picture: [cyan]{plot}[/]")
    compared = (
        f"in {len(made.truth['customers'])} customers' invoices and priced corrections,"
        f" {len(made.truth['decisions']):,} conversations and {made.truth['events']['deliveries']:,} events, against a"
        " truth that no service has seen"
    )
    out.print(views.verdict(made.found, compared=compared))


async def _explain_one(line: Line, made: Demo) -> None:
    """A usage line, and of the conversations behind it one that was reversed and charged again."""
    assert made.outcome is not None
    candidates = [
        decision
        for decision in made.truth["decisions"]
        if decision["net"] == 1 and len(decision["entries"]) == 3 and not decision["tag"]
    ] or [decision for decision in made.truth["decisions"] if decision["net"] == 1]
    if not candidates:
        return
    chosen = random.Random(made.seed).choice(candidates)
    customer = chosen["customer"]
    closing = next(i for i in made.outcome.invoices[customer] if i["billing_reason"] == "subscription_cycle")
    usage = next((row for row in closing["lines"] if row["meter"] == "resolution" and row["amount"]), None)
    if usage is not None:
        amount = money(usage["amount"], closing["currency"])
        out.print(f"{customer} · invoice {closing['number']} · {usage['description']} = [bold]{amount}[/]")
    found = await line.get("rating", f"/v1/conversations/{customer}/{chosen['conversation']}")
    out.print(views.conversation(found, f"{chosen['conversation']} · {found['why_in_words']}"))
