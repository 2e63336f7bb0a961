"""`settled corrections`: what came after the freeze of a period, what it is worth, and the entries behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import Csv, Json, ask, one_form, pages
from settled_cli.console import Exit, fail, out, print_json
from settled_cli.line import Line
from settled_cli.reasons import paragraphs
from settled_cli.sheets import major, print_sheet
from settled_cli.tables import Column, day, fitting, moment, money

SHEET = (
    *("customer", "period_start", "period_end", "document", "item", "quantity_before", "quantity_after", "amount"),
    *("currency", "why"),
)
ENTRIES = (
    *("customer", "period_start", "entry_id", "subject", "subject_kind", "meter", "quantity", "amount", "currency"),
    *("reason", "effective_at", "recorded_at"),
)
BECOMES = {"credit_note": "credit note", "prior_period": "prior-period line", "nothing": "nothing", None: "waits"}
REASONS = {
    "after_freeze": "came after the freeze",
    "too_old": "too old for Stripe's metering",
    "before_billing_anchor": "of a time before billing began",
    "charge_is_correction": "takes back what is a correction itself",
}
COLUMNS = (
    Column("customer"),
    Column("period"),
    Column("entries", justify="right", drop=2),
    Column("item", wraps=True),
    Column("units", justify="right"),
    Column("amount", justify="right"),
    Column("becomes", drop=1),
)
Period = Annotated[str | None, typer.Option(metavar="DAY", help="Only the period that holds this day, 2026-10-01.")]


def corrections(
    customer: Annotated[str | None, typer.Argument(help="A customer's id; all, if left out.")] = None,
    period: Period = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """What came after the freeze of a period, priced with the prices and tiers that held there."""
    one_form(as_json, as_csv)
    found = ask(lambda line: gather(line, customer, period))
    if as_json:
        print_json(found)
    elif as_csv:
        print_sheet(SHEET, [row for each in found for row in sheet_rows(each)])
    elif found:
        out.print(view(found, width=out.width))
    else:
        out.print("no correction is known" if not customer and not period else "no correction is like that")


async def gather(line: Line, customer: str | None, period: str | None) -> list[dict[str, Any]]:
    """Priced corrections by customer and period, page after page."""
    instant = f"{period}T00:00:00Z" if period and "T" not in period else period
    asked = pages(line, "invoicing-sync", "/v1/corrections/priced", customer=customer, period=instant)
    return [one async for page in asked for one in page["corrections"]]


def one(found: list[dict[str, Any]], customer: str, period: str) -> dict[str, Any]:
    """The corrections of one period; ends the command where there are none."""
    if not found:
        fail(f"nothing of {customer}'s period with {period} came after its freeze: `settled corrections {customer}`")
    if len(found) > 1:
        fail(f"{period} lies in several periods of {customer}: name a day of one of them", Exit.USAGE)
    return found[0]


def sums(found: Iterable[dict[str, Any]]) -> list[tuple[str, int, Counter[str]]]:
    """What they become: by document, how many, and minor units by currency; those that wait are `None`'s."""
    documents: dict[str, tuple[int, Counter[str]]] = {}
    for each in found:
        count, amounts = documents.get(BECOMES[each["document"]], (0, Counter()))
        amounts[each["currency"]] += each["difference_minor"] or 0
        documents[BECOMES[each["document"]]] = count + 1, amounts
    return [(name, *documents[name]) for name in BECOMES.values() if name in documents]


def sentences(found: Iterable[dict[str, Any]]) -> list[str]:
    """The sums in words, one for each document."""
    told = []
    for name, count, amounts in sums(found):
        plural = "s" if count != 1 else ""
        worth = ", ".join(money(minor, currency) for currency, minor in sorted(amounts.items()) if minor)
        if name == "nothing":
            told.append(f"{count} come{'' if plural else 's'} to nothing")
        elif name == "waits":
            told.append(f"{count} wait{'' if plural else 's'} for the period's own numbers")
        else:
            told.append(f"{count} {name}{plural}: {worth}")
    return told


