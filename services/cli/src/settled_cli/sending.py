"""The commands that give the line something: contracts and events."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from chassis.errors import WrongSetting
from event_schemas.times import iso
from settled_cli import contracts as contract_files
from settled_cli.agreements import list_contracts, show
from settled_cli.asking import Json, ask
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.fleet import Fleet
from settled_cli.line import Line, LineError

contracts = typer.Typer(help="What customers have agreed to.", no_args_is_help=True)
contracts.command("show")(show)
contracts.command("list")(list_contracts)


@contracts.callback()
def about() -> None:
    """What customers have agreed to."""


@contracts.command()
def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML or JSON, see the README.")],
    wait: Annotated[bool, typer.Option(help="Until the Stripe objects are there.")] = True,
    as_json: Json = False,
) -> None:
    """Check a contract file and publish it; applying it again changes nothing."""
    try:
        agreed = contract_files.read(file)
    except contract_files.ContractRefused as error:
        fail(str(error))
    fleet = Fleet()
    if not fleet.running:
        fail("the line is not running: `settled up` starts it", Exit.NOT_RUNNING)
    try:
        asyncio.run(contract_files.publish(agreed, fleet.stack.urls.kafka_bootstrap_servers))
    except WrongSetting as error:
        fail(str(error))
    applied: list[dict[str, Any]] = []
    if wait:
        with err.status("waiting for the Stripe objects"):
            applied = ask(lambda line: _applied(line, {c.customer: c.revision for c in agreed}))
    if as_json:
        print_json(applied or [{"customer": c.customer, "revision": c.revision} for c in agreed])
        return
    for contract in agreed:
        out.print(f"[green]✓[/] {contract.customer} revision {contract.revision}")


async def _applied(line: Line, revisions: dict[str, int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    deadline = asyncio.get_running_loop().time() + 60 + len(revisions)
    for customer, revision in revisions.items():
        while True:
            try:
                contract = await line.get("invoicing-sync", f"/v1/contracts/{customer}")
                if (contract["applied_revision"] or 0) >= revision:
                    found.append(contract)
                    break
            except LineError:
                pass  # not come in yet, or the door is away: asked again until the deadline
            if asyncio.get_running_loop().time() > deadline:
                raise LineError(f"the contract of {customer} was not applied in time; `settled status` says more")
            await asyncio.sleep(0.1)
    return found


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
