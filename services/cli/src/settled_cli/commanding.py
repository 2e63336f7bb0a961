"""`settled contracts do`: change a contract by one command, or see first what it would do to the money."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import Json, ask
from settled_cli.console import Exit, fail, out, print_json
from settled_cli.tables import Column, day, fitting, moment, money

LINES = (
    Column("item"),
    Column("kind", drop=1),
    Column("start", "from", drop=2),
    Column("until", drop=2),
    Column("amount", justify="right"),
)
CHANGES = (Column("what"), Column("sentence", "in words", wraps=True))


def do(
    customer: Annotated[str, typer.Argument(help="The customer's id.")],
    command: Annotated[str, typer.Argument(help="Such as sign-up, change-seats, change-plan, set-limit, undo.")],
    fields: Annotated[
        list[str] | None, typer.Argument(help="What it says, such as quantity=5 or terms.plan=essential_monthly.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the contract.")] = "agreed at the terminal",
    actor: Annotated[str, typer.Option(help="Who, such as person:ann.")] = "cli",
    channel: Annotated[str, typer.Option(help="self_serve, sales_led, console or migration.")] = "console",
    at: Annotated[str | None, typer.Option(help="From when, such as 2026-03-01T00:00:00Z; now where left out.")] = None,
    key: Annotated[str | None, typer.Option(help="Sent again under one key, it happens once; made up else.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do; nothing is written.")] = False,
    as_json: Json = False,
) -> None:
    """Change a contract by one command, or with --dry-run say first what it would do to the money."""
    body = {
        **told(fields or []),
        "do": command.replace("-", "_"),
        "key": key or f"cli-{uuid.uuid4()}",
        "reason": reason,
        "actor": actor,
        "channel": channel,
        **({"at": at} if at is not None else {}),
    }
    path = f"/v1/contracts/{quote(customer, safe='')}/commands{'?dry_run=true' if dry_run else ''}"
    answer = ask(lambda line: line.post("contracts", path, body))
    if as_json:
        print_json(answer)
    else:
        out.print(view(answer, width=out.width))


def told(fields: list[str]) -> dict[str, Any]:
    """Fields as a document: a dot goes a level down, a value is JSON or else a text. Exit 2 where one is not that."""
    document: dict[str, Any] = {}
    for field in fields:
        path, mark, text = field.partition("=")
        *parents, last = path.split(".")
        target: Any = document
        for name in parents:
            target = target.setdefault(name, {})
            if not isinstance(target, dict):
                fail(f"{field} goes below {name}, which has a value of its own", Exit.USAGE)
        if not mark or not all((*parents, last)) or last in target:
            fail(f"{field} must be NAME=VALUE, and each name stands once", Exit.USAGE)
        try:
            target[last] = json.loads(text)
        except ValueError:
            target[last] = text
    return document


def view(answer: dict[str, Any], *, width: int) -> RenderableType:
    """What a command changed, or would, and its money, for people."""
    when = moment(answer["effective_at"])
    if answer["dry_run"]:
        head = f"would be revision {answer['revision']} of {answer['customer']}, from {when}; nothing is written"
    else:
        again = ", as it was answered before" if answer["repeated"] else ""
        head = f"✓ revision {answer['revision']} of {answer['customer']}, from {when}{again}"
    parts: list[RenderableType] = [Text(head, style="bold")]
    if answer["changes"]:
        parts.append(fitting("What changes", CHANGES, answer["changes"], width=width))
    if answer["money"] is not None:
        parts += _money(answer["money"], width)
    return Group(*parts)


def _money(found: dict[str, Any], width: int) -> list[RenderableType]:
    currency = found["currency"]
    parts: list[RenderableType] = []
    for title, name in (("Proration that it adds", "proration"), ("The whole invoice", "lines")):
        if found[name]:
            rows = [_line(line, currency) for line in found[name]]
            parts.append(fitting(title, LINES, rows, width=width))
    before, after = money(found["before_minor"], currency), money(found["after_minor"], currency)
    sentence = f"invoice of {day(found['billing_day'])}: {after} instead of {before}, before tax and usage"
    return [*parts, Text(sentence, style="bold")]


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "item": line["item"],
        "kind": line["kind"],
        "start": moment(line["start"]),
        "until": moment(line["until"]),
        "amount": money(line["amount_minor"], currency),
    }