def sheet_rows(each: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each item that changes."""
    base = {name: each[name] for name in ("customer", "period_start", "period_end", "document", "currency", "why")}
    return [
        {
            **base,
            "item": item["item"],
            "quantity_before": Decimal(item["quantity_before"]),
            "quantity_after": Decimal(item["quantity_after"]),
            "amount": major(item["difference_minor"], each["currency"]),
        }
        for item in each["items"]
    ]


def entry_rows(each: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each entry behind a correction."""
    base = {name: each[name] for name in ("customer", "period_start", "currency")}
    return [
        {
            **base,
            **{name: entry[name] for name in ENTRIES if name in entry},
            "quantity": Decimal(entry["value"]),
            "amount": None if entry["amount_minor"] is None else major(entry["amount_minor"], each["currency"]),
        }
        for entry in each["entries"]
    ]


def view(found: list[dict[str, Any]], *, width: int) -> RenderableType:
    """Priced corrections for people: a row for each item that changes, and what it comes to."""
    rows = []
    for each in found:
        head = {"customer": each["customer"], "period": day(each["period_start"]), "entries": len(each["entries"])}
        head["becomes"] = BECOMES[each["document"]]
        nothing = [{"item": ", ".join(sorted({entry["meter"] for entry in each["entries"]})), "units": "0"}]
        changed = [
            {
                "item": item["item"],
                "units": f"{Decimal(item['quantity_after']) - Decimal(item['quantity_before']):+f}",
                "amount": money(item["difference_minor"], each["currency"]),
            }
            for item in each["items"]
        ]
        rows += [{**head, **item} for item in changed or nothing]
    told = [Text(f"{sentence}.") for sentence in sentences(found)]
    return Group(fitting("What came after the freeze", COLUMNS, rows, width=width), *told)


def whole(each: dict[str, Any], *, width: int) -> RenderableType:
    """One period's corrections: the lines before and after, the difference, and what each entry changed."""
    currency = each["currency"]
    span = f"{day(each['period_start'])} to {day(each['period_end'])}"
    title = f"{each['customer']} · {span} · {BECOMES[each['document']]}"
    parts: list[RenderableType] = [Text(title, style="bold"), Text(_first_upper(each["why"]) + "."), Text()]
    for side, words in (("before", "As it was invoiced"), ("after", "With what came after the freeze")):
        lines = [
            {"what": line["item"], "quantity": line["quantity"], "amount": money(line["amount_minor"], currency)}
            for line in each[side]
        ]
        if lines:
            columns = (Column("what"), Column("quantity", justify="right"), Column("amount", justify="right"))
            parts.append(fitting(words, columns, lines, width=width))
            parts += paragraphs(each[side], currency)
    if each["revised_minor"]:
        numbers = " and ".join(str(number) for number in each["revisions"])
        parts.append(
            Text(f"Revision {numbers} of the contract, agreed since: {money(each['revised_minor'], currency)}")
        )
    if each["difference_minor"] is not None:
        parts.append(Text(f"The difference: {money(each['difference_minor'], currency)}", style="bold"))
    parts += [
        Text(f"{net} of {meter} have no price and are in no line: the contract must price or free it")
        for meter, net in each["unpriced"].items()
    ]
    parts += [Text(_settled_by(document, currency)) for document in each["documents"]]
    return Group(*parts, Text(), _entries(each, width=width))


def _settled_by(document: dict[str, Any], currency: str) -> str:
    """One document in words."""
    amount, state = money(abs(document["amount_minor"]), currency), document["state"]
    if document["document"] == "credit_note":
        return f"Credit note {document['stripe_id'] or document['id']} over {amount}: {state}"
    if state == "billed":
        return f"{amount} on invoice {document['stripe_id']}: billed"
    if state == "dropped":
        return f"{amount} for a later invoice: no longer owed"
    where = f"the invoice of the period from {day(document['carried_by'])}" if document["carried_by"] else "no invoice"
    return f"{amount} carried by {where}"


def _entries(each: dict[str, Any], *, width: int) -> RenderableType:
    columns = (
        Column("recorded", drop=2),
        Column("about"),
        Column("meter", drop=1),
        Column("units", justify="right"),
        Column("amount", justify="right"),
        Column("why", wraps=True),
    )
    rows = [
        {
            "recorded": moment(entry["recorded_at"]),
            "about": f"{entry['subject']}",
            "meter": entry["meter"],
            "units": f"{Decimal(entry['value']):+f}",
            "amount": "" if entry["amount_minor"] is None else money(entry["amount_minor"], each["currency"]),
            "why": REASONS.get(entry["reason"], entry["reason"]),
        }
        for entry in each["entries"]
    ]
    return fitting("Entry by entry, in their order of arrival", columns, rows, width=width)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
