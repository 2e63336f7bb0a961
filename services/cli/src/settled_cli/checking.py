"""`settled check stripe`: the door tries what we assume of Stripe on an account; this shows what became of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from settled_cli.console import Exit, out, print_json

check = typer.Typer(help="Try what is assumed of an outside system on an account of it.", no_args_is_help=True)
_STYLES = {"holds": "green", "differs": "bold red", "unknown": "yellow"}


@check.callback()
def group() -> None:
    """Try what is assumed of an outside system on an account of it."""


@check.command()
def stripe(
    key_file: Annotated[
        Path | None, typer.Option(help="A file with a key of test mode; without it STRIPE_API_KEY.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="A stand-in, such as the sandbox, instead of Stripe.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A number, such as A3; several times for several.")] = None,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for what Stripe does by itself, such as summing usage.")
    ] = 300,
    clean: Annotated[bool, typer.Option("--clean", help="Take away what broken-off runs left; try nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """
    Try each numbered assumption on a Stripe account in test mode, and clean up afterwards.

    Exit code 0: nothing differs; 1: something does; 2: wrong usage, such as a live key; 3: no account is reached.
    """
    arguments = ["--json", "--patience", str(patience), *(["--clean"] if clean else [])]
    arguments += ["--key-file", str(key_file)] if key_file else []
    arguments += ["--base-url", base_url] if base_url else []
    arguments += [part for number in only or () for part in ("--only", number)]
    code, told = _ask_the_door(arguments)
    if told is None:
        raise typer.Exit(code)
    if as_json:
        print_json(told)
    else:
        show(told, out)
    raise typer.Exit(code)


def _ask_the_door(arguments: list[str]) -> tuple[int, dict[str, Any] | None]:
    """Only the door may hold a Stripe key: its process does it. Its progress and refusals go to standard error."""
    command = [sys.executable, "-m", "invoicing_sync", "check-stripe", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as door:
        try:
            said, _ = door.communicate()
        except KeyboardInterrupt:  # the terminal has interrupted the door as well: it is cleaning up
            said, _ = door.communicate()
    code = door.returncode if door.returncode in {*Exit, 130} else Exit.NOT_RUNNING
    return code, json.loads(said) if said else None


def show(told: dict[str, Any], to: Console) -> None:
    """A table of what was tried, and what the door does where Stripe does otherwise."""
    findings = told["findings"]
    if findings:
        to.print(_table(findings))
        counts = {verdict: sum(one["verdict"] == verdict for one in findings) for verdict in _STYLES}
        to.print(
            f"{counts['holds']} of {len(findings)} hold, {counts['differs']} differ, {counts['unknown']} are unknown"
        )
        for one in findings:
            if one["verdict"] == "differs":
                to.print(Text(f"{one['number']}: where Stripe does otherwise: {one['otherwise']}"))
    for sentence in told["left_behind"]:
        to.print(Text(f"left behind: {sentence}", style="red"))
    if not findings and not told["left_behind"]:
        to.print("[green]✓[/] nothing of earlier runs is left")


def _table(findings: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1))
    table.add_column("no.", width=3, no_wrap=True)
    table.add_column("assumed of Stripe", ratio=5, overflow="fold")
    table.add_column("verdict", width=7, no_wrap=True)
    table.add_column("seen", ratio=4, overflow="fold")
    for one in findings:
        verdict = Text(one["verdict"], style=_STYLES[one["verdict"]])
        table.add_row(one["number"], Text(one["says"].replace("`", "")), verdict, Text(one["seen"]))
    return table
