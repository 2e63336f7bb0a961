"""The commands that give the line something: contracts and events."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from event_schemas.times import iso
from settled_cli import applying
from settled_cli import contracts as contract_files
from settled_cli.agreements import list_contracts, show
from settled_cli.asking import Json, ask
from settled_cli.cases import view as case_view
from settled_cli.commanding import do
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.contracts import Agreed, AnyContract
from settled_cli.fleet import Fleet
from settled_cli.line import Line, Refused
from settled_cli.planning import plan

contracts = typer.Typer(help="What customers have agreed to.", no_args_is_help=True)
contracts.command("show")(show)
contracts.command("list")(list_contracts)
contracts.command("plan")(plan)
contracts.command("do")(do)


@contracts.callback()
def about() -> None:
    """What customers have agreed to."""


@contracts.command()
def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML or JSON, see the README.")],
    wait: Annotated[bool, typer.Option(help="Until each is applied, or set aside with a case.")] = True,
    as_json: Json = False,
) -> None:
    """Agree on the contracts of a file, all of them or none; applying it again changes nothing."""
    try:
        agreed = contract_files.read(file)
    except contract_files.ContractRefused as error:
        fail(str(error))
    fleet = Fleet()
    if not fleet.running:
        fail("the line is not running: `settled up` starts it", Exit.NOT_RUNNING)
    customers = [contract.customer for contract in agreed]
    before = ask(lambda line: applying.open_cases(line, customers))
    found = ask(lambda line: _agree(line, agreed))
    on_the_bus = [contract for contract, one in zip(agreed, found, strict=True) if one.waits is None]
    if not wait:
        _tell(found, {}, [], as_json=as_json)
        return
    with err.status("waiting for the Stripe objects"):
        dealt_with, new = ask(lambda line: _after(line, on_the_bus, before))
    _tell(found, dealt_with, new, as_json=as_json)
    raise typer.Exit(Exit.FINDING if applying.set_aside(on_the_bus, dealt_with) else Exit.WELL)


async def _agree(line: Line, agreed: Sequence[AnyContract]) -> list[Agreed]:
    """Ends the command with all that the service has against the file."""
    try:
        return await contract_files.agree(line, agreed)
    except Refused as refused:
        if not refused.refusals:
            raise
        fail("\n".join([*applying.told(refused.refusals), "nothing of the file was agreed"]))


async def _after(
    line: Line, agreed: Sequence[AnyContract], before: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    dealt_with = await applying.outcome(line, agreed)
    return dealt_with, applying.caused(before, await applying.open_cases(line, dealt_with))


def _tell(agreed: Sequence[Agreed], dealt_with: dict[str, Any], new: list[dict[str, Any]], *, as_json: bool) -> None:
    """Each contract with what became of it, and the cases that applying them has opened."""
    if as_json:
        rows = [dealt_with.get(one.customer) or asdict(one) for one in agreed]
        print_json({"contracts": rows, "cases": new})
        return
    for contract in agreed:
        known = dealt_with.get(contract.customer) or {"handled_revision": 0}
        applied = known.get("applied_revision") or 0
        name = f"{contract.customer} revision {contract.revision}"
        if contract.waits is not None:
            out.print(f"[green]✓[/] {name} is agreed, and not billed until readers bill version 2: {contract.waits}")
        elif known["handled_revision"] < contract.revision:
            later = "; at Stripe it is made a month before its first billing day" if dealt_with else ""
            out.print(f"[green]✓[/] {name} is published{later}")
        elif applied >= contract.revision:
            out.print(f"[green]✓[/] {name}")
        else:
            stays = f"revision {applied} stays in force" if applied else "nothing of it is in force"
            out.print(f"[red]✗[/] {name} is set aside: {stays}")
    if new:
        out.print()
        out.print(case_view(new))


def send(
    file: Annotated[Path | None, typer.Argument(help="Events as JSON, one or an array; - for standard input.")] = None,
    customer: Annotated[str | None, typer.Option(help="Whose conversation.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Which conversation.")] = None,
    signal: Annotated[str | None, typer.Option(help="What happened, such as ai_answer.")] = None,
    intent: Annotated[str | None, typer.Option(help="With customer_message, such as affirm.")] = None,
    channel: Annotated[str | None, typer.Option(help="chat, email, …")] = None,
    as_json: Json = False,
) -> None:
    """Send events, from a file or made from the options; prints what became of each."""
    if file is not None:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        if not body.lstrip().startswith(b"["):
            body = b"[" + body + b"]"
    elif customer and conversation and signal:
        body = json.dumps([_event(customer, conversation, signal, intent, channel)]).encode()
    else:
        fail("name a file, or --customer, --conversation and --signal", Exit.USAGE)
    answer = ask(lambda line: line.send(body))
    results = answer["results"]
    if as_json:
        print_json(answer)
    else:
        for result in results:
            mark = "[green]✓[/]" if result["status"] == "accepted" else "[yellow]![/]"
            why = f" {result.get('reason') or ''} {result.get('detail') or ''}".rstrip()
            out.print(f"{mark} {result.get('id')} {result['status']}{why}")
    accepted = all(result["status"] == "accepted" for result in results)
    raise typer.Exit(Exit.WELL if accepted else Exit.FINDING)


def _event(customer: str, conversation: str, signal: str, intent: str | None, channel: str | None) -> dict[str, Any]:
    data = {"signal": signal, "intent": intent, "channel": channel}
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "urn:settled:cli",
        "type": "conversation.signal",
        "subject": conversation,
        "time": iso(datetime.now(UTC)),
        "customer": customer,
        "data": {key: value for key, value in data.items() if value is not None},
    }
