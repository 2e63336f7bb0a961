"""The commands that look: status, explain, reconcile, dead letters and their replay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from event_schemas.times import iso, parse_instant
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.demo.collect import reconcile as compare
from settled_cli.demo.views import conversation as story_panel
from settled_cli.demo.views import drift_table, money
from settled_cli.fleet import Fleet
from settled_cli.line import Line, LineError

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


def ask(question: Callable[[Line], Coroutine[Any, Any, T]]) -> T:
    """Ask the running line something; exit 3 with a sentence when it does not run."""

    async def asked() -> T:
        async with Line(Fleet()) as line:
            return await question(line)

    try:
        return asyncio.run(asked())
    except (LineError, FileNotFoundError) as error:
        fail(str(error), Exit.NOT_RUNNING)


def status(as_json: Json = False) -> None:
    """What runs, how far it is, and both equations."""
    fleet = Fleet()
    running = fleet.services.running()
    facts: dict[str, Any] = {"stack": fleet.stack.status(), "services": {}}
    for name in fleet.services.names():
        facts["services"][name] = {
            "running": name in running,
            "address": fleet.services.url(name),
            "log": str(fleet.services.log(name)),
        }
    if "rating-0" in running:
        facts["equations"] = ask(lambda line: line.get("rating", "/v1/equations"))
    if "invoicing-sync" in running:
        facts["backlog"] = ask(lambda line: line.get("invoicing-sync", "/v1/backlog"))
    if as_json:
        print_json(facts)
    else:
        _show_status(facts)
    raise typer.Exit(Exit.WELL if running else Exit.NOT_RUNNING)


def _show_status(facts: dict[str, Any]) -> None:
    table = Table(title="The line", title_justify="left")
    for name in ("part", "state", "where"):
        table.add_column(name)
    mark = {True: "[green]running[/]", False: "[red]stopped[/]"}
    for name, part in facts["stack"].items():
        table.add_row(name, mark[part["running"]], part["log"])
    for name, service in facts["services"].items():
        table.add_row(name, mark[service["running"]], service["address"])
    out.print(table)
    if "equations" in facts:
        events, talks = facts["equations"]["events"], facts["equations"]["conversations"]
        out.print(
            f"events {events['received']:,} received, {events['unread']:,} unread; "
            f"conversations {talks['seen']:,} seen, {talks['charged']:,} charged"
        )
    if "backlog" in facts:
        out.print(f"{facts['backlog']['open']:,} deliveries to Stripe are open")


def explain(
    invoice: Annotated[str | None, typer.Argument(help="An invoice's id (in_…), or a customer's.")] = None,
    line_id: Annotated[str | None, typer.Argument(metavar="[LINE]", help="A line of it (il_…).")] = None,
    customer: Annotated[str | None, typer.Option(help="The customer of the conversation.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Tell this conversation's story.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many entries of a line.")] = 10,
    as_json: Json = False,
) -> None:
    """From an invoice line down to the conversations, signals and policy version behind every unit."""
    if customer and conversation:
        found = ask(lambda line: line.get("rating", f"/v1/conversations/{customer}/{conversation}"))
        if as_json:
            print_json(found)
        else:
            _show_conversation(found)
    elif invoice and line_id:
        _explain_line(invoice, line_id, limit, as_json=as_json)
    elif invoice or customer:
        _list_lines(invoice or customer or "", as_json=as_json)
    else:
        fail("name an invoice, or --customer with --conversation", Exit.USAGE)


def _show_conversation(found: dict[str, Any]) -> None:
    title = f"{found['customer']} · {found['conversation']} · {found['why_in_words']}"
    out.print(story_panel(found, title))
    for entry in found["entries"]:
        signals = ", ".join(f"{source} {id_}" for source, id_ in entry["signals"])
        why = entry["how"] or entry["reason"]
        out.print(
            f"  {entry['op']:7} {entry['meter']} counts for {entry['effective_at'][:19]} · {why} · policy"
            f" {entry['policy_version'] or '-'} · from {signals or '-'}"
        )


def _list_lines(named: str, *, as_json: bool) -> None:
    of_customer = None if named.startswith("in_") else named
    found = ask(lambda line: line.get("invoicing-sync", "/v1/invoices", customer=of_customer, limit=1000))
    invoices = [one for one in found["invoices"] if of_customer or one["id"] == named]
    if not invoices:
        fail(f"no invoice of {named} is known here")
    if as_json:
        print_json(invoices)
        return
    for invoice in invoices:
        total = money(invoice["total_minor"], invoice["currency"])
        head = f"{invoice['customer']} · {invoice['number'] or 'draft'} · {invoice['status']} · {total}"
        table = Table(title=f"{head}\n{invoice['id']}", title_justify="left", box=SIMPLE_HEAD)
        for name in ("line", "item", "quantity", "amount"):
            table.add_column(name, justify="right" if name in ("quantity", "amount") else "left")
        for line in invoice["lines"]:
            behind = (
                f" ({line['charges']} charged, {line['reversals']} reversed)" if line["charges"] is not None else ""
            )
            table.add_row(
                line["id"],
                f"{line['kind']} {line['item']}{behind}",
                line["quantity"],
                money(line["amount_minor"], invoice["currency"]),
            )
        out.print(table)


def _explain_line(invoice: str, line_id: str, limit: int, *, as_json: bool) -> None:
    async def gather(line: Line) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        page = await line.get("invoicing-sync", f"/v1/invoices/{invoice}/lines/{line_id}/entries", limit=limit)
        entries = page["entries"]
        talks = dict.fromkeys((e["customer"], e["subject"]) for e in entries if e["subject_kind"] == "conversation")
        return entries, [await line.get("rating", f"/v1/conversations/{who}/{what}") for who, what in talks]

    entries, stories = ask(gather)
    if as_json:
        print_json({"entries": entries, "conversations": stories})
        return
    if not entries:
        out.print("this line is paid in advance: its quantity stands in the contract, no entry is behind it")
    for story in stories:
        _show_conversation(story)
    for entry in entries:
        if entry["subject_kind"] == "record":
            out.print(f"record {entry['subject']}: {entry['op']} {entry['quantity']} at {entry['effective_at'][:19]}")


def reconcile(
    customer: Annotated[str | None, typer.Option(help="One customer; default all.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day, such as 2026-10-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The day after the last one.")] = None,
    as_json: Json = False,
) -> None:
    """Compare the ledger with Stripe per customer, meter and day; exit 1 and the cause of each drift."""

    async def run(line: Line) -> dict[str, Any]:
        now = parse_instant((await line.get("sandbox", "/_sandbox/clock"))["now"] or iso(datetime.now(UTC)))
        end = until or iso(now + timedelta(days=1))[:10]
        start = since or iso(now - timedelta(days=35))[:10]
        return await compare(line, start=start, end=end, customer=customer)

    with err.status("comparing"):
        result = ask(run)
    if as_json:
        print_json(result)
    elif result["drift"]:
        out.print(drift_table(result))
    else:
        out.print(f"[green]✓[/] ledger and Stripe agree in all {result['compared']:,} (customer, meter, day)")
    raise typer.Exit(Exit.FINDING if result["drift"] or result["state"] != "done" else Exit.WELL)


def dead_letters(
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    content: Annotated[
        int | None, typer.Option(metavar="ID", help="Show what was sent in this row; it is logged.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What waits in the quarantine, and why."""
    if content is not None:
        sent = ask(lambda line: line.get("usage-ingest", f"/v1/quarantine/{content}/content"))
        print_json(sent) if as_json else out.print(sent["content"], markup=False, highlight=False, soft_wrap=True)
        return
    page = ask(lambda line: line.get("usage-ingest", "/v1/quarantine", reason=reason, customer=customer, limit=limit))
    if as_json:
        print_json(page)
        return
    if not page["items"]:
        out.print("nothing waits" if reason or customer else "the quarantine is empty")
        return
    table = Table(title=f"{len(page['items'])} in the quarantine", title_justify="left", box=SIMPLE_HEAD)
    columns = ("id", "reason", "field", "sentence", "customer", "event_id", "deliveries")
    for name in columns:
        table.add_column(name)
    for row in page["items"]:
        table.add_row(*(str(row.get(name) or "") for name in columns))
    out.print(table)


