"""`settled contracts plan`: what is done at Stripe for a contract, what is left, and what was changed there by hand."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import Json, ask
from settled_cli.console import Exit, out, print_json
from settled_cli.tables import Column, fitting, moment
from settled_cli.usage import unknown_customer

STATES = {"done": "done", "to_do": "to do"}
OPERATIONS = (Column("number", " ", justify="right"), Column("state"), Column("sentence", "what", wraps=True))
FINDINGS = (Column("code", "finding"), Column("sentence", "what stands there", wraps=True))
EXPLICIT = (Column("clause"), Column("why", wraps=True))


def plan(customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: Json = False) -> None:
    """What stands at Stripe for a contract, what is left to do, and what was changed there by hand. Writes nothing."""
    path = f"/v1/contracts/{quote(customer, safe='')}/plan"
    found = ask(lambda line: line.get("invoicing-sync", path), unknown=unknown_customer(customer))
    if as_json:
        print_json(found)
    else:
        out.print(view(found, width=out.width))
    if found["findings"]:
        raise typer.Exit(Exit.FINDING)


def view(found: dict[str, Any], *, width: int) -> RenderableType:
    """One plan for people."""
    head = f"{found['customer']} · revision {found['revision']} · as of {moment(found['as_of'])}"
    parts: list[RenderableType] = [Text(head, style="bold"), Text(_told(found)), Text()]
    rows = [
        {**one, "number": number, "state": STATES[one["state"]]}
        for number, one in enumerate(found["operations"], start=1)
    ]
    if rows:
        parts.append(fitting("At Stripe, in this order", OPERATIONS, rows, width=width))
    if found["findings"]:
        title = "Changed by hand, or for a person to settle"
        parts.append(fitting(title, FINDINGS, found["findings"], width=width))
    if found["explicit"]:
        title = "Goes as invoice items from the expected invoice"
        parts.append(fitting(title, EXPLICIT, found["explicit"], width=width))
    return Group(*parts)


def _told(found: dict[str, Any]) -> str:
    left = sum(1 for one in found["operations"] if one["state"] == "to_do")
    said = "nothing is left to do" if not left else f"{left} to do"
    applied = found["applied_revision"]
    if applied is None:
        return f"No revision is applied yet: {said}."
    if applied != found["revision"]:
        newest = found["revision"]
        return f"Stripe bills by revision {applied}; revision {newest} was set aside: {said}, not carried out."
    return f"Stripe bills by this revision: {said}."
