"""The command `settled`: thin, over the services' HTTP and the embedded stack."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from embedded_stack import StackError
from settled_cli.alerts import alerts
from settled_cli.bench.command import OUT as BENCH_OUT
from settled_cli.bench.command import bench
from settled_cli.cases import cases
from settled_cli.catalog import catalog
from settled_cli.checking import check
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.corrections import corrections
from settled_cli.deliveries import deliveries
from settled_cli.demo.command import OUT as DEMO_OUT
from settled_cli.demo.command import demo
from settled_cli.explain import explain
from settled_cli.faults import OUT as FAULTS_OUT
from settled_cli.faults import faults
from settled_cli.fleet import STATE, Fleet, Plan
from settled_cli.folders import FolderRefused, made_by, remove
from settled_cli.inspection import dead_letters, reconcile, replay, status
from settled_cli.keys import keys
from settled_cli.sending import contracts, send
from settled_cli.tables import Column, fitting
from settled_cli.usage import usage
from settled_cli.watch import watch
from settled_cli.what_if.command import what_if

app = typer.Typer(
    help="Settled bills for outcomes: conversation signals in, a correct Stripe invoice out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.add_typer(contracts, name="contracts")
app.add_typer(catalog, name="catalog")
app.add_typer(keys, name="keys")
app.add_typer(check, name="check")
app.add_typer(cases, name="cases")
for command in (demo, status, watch, send, usage, explain, corrections, deliveries, reconcile, replay, faults, bench):
    app.command()(command)
app.command()(alerts)
app.command("dead-letters")(dead_letters)
app.command("what-if")(what_if)
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
OUTPUT = (DEMO_OUT, FAULTS_OUT, BENCH_OUT)


@app.command()
def up(as_json: Json = False) -> None:
    """Start PostgreSQL, Kafka and all services on this machine; harmless when they run already."""
    fleet = Fleet()
    try:
        with err.status("starting") as status:
            fleet.up(Plan(), lambda what: status.update(what))
    except FolderRefused as refused:
        fail(str(refused), Exit.USAGE)
    except StackError as error:
        fail(str(error), Exit.NOT_RUNNING)
    urls = {name: fleet.services.url(name) for name in fleet.services.running()}
    if as_json:
        print_json(urls)
        return
    rows = [{"service": name, "address": url} for name, url in urls.items()]
    out.print(fitting("The line is up", (Column("service"), Column("address")), rows, width=out.width))


@app.command()
def down(remove_state: Annotated[bool, typer.Option("--remove-state", help="Take the data away too.")] = False) -> None:
    """Stop everything that `up` started; data is kept."""
    try:
        with err.status("stopping"):
            Fleet().down(remove_state=remove_state)
    except FolderRefused as refused:
        fail(str(refused), Exit.USAGE)
    out.print("[green]✓[/] stopped")


@app.command()
def clean() -> None:
    """Stop in order what runs in the folders that settled has made here, and take them away."""
    refused = []
    for folder in (STATE, *OUTPUT):
        try:
            command = made_by(folder)
            with err.status(f"taking {folder} away"):
                gone = remove(folder)
            if gone:
                out.print(f"[green]✓[/] {folder}, made by {command or 'a look at what runs'}, is gone")
        except FolderRefused as error:
            refused.append(str(error))
    if OUTPUT[0].parent.is_dir() and not any(OUTPUT[0].parent.iterdir()):
        OUTPUT[0].parent.rmdir()
    if refused:
        fail("\n  ".join(refused), Exit.USAGE)


@app.command()
def golden(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file of the golden format.")],
    through: Annotated[
        Literal["function", "service", "engine", "contract"],
        typer.Option(help="The pure function; the running services; and of invoices alone: the engine, a contract."),
    ] = "function",
    as_json: Json = False,
) -> None:
    """Hold decisions and invoices computed by hand against the rules; non-zero exit on a miss."""
    from settled_cli import golden as golden_cases  # here: the pricing engine, which no other command needs

    decisions, invoices = golden_cases.read(file)
    if through != "service":
        verdicts = golden_cases.through_function(decisions)
    else:
        with err.status("starting") as status:
            verdicts = asyncio.run(golden_cases.through_service(decisions, status.update))
    if through == "engine":
        priced = golden_cases.through_engine(file)
    elif through == "contract":
        priced = golden_cases.through_contract(file)
    elif through == "service":
        from settled_cli import golden_invoices

        with err.status("starting") as status:
            priced = asyncio.run(golden_invoices.through_service(golden_cases.whole(file), status.update))
    else:
        priced = golden_cases.not_run(invoices)
    verdicts += priced
    missed = [verdict for verdict in verdicts if verdict.state == "miss"]
    if as_json:
        print_json(
            [
                {"id": v.id, "state": v.state, "expected": v.expected, "got": v.got, "note": v.note or None}
                for v in verdicts
            ]
        )
    else:
        marks = {"ok": "[green]✓[/]", "miss": "[red]✗[/]", "not run": "[dim]·[/]"}
        for verdict in verdicts:
            note = f", {verdict.note}" if verdict.note else ""
            out.print(f"{marks[verdict.state]} {verdict.id}  {verdict.title}  [dim]{verdict.state}{note}[/]")
            if verdict.state == "miss":
                out.print(f"    expected {verdict.expected}\n    got      {verdict.got}")
        passed = sum(verdict.state == "ok" for verdict in verdicts[: len(decisions)])
        how = "service" if through == "service" else "function"
        rest = f"{len(invoices)} invoice cases not run"
        if through == "engine":
            ok = [verdict.state == "ok" for verdict in priced]
            whole, points = ok[: len(invoices)], ok[len(invoices) :]
            rest = (
                f"[bold]{sum(whole)} of {len(whole)} invoice cases[/] and {sum(points)} of {len(points)} points of "
                "rounding through the engine"
            )
        elif through == "contract":
            whole = [verdict.state == "ok" for verdict in priced]
            rest = f"[bold]{sum(whole)} of {len(whole)} invoice cases[/] through a contract of version 2, none left out"
        elif through == "service":
            ok = [verdict.state == "ok" for verdict in priced if verdict.got is not None]
            rest = f"[bold]{sum(ok)} of {len(ok)} invoice cases[/] through it, {len(priced) - len(ok)} not run"
        out.print(f"\n[bold]{passed} of {len(decisions)} decisions[/] through the {how}; {rest}")
    raise typer.Exit(Exit.FINDING if missed else Exit.WELL)