async def _replay_all(line: Line, order: dict[str, Any]) -> dict[str, Any]:
    """Page after page, until none is left."""
    whole: dict[str, Any] = {"replayed": 0, "still_quarantined": 0, "results": []}
    after = 0
    while True:
        page = await line.post("usage-ingest", "/v1/quarantine/replay", {**order, "after": after})
        for name in whole:
            whole[name] += page[name]
        if page["next_after"] is None:
            return whole
        after = page["next_after"]


def replay(
    ids: Annotated[list[int] | None, typer.Argument(help="Rows of `settled dead-letters`.")] = None,
    reason: Annotated[str | None, typer.Option(help="All of this reason.")] = None,
    customer: Annotated[str | None, typer.Option(help="All of this customer.")] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Take a field away first, such as data.text; repeatable.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Set a field first, such as data.intent=question; repeatable.")
    ] = None,
    accept_time: Annotated[
        bool, typer.Option("--accept-time", help="You answer for times that are too old or were ahead of the clock.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Drive quarantined events again, with the same ids and the first time at which they came."""
    if not ids and not reason and not customer:
        fail("name rows, a --reason or a --customer", Exit.USAGE)
    given = {"ids": ids, "reason": reason, "customer": customer, "drop": drop, "set": _assignments(set_ or [])}
    order: dict[str, Any] = {key: value for key, value in given.items() if value}
    if accept_time:
        order["accept_time"] = True
    result = ask(lambda line: _replay_all(line, order))
    if as_json:
        print_json(result)
    else:
        out.print(f"{result['replayed']} driven again, {result['still_quarantined']} still in the quarantine")
        for row in result["results"]:
            if row["status"] != "replayed":
                out.print(f"  {row['id']}: {row['reason']} {row['detail'] or ''}")
    raise typer.Exit(Exit.FINDING if result["still_quarantined"] else Exit.WELL)


def _assignments(texts: list[str]) -> dict[str, Any]:
    """`path=value` as the API takes it: a value that is JSON is that, any other is a text."""
    found: dict[str, Any] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path:
            fail("--set takes PATH=VALUE, such as data.intent=question", Exit.USAGE)
        if path in found:
            fail(f"--set names {path} twice", Exit.USAGE)
        try:
            found[path] = json.loads(value)
        except ValueError:
            found[path] = value
    return found
