"""The commands that look: status, reconcile, dead letters and their replay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from event_schemas.times import iso, parse_instant
from settled_cli.asking import Csv, Json, ask, one_form
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.demo.collect import reconcile as compare
from settled_cli.demo.views import drift_table
from settled_cli.fleet import Fleet
from settled_cli.line import DOOR, Line
from settled_cli.sheets import print_sheet
from settled_cli.tables import Column, fitting

DRIFT = ("customer", "meter", "day", "ledger", "stripe", "difference", "cause")
LETTERS = ("id", "reason", "field", "detail", "customer", "source", "event_id", "received_at", "deliveries")


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
    doors = [door for door in fleet.doors if door in running]
    said = ask(lambda line: of_doors(line, doors)) if doors else {}
    if len(fleet.doors) > 1:
        facts["doors"] = said
    else:
        facts |= said.get(DOOR, {})
    if as_json:
        print_json(facts)
    else:
        _show_status(facts)
    raise typer.Exit(Exit.WELL if running else Exit.NOT_RUNNING)


async def of_doors(line: Line, doors: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By door what is open there, and the entries of the last 31 days by whether they have a price."""
    now = parse_instant((await line.get("sandbox", "/_sandbox/clock"))["now"] or iso(datetime.now(UTC)))
    span = {"from": iso(now - timedelta(days=31)), "to": iso(now + timedelta(days=1))}
    return {
        door: {
            "backlog": await line.get_of(door, "/v1/backlog"),
            "charges": await line.get_of(door, "/v1/charges", **span),
        }
        for door in doors
    }


def _show_status(facts: dict[str, Any]) -> None:
    mark = {True: "running", False: "stopped"}
    parts = [(name, part["running"], part["log"]) for name, part in facts["stack"].items()]
    parts += [(name, service["running"], service["address"]) for name, service in facts["services"].items()]
    rows = [{"part": name, "state": mark[running], "where": where} for name, running, where in parts]
    columns = (Column("part"), Column("state"), Column("where", wraps=True))
    out.print(fitting("The line", columns, rows, width=out.width))
    if "equations" in facts:
        events, talks = facts["equations"]["events"], facts["equations"]["conversations"]
        out.print(
            f"events {events['received']:,} received, {events['unread']:,} unread; "
            f"conversations {talks['seen']:,} seen, {talks['charged']:,} charged"
        )
    for door, said in facts.get("doors", {"": facts}).items():
        if "charges" in said:
            out.print("\n".join(door_lines(door, said)))


def door_lines(door: str, said: dict[str, Any]) -> list[str]:
    """What a door counts, in sentences; they begin with its name where there are several."""
    found, name = said["charges"], f"{door}: " if door else ""
    return [
        f"{name}ledger entries of 31 days {found['entries']:,}: {found['priced']:,} priced, {found['free']:,} free, "
        f"{found['unpriced']:,} unpriced, {found['corrections']:,} corrections",
        f"{name}{said['backlog']['open']:,} deliveries to Stripe are open",
    ]


def reconcile(
    customer: Annotated[str | None, typer.Option(help="One customer; default all.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day, such as 2026-10-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The day after the last one.")] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Compare the ledger with Stripe per customer, meter and day; exit 1 and the cause of each drift."""
    one_form(as_json, as_csv)
    for option, text in (("--from", since), ("--to", until)):
        if text is not None:
            _a_day(option, text)

    async def run(line: Line) -> dict[str, Any]:
        now = parse_instant((await line.get("sandbox", "/_sandbox/clock"))["now"] or iso(datetime.now(UTC)))
        end = until or iso(now + timedelta(days=1))[:10]
        start = since or iso(now - timedelta(days=35))[:10]
        return await compare(line, start=start, end=end, customer=customer)

    with err.status("comparing"):
        result = ask(run)
    if as_json:
        print_json(result)
    elif as_csv:
        numbers = ("ledger", "stripe", "difference")
        print_sheet(DRIFT, [{**row, **{name: Decimal(row[name]) for name in numbers}} for row in result["drift"]])
    elif result["drift"]:
        out.print(drift_table(result, width=out.width))
    else:
        out.print(f"[green]✓[/] ledger and Stripe agree in all {result['compared']:,} (customer, meter, day)")
    raise typer.Exit(Exit.FINDING if result["drift"] or result["state"] != "done" else Exit.WELL)


def _a_day(option: str, text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        fail(f"{option} must be a day such as 2026-10-01", Exit.USAGE)


def dead_letters(
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    content: Annotated[
        int | None, typer.Option(metavar="ID", help="Show what was sent in this row; it is logged.")
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """What waits in the quarantine, and why."""
    if content is not None:
        sent = ask(lambda line: line.get("usage-ingest", f"/v1/quarantine/{content}/content"))
        print_json(sent) if as_json else out.print(sent["content"], markup=False, highlight=False, soft_wrap=True)
        return
    one_form(as_json, as_csv)
    page = ask(lambda line: line.get("usage-ingest", "/v1/quarantine", reason=reason, customer=customer, limit=limit))
    if as_json:
        print_json(page)
    elif as_csv:
        print_sheet(LETTERS, page["items"])
    elif page["items"]:
        more = f"; there are more, --limit {limit * 10} shows them" if page["next_after"] else ""
        out.print(letters(page["items"], more=more, width=out.width))
    else:
        out.print("nothing waits" if reason or customer else "the quarantine is empty")


def letters(items: list[dict[str, Any]], *, more: str, width: int) -> RenderableType:
    """The quarantine for people: why each event waits, in a sentence."""
    columns = (
        Column("id", justify="right"),
        Column("reason"),
        Column("detail", "why", wraps=True),
        Column("customer"),
        Column("event_id", "event"),
        Column("deliveries", "came", justify="right", drop=1),
    )
    rows = [{**row, "id": str(row["id"])} for row in items]
    return fitting(f"{len(items):,} in the quarantine{more}", columns, rows, width=width)


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
