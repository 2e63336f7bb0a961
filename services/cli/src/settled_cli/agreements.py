"""`settled contracts show` and `list`: what was agreed, and whether it stands at Stripe."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from settled_cli.asking import Csv, Json, ask, one_form, pages
from settled_cli.console import out, print_json
from settled_cli.line import Line
from settled_cli.sheets import print_sheet
from settled_cli.tables import Column, day, fitting, moment
from settled_cli.usage import unknown_customer

SHEET = ("customer", "name", "currency", "revision", "applied_revision", "billing_anchor")
COLUMNS = (
    Column("customer"),
    Column("name", wraps=True),
    Column("currency"),
    Column("revision", justify="right"),
    Column("applied", justify="right"),
    Column("anchor", "billed from", drop=1),
)


def list_contracts(as_json: Json = False, as_csv: Csv = False) -> None:
    """All contracts that have come in, and whether they are applied."""
    one_form(as_json, as_csv)
    found = ask(all_contracts)
    if as_json:
        print_json(found)
    elif as_csv:
        print_sheet(SHEET, found)
    elif found:
        out.print(listing(found, width=out.width))
    else:
        out.print("no contract has come in: `settled contracts apply FILE` agrees one")


async def all_contracts(line: Line) -> list[dict[str, Any]]:
    """Every customer's contract, by customer."""
    return [one async for page in pages(line, "invoicing-sync", "/v1/contracts") for one in page["contracts"]]


def listing(found: list[dict[str, Any]], *, width: int) -> RenderableType:
    """The list for people."""
    rows = [
        {**each, "applied": each["applied_revision"] or "not yet", "anchor": day(each["billing_anchor"])}
        for each in found
    ]
    return fitting(f"{len(found):,} contract{'' if len(found) == 1 else 's'}", COLUMNS, rows, width=width)


def show(customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: Json = False) -> None:
    """What a customer has agreed to: terms, prices, policies, and the objects at Stripe."""
    path = f"/v1/contracts/{quote(customer, safe='')}"
    found = ask(lambda line: line.get("invoicing-sync", path), unknown=unknown_customer(customer))
    if as_json:
        print_json(found)
    else:
        out.print(view(found, width=out.width))


def view(found: dict[str, Any], *, width: int) -> RenderableType:
    """One contract for people."""
    agreed = found["document"]
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(style="dim", no_wrap=True)
    head.add_column(overflow="fold")
    for name, text in _head(found, agreed):
        head.add_row(name, Text(text))
    parts: list[RenderableType] = [Text(f"{agreed['customer']} · {agreed['name']}", style="bold"), head, Text()]
    columns = (Column("meter"), Column("units", justify="right"), Column("price", justify="right"))
    if agreed.get("metered"):
        parts.append(fitting(f"Usage, per unit in {agreed['currency']}", columns, _prices(agreed), width=width))
    columns = (Column("item"), Column("quantity", justify="right"), Column("unit_price", "price", justify="right"))
    if agreed.get("licensed"):
        title = f"In advance, per unit and period in {agreed['currency']}"
        parts.append(fitting(title, columns, agreed["licensed"], width=width))
    policies = [(moment(entry["effective_from"]), entry["policy"]) for entry in agreed["timeline"]]
    rows = [{"from": since, "version": policy["version"], "what": _policy(policy)} for since, policy in policies]
    columns = (Column("from"), Column("version"), Column("what", "what it says", wraps=True))
    parts.append(fitting("Policies", columns, rows, width=width))
    return Group(*parts)


def _head(found: dict[str, Any], agreed: dict[str, Any]) -> list[tuple[str, str]]:
    applied = found["applied_revision"]
    state = "applied" if applied == found["revision"] else f"applied is {applied or 'none'}: see settled cases"
    how = agreed.get("collection_method", "send_invoice").replace("_", " ")
    email = f" to {agreed['billing_email']}" if agreed.get("billing_email") else ""
    facts = [
        ("revision", f"{found['revision']}, {state}"),
        ("currency", agreed["currency"]),
        ("periods", f"monthly from {moment(agreed['billing_anchor'])}"),
        ("issuer", f"{agreed['issuer']}, {agreed['channel'].replace('_', ' ')}"),
        ("collection", f"{how}{email}"),
        ("free meters", ", ".join(agreed.get("free_meters") or ())),
        ("at Stripe", " ".join(filter(None, (found["stripe_customer"], found["stripe_subscription"])))),
    ]
    return [(name, text) for name, text in facts if text]


def _prices(agreed: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for priced in agreed["metered"]:
        price = priced["price"]
        tiers = price.get("tiers") or [{"up_to": None, "unit_price": price["unit_price"]}]
        below = 0
        for tier in tiers:
            upper = tier["up_to"]
            every = "all" if below == 0 else f"above {below:,}"
            units = every if upper is None else f"{below + 1:,} to {upper:,}"
            rows.append({"meter": priced["meter"], "units": units, "price": tier["unit_price"]})
            below = upper or below
    return rows


def _policy(policy: dict[str, Any]) -> str:
    hours = dict(policy.get("window_hours") or {})
    windows = ", ".join(
        [f"{hours.pop('default')} h" if "default" in hours else ""]
        + [f"{name} {value} h" for name, value in sorted(hours.items()) if value is not None]
    )
    horizon = policy.get("return_horizon_days")
    told = [
        f"windows of {windows}" if windows else "",
        "a teammate's takeover voids" if policy.get("teammate_takeover_voids") else "",
        f"a return counts for {horizon} days" if horizon is not None else "",
        f"decided by {policy['decided_by'].replace('_', ' ')}" if policy.get("decided_by") else "",
    ]
    return "; ".join(filter(None, told))
