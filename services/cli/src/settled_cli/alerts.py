"""`settled alerts`: thresholds and hard limits that were reached or taken back, and whether a customer may run."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import Csv, Json, ask, one_form, pages
from settled_cli.console import out, print_json
from settled_cli.line import Line
from settled_cli.sheets import print_sheet
from settled_cli.tables import Column, day, fitting, moment
from settled_cli.usage import unknown_customer

SHEET = (
    *("told_at", "customer", "meter", "kind", "units", "state", "ordinal", "used", "period_start", "period_end"),
    *("counted_to", "contract_revision"),
)
COLUMNS = (
    *(Column("told"), Column("customer"), Column("meter"), Column("what"), Column("units", justify="right")),
    *(Column("used", justify="right"), Column("period", drop=1)),
)
LIMITS = (Column("meter"), Column("used", justify="right"), Column("limit", justify="right"), Column("reached"))


def alerts(
    customer: Annotated[str | None, typer.Argument(help="Only this customer, and its limits now.")] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Thresholds and hard limits that were reached, or taken back by reversals."""
    one_form(as_json, as_csv)
    facts = ask(lambda line: gather(line, customer), unknown=unknown_customer(customer or ""))
    if as_json:
        print_json(facts)
    elif as_csv:
        print_sheet(SHEET, facts["alerts"])
    else:
        out.print(view(facts, width=out.width))


async def gather(line: Line, customer: str | None) -> dict[str, Any]:
    """What was told, the oldest first; of one customer also what it may do now. Raises as `Line.get`."""
    may_run = None
    if customer is not None:
        may_run = await line.get("rating", f"/v1/customers/{quote(customer, safe='')}/may-run")
    told = [each async for page in pages(line, "rating", "/v1/alerts", customer=customer) for each in page["alerts"]]
    return {"may_run": may_run, "alerts": told}


def view(facts: dict[str, Any], *, width: int) -> RenderableType:
    """What was told, and below it whether the customer may run."""
    rows = [
        {
            **each,
            "told": moment(each["told_at"]),
            "what": f"{each['kind']} {each['state'].replace('_', ' ')}",
            "period": f"{day(each['period_start'])} to {day(each['period_end'])}",
        }
        for each in facts["alerts"]
    ]
    parts: list[RenderableType] = [
        fitting("What was told", COLUMNS, rows, width=width)
        if rows
        else Text("No threshold and no limit was reached yet.")
    ]
    now = facts["may_run"]
    if now is not None:
        if now["limits"]:
            period = f"{day(now['period_start'])} to {day(now['period_end'])}"
            parts.append(fitting(f"Hard limits, {period}", LIMITS, now["limits"], width=width))
        parts.append(Text(sentence(now)))
    return Group(*parts)


def sentence(now: dict[str, Any]) -> str:
    """Whether the customer may run, and how sure that is."""
    reached = ", ".join(each["meter"] for each in now["limits"] if each["reached"])
    said = f"{now['customer']} may run." if now["may_run"] else f"{now['customer']} is at its limit of {reached}."
    known = f" As of {moment(now['as_of'])}." if now["as_of"] else ""
    return said + known + (" Counting stands still: usage may be higher by now." if now["stale"] else "")
