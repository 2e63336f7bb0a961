"""What the command prints with, and the exit codes that scripts can rely on."""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)


class Exit(IntEnum):
    """0 all is well; 1 a finding: a difference, a drift, a refusal; 2 wrong usage; 3 the line is not running."""

    WELL = 0
    FINDING = 1
    USAGE = 2
    NOT_RUNNING = 3


def fail(sentence: str, code: Exit = Exit.FINDING) -> NoReturn:
    """End with a sentence on standard error."""
    err.print(f"[bold red]✗[/] {sentence}")
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Facts for scripts: one JSON document on standard output."""
    typer.echo(json.dumps(value, indent=2, default=str))
