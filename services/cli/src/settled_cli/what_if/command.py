"""`settled what-if DRAFT`: the command, its forms, and its refusals in sentences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from settled_cli.asking import Csv, Json, ask, one_form
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.contract_faults import told_of_yaml
from settled_cli.line import Line
from settled_cli.sheets import print_sheet, sheet
from settled_cli.usage import unknown_customer
from settled_cli.what_if import trying, views
from settled_cli.what_if.domain.draft import DraftFile, DraftRefused, read_draft
from settled_cli.what_if.trying import Answer, Question, Steps

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
MOST_FLAWS = 10


def what_if(
    draft: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A draft: prices, items, clauses, policy.")
    ],
    customer: Annotated[str | None, typer.Option(help="One customer; all, if left out.")] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="The period that begins then; else each one's latest.")
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
    csv_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the CSV there, and print the table.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it there.")] = None,
) -> None:
    """Try a draft price, plan or policy on a past period: counts and money, before and after. Writes nothing."""
    one_form(as_json, as_csv)
    if month is not None and not MONTH.fullmatch(month):
        fail("--month must be a year and a month, such as 2026-10", Exit.USAGE)
    if picture is not None and picture.suffix.lower() != ".png":
        fail("--picture must name a .png file", Exit.USAGE)
    question = Question(_read(draft), customer, month)
    try:
        answer = _asked(question)
    except DraftRefused as refused:
        _refuse(draft, refused)
    if not answer.tried:
        fail("nobody to try it on: " + (answer.left_out[0].why if answer.left_out else "no contract has come in"))
    if csv_file is not None:
        csv_file.write_bytes(sheet(views.SHEET, views.sheet_rows(answer)).encode())
    if picture is not None:
        from settled_cli.what_if.plot import draw  # here: matplotlib takes a second to import

        draw(answer, picture)
    _print(answer, as_json=as_json, as_csv=as_csv)


def _asked(question: Question) -> Answer:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("asking", total=None)

        def begin(what: str, of: int) -> None:
            progress.reset(task, description=what, total=of)

        def done() -> None:
            progress.advance(task)

        async def asked(line: Line) -> Answer:
            return await trying.ask(line, question, Steps(begin, done))

        return ask(asked, unknown=unknown_customer(question.customer) if question.customer else None)


def _print(answer: Answer, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json(views.facts(answer))
    elif as_csv:
        print_sheet(views.SHEET, views.sheet_rows(answer))
    else:
        out.print(views.view(answer, width=out.width))


def _read(path: Path) -> DraftFile:
    try:
        document: Any = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(told_of_yaml(path, error) if isinstance(error, yaml.YAMLError) else f"{path} is not text in UTF-8")
    try:
        return read_draft(document, name=path.stem)
    except DraftRefused as refused:
        _refuse(path, refused)


def _refuse(path: Path, refused: DraftRefused) -> NoReturn:
    told = [f"{path}: {flaw}" for flaw in refused.flaws[:MOST_FLAWS]]
    more = len(refused.flaws) - MOST_FLAWS
    fail("\n  ".join([*told, f"and {more} more"] if more > 0 else told))
