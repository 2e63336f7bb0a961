"""Asking the running line: one way in, and one way in which a refusal or a silence ends the command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from settled_cli.console import Exit, fail
from settled_cli.fleet import Fleet
from settled_cli.line import DOOR, Line, LineError, Refused

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet (RFC 4180).")]
MOST = 1000  # rows of a page, as the services give them


def ask(question: Callable[[Line], Coroutine[Any, Any, T]], *, unknown: str | None = None) -> T:
    """
    Ask the running line something.

    Ends the command with a sentence: code 1 where a service says no (`unknown` in place of its sentence where it knows
    nothing of what was asked for), code 3 where one is away or the line does not run.
    """

    async def asked() -> T:
        async with Line(Fleet()) as line:
            return await question(line)

    try:
        return asyncio.run(asked())
    except Refused as refused:
        if refused.status == 404 and unknown:
            fail(unknown)
        fail(str(refused), Exit.NOT_RUNNING if refused.status >= 500 else Exit.FINDING)
    except LineError as error:
        fail(str(error), Exit.NOT_RUNNING)


async def pages(line: Line, service: str, path: str, *, most: int = MOST, **params: Any) -> AsyncIterator[Any]:
    """
    Each page of a list, to its end: a page's `next` is asked for as `after`. Raises as `Line.get`.

    What is everybody's is asked of one door after the other. `most` rows come at a time: fewer where each takes work.
    """
    several = service == DOOR and not params.get("customer")
    for each in line.fleet.doors if several else [service]:
        after: Any = None
        while True:
            page = await line.get(each, path, after=after, limit=most, **params)
            yield page
            after = page["next"]
            if after is None:
                break


def one_form(as_json: bool, as_csv: bool) -> None:
    """Exit 2 where both forms are asked for."""
    if as_json and as_csv:
        fail("say --json or --csv, not both", Exit.USAGE)
