"""`settled deliveries`: every intended effect at Stripe and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import RenderableType

from settled_cli.asking import MOST, Csv, Json, ask, one_form
from settled_cli.console import out, print_json
from settled_cli.line import DOOR, Line
from settled_cli.sheets import print_sheet
from settled_cli.tables import Column, fitting, moment

SHEET = (
    *("identifier", "customer", "meter", "value", "effective_at", "state", "way", "by_adjustment", "attempt", "calls"),
    *("sent_at", "received_at", "result"),
)
COLUMNS = (
    Column("customer"),
    Column("meter"),
    Column("value", justify="right"),
    Column("state"),
    Column("effective_at", "effective", drop=2),
    Column("calls", justify="right", drop=3),
    Column("result", wraps=True),
    Column("identifier"),
)


def deliveries(
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only this state: pending, in_flight, unclear, delivered, refused, …")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """What was or is to be sent to Stripe: each usage entry, its state, and what Stripe said."""
    one_form(as_json, as_csv)
    found = ask(lambda line: gather(line, customer=customer, state=state, limit=limit))
    if as_json:
        print_json(found)
    elif as_csv:
        print_sheet(_named(SHEET, found), [{**each, "value": Decimal(each["value"])} for each in found])
    elif found:
        out.print(view(found, limit=limit, width=out.width))
    else:
        out.print("no delivery is known" if not customer and not state else "no delivery is like that")


async def gather(line: Line, *, customer: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
    """
    Deliveries in order of their identifiers, at most `limit`: of the customer's door, or of one door after the other.

    `door` names it where there are several.
    """
    several = len(line.fleet.doors) > 1
    doors = line.fleet.doors if several else [DOOR]
    if several and customer is not None:
        doors = [await line.door_of(quote(customer, safe=""))]
    found: list[dict[str, Any]] = []
    for door in doors:
        of_door = await _of_one(line, door, customer=customer, state=state, limit=limit - len(found))
        found += [{"door": door, **one} for one in of_door] if several else of_door
    return found


async def _of_one(
    line: Line, door: str, *, customer: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        most = min(MOST, limit - len(found))
        after = found[-1]["identifier"] if found else None
        page = await line.get_of(door, "/v1/deliveries", customer=customer, state=state, after=after, limit=most)
        found += page
        if len(page) < most:
            break
    return found


def view(found: list[dict[str, Any]], *, limit: int, width: int) -> RenderableType:
    """The deliveries for people."""
    more = f"; there may be more, --limit {limit * 10} shows them" if len(found) == limit else ""
    rows = [{**each, "effective_at": moment(each["effective_at"])} for each in found]
    columns = (Column("door", drop=1), *COLUMNS) if "door" in rows[0] else COLUMNS
    return fitting(f"{len(found):,} deliveries{more}", columns, rows, width=width)


def _named(columns: Sequence[str], found: list[dict[str, Any]]) -> Sequence[str]:
    """With the door first, where the rows name it."""
    return ("door", *columns) if found and "door" in found[0] else columns
