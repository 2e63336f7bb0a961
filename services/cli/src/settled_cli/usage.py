"""`settled usage CUSTOMER`: the running month, what it comes to so far, and what is not decided yet."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import MOST, Csv, Json, ask, one_form
from settled_cli.console import out, print_json
from settled_cli.line import Line, Refused
from settled_cli.reasons import in_words, paragraphs
from settled_cli.sheets import major, print_sheet
from settled_cli.tables import Column, day, fitting, moment, money

PAGES = 20  # of pending conversations, each of which looks at up to 20,000
SHEET = (
    *("customer", "period_start", "period_end", "kind", "item", "billing", "charged", "reversed", "quantity"),
    *("amount", "currency", "why"),
)


def usage(
    customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: Json = False, as_csv: Csv = False
) -> None:
    """The running month: counts by meter, expected amounts so far, what is pending and why."""
    one_form(as_json, as_csv)
    facts = ask(lambda line: running(line, customer), unknown=unknown_customer(customer))
    show(facts, as_json=as_json, as_csv=as_csv)


def unknown_customer(customer: str) -> str:
    """What is said of a customer without a contract."""
    return (
        f"no contract of {customer} is known here: `settled contracts list` shows whose are, `settled contracts apply"
        f" FILE` agrees one; events that came before it wait in `settled dead-letters --customer {customer}`"
    )


async def running(line: Line, customer: str) -> dict[str, Any]:
    """
    The running period, what is pending, and the open cases that hold something up.

    Raises:
        Refused: 404 where the customer has no contract; 409 where it has come in and stands at Stripe not yet.
    """
    path = quote(customer, safe="")
    try:
        period = await line.get("invoicing-sync", f"/v1/customers/{path}/running")
    except Refused as refused:
        if refused.status != 404:
            raise
        await line.get("invoicing-sync", f"/v1/contracts/{path}")  # its 404 says that there is none
        raise Refused(
            409,
            "not_applied",
            f"the contract of {customer} has come in and is not applied at Stripe yet: `settled cases --customer"
            f" {customer}` says what is in its way",
        ) from None
    return {"period": period, "pending": await _pending(line, path)}


async def _pending(line: Line, path: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    for _ in range(PAGES):
        page = await line.get("rating", f"/v1/customers/{path}/pending", after=after, limit=MOST)
        found += page["conversations"]
        after = page["next"]
        if after is None:
            break
    why = Counter(each["why_in_words"] for each in found)
    times = [each["next_decision_at"] for each in found if each["next_decision_at"]]
    return {
        "conversations": len(found),
        "complete": after is None,
        "why": dict(why.most_common()),
        "next_decision_at": min(times, default=None),
    }


def show(facts: dict[str, Any], *, as_json: bool, as_csv: bool) -> None:
    """The facts of `running` in the form that was asked for."""
    if as_json:
        print_json(facts)
    elif as_csv:
        print_sheet(SHEET, sheet_rows(facts["period"]))
    else:
        out.print(view(facts, width=out.width))


def sheet_rows(period: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each expected line, and one for each meter that stands on none."""
    counts = {meter["meter"]: meter for meter in period["meters"]}
    base = {"customer": period["customer"], "period_start": period["start"], "period_end": period["end"]}
    rows = []
    for line in period["expected"]:
        meter = counts.pop(line["item"], None) if line["kind"] == "usage" else None
        rows.append(
            {
                **base,
                **line,
                **_counted(meter),
                "billing": meter["billing"] if meter else "priced",
                "amount": major(line["amount_minor"], period["currency"]),
                "currency": period["currency"],
                "why": in_words(line, period["currency"]),
            }
        )
    for meter in counts.values():
        row = {**base, **_counted(meter), "kind": "usage", "item": meter["meter"], "quantity": meter["net"]}
        nothing = {"amount": major(0, period["currency"]), "currency": period["currency"]}
        rows.append({**row, "billing": meter["billing"], **nothing})
    return rows


def _counted(meter: dict[str, Any] | None) -> dict[str, Any]:
    return {"charged": meter["charges"], "reversed": meter["reversals"]} if meter else {}


def view(facts: dict[str, Any], *, width: int) -> RenderableType:
    """The running month for people."""
    period, pending = facts["period"], facts["pending"]
    currency = period["currency"]
    title = f"{period['customer']} · {day(period['start'])} to {day(period['end'])} · as of {moment(period['as_of'])}"
    parts: list[RenderableType] = [Text(title, style="bold"), Text()]
    if period["meters"]:
        meters = (
            Column("meter"),
            Column("charges", "charged", justify="right"),
            Column("reversals", "reversed", justify="right"),
            Column("net", justify="right"),
            Column("billing"),
            Column("corrections", justify="right", drop=2),
            Column("open", "on its way", justify="right", drop=1),
        )
        parts.append(fitting("What was counted", meters, period["meters"], width=width))
    else:
        parts += [Text("Nothing has been charged in this period yet."), Text()]
    columns = (Column("what"), Column("quantity", justify="right"), Column("amount", justify="right"))
    parts.append(fitting("The invoice as it would be now", columns, _invoice(period, currency), width=width))
    parts += paragraphs(period["expected"], currency)
    parts += [Text(line) for line in _sentences(period, pending)]
    return Group(*parts)


def _invoice(period: dict[str, Any], currency: str) -> list[dict[str, Any]]:
    words = {"usage": "", "advance": ", the next period in advance"}
    rows = [
        {
            "what": f"{line['item']}{words[line['kind']]}",
            "quantity": line["quantity"],
            "amount": money(line["amount_minor"], currency),
        }
        for line in period["expected"]
    ]
    return [*rows, {"what": "before taxes", "quantity": None, "amount": money(period["total_minor"], currency)}]


def _sentences(period: dict[str, Any], pending: dict[str, Any]) -> list[str]:
    number = pending["conversations"]
    least = "" if pending["complete"] else "at least "
    told = [f"Pending: {least}{number:,} conversation{'' if number == 1 else 's'}."]
    told += [f"  {count:,}: {why}" for why, count in pending["why"].items()]
    if pending["next_decision_at"]:
        told.append(f"  The next is decided at {moment(pending['next_decision_at'])} if nothing comes before.")
    unpriced = [meter["meter"] for meter in period["meters"] if meter["billing"] == "unpriced"]
    if unpriced:
        told.append(f"Without a price, on no invoice: {', '.join(unpriced)}. The contract must price or free it.")
    frozen = f" and is frozen at {moment(period['freeze_at'])}" if period["freeze_at"] else ""
    return [*told, f"The period ends at {moment(period['end'])}{frozen}; then its invoice is compared and finalised."]
