"""`settled cases`: what waits for a person, of rating and of the door together, and closing one."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from settled_cli.asking import MOST, Csv, Json, ask, one_form, pages
from settled_cli.console import Exit, fail, out, print_json
from settled_cli.line import DOOR as DOOR_SERVICE
from settled_cli.line import Line, Refused
from settled_cli.sheets import print_sheet
from settled_cli.tables import moment

SHEET = (
    *("id", "kind", "customer", "about", "count", "opened_at", "changed_at", "sentence", "detail", "do", "closes"),
    *("closed_at", "closed_by", "closed_reason"),
)
RATING, DOOR = "R", "D"  # what an id begins with says whose case it is; behind a second door's stands its name: D12-ie

cases = typer.Typer(help="What waits for a person.", invoke_without_command=True)


@cases.callback(invoke_without_command=True)
def list_cases(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """What waits for a person: each with its sentence, what to do, and since when."""
    if context.invoked_subcommand:
        return
    one_form(as_json, as_csv)
    found = ask(lambda line: gather(line, customer=customer, closed=closed))
    if as_json:
        print_json(found)
    elif as_csv:
        print_sheet(SHEET, [{**case, "detail": told(case["detail"])} for case in found])
    elif found:
        out.print(view(found))
    else:
        of = f" of {customer}" if customer else ""
        out.print(f"[green]✓[/] no case{of} {'is known' if closed else 'is open'}")


async def gather(line: Line, *, customer: str | None = None, closed: bool = False) -> list[dict[str, Any]]:
    """All cases of rating and of each door in one form, the latest first; one customer may have some in two doors."""
    doors = line.fleet.doors
    found = [_of_door(case, door) for door in doors for case in await _door_cases(line, door, customer, closed)]
    found += [_of_rating(case) for case in await _rating_cases(line, customer, closed)]
    return sorted(found, key=lambda case: (case["opened_at"], case["id"]), reverse=True)


async def _door_cases(line: Line, door: str, customer: str | None, closed: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked = {"customer": customer, "closed": str(closed).lower(), "limit": MOST}
    while True:
        before = found[-1]["id"] if found else None
        page = await line.get_of(door, "/v1/cases", before=before, **asked)
        found += page
        if len(page) < MOST:
            return found


async def _rating_cases(line: Line, customer: str | None, closed: bool) -> list[dict[str, Any]]:
    asked = pages(line, "rating", "/v1/cases", customer=customer, closed=str(closed).lower())
    return [case async for page in asked for case in page["cases"]]


def _of_door(case: dict[str, Any], door: str) -> dict[str, Any]:
    return {**case, "id": f"{DOOR}{case['id']}{door.removeprefix(DOOR_SERVICE)}", "about": case["key"]}


def _of_rating(case: dict[str, Any]) -> dict[str, Any]:
    same = {name: case[name] for name in ("kind", "customer", "sentence", "opened_at", "closed_at", "do", "closes")}
    about = f"{case['subject']} {case['about']}".strip()
    rest = {"count": 1, "changed_at": case["closed_at"] or case["opened_at"], "closed_by": None, "closed_reason": None}
    return {"id": f"{RATING}{case['case_id']}", "about": about, "detail": {}, **same, **rest}


def view(found: list[dict[str, Any]]) -> RenderableType:
    """Each case as a block: who and what in its head, below it what happened, what to do, what closes it."""
    title = f"{len(found)} case{'' if len(found) == 1 else 's'}"
    parts: list[RenderableType] = [Text(title, style="bold"), Text()]
    for case in found:
        block = Table.grid(padding=(0, 2, 0, 0))
        block.add_column(no_wrap=True, style="bold")
        block.add_column(no_wrap=True, style="dim")
        block.add_column(overflow="fold")
        block.add_row(case["id"], "what", Text(case["kind"], style="bold"))
        for name, text in _facts(case):
            if text:
                block.add_row("", name, Text(text))
        parts += [block, Text()]
    return Group(*parts)


def _facts(case: dict[str, Any]) -> list[tuple[str, str]]:
    often = f", {case['count']:,} times, last at {moment(case['changed_at'])}" if case["count"] > 1 else ""
    by = f" by {case['closed_by']}: {case['closed_reason']}" if case["closed_by"] else " by itself"
    by_hand = f"settled cases close {case['id']} --reason …, once that is done" if case["id"][0] == DOOR else ""
    return [
        ("customer", case["customer"] or ""),
        ("about", case["about"]),
        ("since", f"{moment(case['opened_at'])}{often}"),
        ("why", case["sentence"] or ""),
        ("detail", told(case["detail"])),
        ("do", case["do"] or ""),
        ("closes", "" if case["closed_at"] else case["closes"] or by_hand),
        ("closed", f"{moment(case['closed_at'])}{by}" if case["closed_at"] else ""),
    ]


def told(detail: dict[str, Any]) -> str:
    """The facts of a case in one line."""
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in detail.items())


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return ", ".join(_plain(each) for each in value) if isinstance(value, list) else str(value)


@cases.command()
def close(
    case_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `settled cases` shows it, such as D12; of a second door D12-ie.")
    ],
    reason: Annotated[str, typer.Option(help="What was done, for whoever reads it later.")],
    as_json: Json = False,
) -> None:
    """Close a case once what it asks for is done; a cause that stays opens it again."""
    known = re.fullmatch(r"([DdRr])([1-9]\d{0,17})(-[a-z_]+)?", case_id)
    if known is None or (known[1].upper() == RATING and known[3]):
        fail(f"{case_id} is no id of a case: `settled cases` shows them, such as D12", Exit.USAGE)
    if known[1].upper() == RATING:
        fail(f"{case_id} is a case of rating, which none but its cause closes: `settled cases` says what to do")
    door, path = f"{DOOR_SERVICE}{known[3] or ''}", f"/v1/cases/{known[2]}/close"
    unknown = f"no case {case_id} is known here: `settled cases --closed` lists all"

    async def closing(line: Line) -> dict[str, Any]:
        if door not in line.fleet.doors and known[3]:
            raise Refused(404, "no_such_door", unknown)
        done: dict[str, Any] = await line.post(door, path, {"reason": reason})
        return done

    closed = _of_door(ask(closing, unknown=unknown), door)
    if as_json:
        print_json(closed)
    else:
        by = f" by {closed['closed_by']}: {closed['closed_reason']}" if closed["closed_by"] else " by itself"
        out.print(Text(f"✓ {closed['id']} {closed['kind']} closed at {moment(closed['closed_at'])}{by}"))
