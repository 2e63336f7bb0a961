"""`settled watch`: the running line in place: rates, lag, backlog, both equations, open cases. q or Ctrl-C ends it."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from settled_cli.asking import Json, ask
from settled_cli.cases import gather as gather_cases
from settled_cli.console import out, print_json
from settled_cli.demo.views import equation
from settled_cli.line import DOOR, Line, LineError
from settled_cli.tables import moment

Facts = dict[str, Any]
SHOWN_CASES = 5
ENDS = " · q ends"
EVENTS = ("received", "applied", "duplicate", "conflicting", "quarantined", "unread")
TALKS = ("seen", "charged", "not_chargeable", "pending", "excluded")


def watch(
    every: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Two looks, one picture, and the end.")] = False,
    as_json: Json = False,
) -> None:
    """The running line, live and in place: rates, lag, backlog, both equations, open cases. q ends it."""
    if once or as_json:
        facts = ask(lambda line: _twice(line, every))
        print_json(facts) if as_json else out.print(picture(facts))
        return
    with suppress(KeyboardInterrupt):  # Ctrl-C is a way to end it and no accident
        ask(lambda line: _live(line, every))


async def look(line: Line) -> Facts:
    """What every service says now; a part that does not answer is a sentence under `away`."""
    questions = {
        "clock": line.get("sandbox", "/_sandbox/clock"),
        "counts": line.get("usage-ingest", "/v1/counts"),
        "equations": line.get("rating", "/v1/equations"),
        "cases": gather_cases(line),
        **{door: line.get_of(door, "/v1/backlog") for door in line.fleet.doors},
    }
    answers = await asyncio.gather(*questions.values(), return_exceptions=True)
    facts: Facts = {"at": time.monotonic(), "away": []}
    for name, answer in zip(questions, answers, strict=True):
        if isinstance(answer, LineError):
            facts["away"].append(str(answer))
        elif isinstance(answer, BaseException):
            raise answer
        facts[name] = None if isinstance(answer, LineError) else answer
    backlogs = {door: facts.pop(door) for door in line.fleet.doors}
    return facts | ({"backlogs": backlogs} if len(backlogs) > 1 else {"backlog": backlogs[DOOR]})


async def _twice(line: Line, every: float) -> Facts:
    before = await look(line)
    if len(before["away"]) == 4 + len(line.fleet.doors):
        raise LineError(before["away"][0])
    await asyncio.sleep(every)
    return compared(before, await look(line))


async def _live(line: Line, every: float) -> None:
    facts = await _twice(line, min(every, 0.5))
    ended = asyncio.Event()
    with _keys(ended), Live(picture(facts, ends=ENDS), console=out, auto_refresh=False, transient=False) as live:
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), every)
            except TimeoutError:
                facts = compared(facts, await look(line))
                live.update(picture(facts, ends=ENDS), refresh=True)


@contextmanager
def _keys(ended: asyncio.Event) -> Iterator[None]:
    """Set `ended` at q; the terminal is as it was afterwards. Without a terminal Ctrl-C alone ends the command."""
    if not sys.stdin.isatty():
        yield
        return
    loop, keys = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(keys)

    def pressed() -> None:
        if b"q" in os.read(keys, 64).lower():
            ended.set()

    tty.setcbreak(keys)
    loop.add_reader(keys, pressed)
    try:
        yield
    finally:
        loop.remove_reader(keys)
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def compared(before: Facts, now: Facts) -> Facts:
    """The facts with the rates between two looks, in events and conversations a second; None where one is missing."""
    seconds = now["at"] - before["at"]

    def rate(part: str, *path: str) -> float | None:
        values = []
        for facts in (before, now):
            value = facts[part]
            for name in path:
                value = value and value[name]
            values.append(value)
        return None if None in values else max(0.0, (values[1] - values[0]) / seconds)

    rates = {
        "received": rate("counts", "received"),
        "applied": rate("equations", "events", "applied"),
        "charged": rate("equations", "conversations", "charged"),
    }
    return {**now, "rates": rates}


def picture(facts: Facts, *, ends: str = "") -> RenderableType:
    """One frame; `ends` says in its head how the watching ends."""
    clock = facts["clock"] and facts["clock"]["now"]
    parts: list[RenderableType] = [
        Text(f"The line · business time {moment(clock) if clock else 'is real time'}{ends}", style="bold"),
        Text(),
        _figures(facts),
        Text(),
    ]
    if facts["equations"]:
        events, talks = facts["equations"]["events"], facts["equations"]["conversations"]
        parts += [_equation("events read", EVENTS, events), _equation("conversations", TALKS, talks), Text()]
    parts += _cases(facts["cases"])
    parts += [Text(sentence, style="red") for sentence in facts["away"]]
    return Group(*parts)


def _equation(name: str, terms: Sequence[str], numbers: Facts) -> RenderableType:
    return equation(name, numbers["holds"], [(term.replace("_", " "), numbers[term]) for term in terms])


def _figures(facts: Facts) -> Table:
    rates, counts, equations = (facts[name] for name in ("rates", "counts", "equations"))
    rows = [
        ("events received", _rate(rates["received"]), counts and f"{counts['received']:,} in all"),
        ("events applied", _rate(rates["applied"]), equations and f"{equations['events']['unread']:,} unread"),
        ("conversations charged", _rate(rates["charged"]), ""),
        ("quarantine", "", counts and f"{sum(counts['by_reason'].values()):,} waiting"),
        *((name, "", _open(backlog)) for name, backlog in _backlogs(facts).items()),
    ]
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=10)
    table.add_column()
    for name, rate, what in rows:
        table.add_row(name, rate, "away" if what is None else what)
    return table


def _backlogs(facts: Facts) -> dict[str, Facts | None]:
    """What is open to Stripe; by door where there are several."""
    if "backlogs" not in facts:
        return {"to Stripe": facts["backlog"]}
    return {f"to Stripe, {door}": backlog for door, backlog in facts["backlogs"].items()}


def _open(backlog: Facts | None) -> str | None:
    return None if backlog is None else f"{backlog['open']:,} open, the oldest {backlog['oldest_age_s']:,.0f} s old"


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}/s"


def _cases(found: list[Facts] | None) -> list[RenderableType]:
    if found is None:
        return []
    if not found:
        return [Text("✓ no case is open", style="green")]
    first = [f"  {case['id']}  {case['kind']}  {case['customer'] or ''}" for case in found[:SHOWN_CASES]]
    number = "1 case is" if len(found) == 1 else f"{len(found):,} cases are"
    head = Text(f"{number} open; settled cases says what to do", style="yellow")
    return [head, *(Text(line) for line in first)]
