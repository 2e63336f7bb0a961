"""`settled explain`: from an invoice down to the conversations, signals and policy version behind every unit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli import corrections as late
from settled_cli import credit_notes as notes
from settled_cli import usage as running_month
from settled_cli.asking import Csv, Json, ask, one_form, pages
from settled_cli.console import Exit, fail, out, print_json
from settled_cli.demo.views import conversation as story_panel
from settled_cli.line import Line
from settled_cli.reasons import in_words, paragraphs
from settled_cli.sheets import major, print_sheet
from settled_cli.tables import Column, fitting, moment, money

SHEET = (
    *("customer", "invoice", "number", "status", "reason", "period_start", "period_end", "line", "kind", "item"),
    *("quantity", "amount", "currency", "charged", "reversed", "why"),
)
COLUMNS = (
    Column("what", wraps=True),
    Column("charges", "charged", justify="right", drop=1),
    Column("reversals", "reversed", justify="right", drop=2),
    Column("quantity", justify="right"),
    Column("amount", justify="right"),
    Column("id", "line"),
)


def explain(
    invoice: Annotated[
        str | None, typer.Argument(help="An id: of an invoice (in_…), a credit note (cn_…), or a customer's.")
    ] = None,
    line_id: Annotated[str | None, typer.Argument(metavar="[LINE]", help="A line of it (il_…).")] = None,
    customer: Annotated[str | None, typer.Option(help="The customer of the conversation.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Tell this conversation's story.")] = None,
    correction: Annotated[
        str | None, typer.Option(metavar="DAY", help="What came late for a customer's period that holds this day.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many entries of a line.")] = 10,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """From an invoice line, a credit note or a correction down to the conversations and policy versions behind it."""
    one_form(as_json, as_csv)
    if customer and conversation:
        _explain_conversation(customer, conversation, as_json=as_json, as_csv=as_csv)
    elif correction and (invoice or customer):
        _explain_correction(invoice or customer or "", correction, limit, as_json=as_json, as_csv=as_csv)
    elif invoice and invoice.startswith(("cn_", "credit:")):
        _explain_credit_note(invoice, limit, as_json=as_json, as_csv=as_csv)
    elif invoice and line_id:
        _explain_line(invoice, line_id, limit, as_json=as_json, as_csv=as_csv)
    elif invoice or customer:
        _list_lines(invoice or customer or "", as_json=as_json, as_csv=as_csv)
    else:
        fail("name a customer, an invoice, or --customer with --conversation", Exit.USAGE)


def _explain_conversation(customer: str, conversation: str, *, as_json: bool, as_csv: bool) -> None:
    _no_sheet(as_csv)
    path = f"/v1/conversations/{quote(customer, safe='')}/{quote(conversation)}"
    unknown = (
        f"{customer} has no conversation {conversation}: `settled usage {customer}` shows what has come in,"
        f" `settled dead-letters --customer {customer}` what was not taken"
    )
    found = ask(lambda line: line.get("rating", path), unknown=unknown)
    if as_json:
        print_json(found)
    else:
        show_conversation(found)


def _explain_correction(customer: str, period: str, limit: int, *, as_json: bool, as_csv: bool) -> None:
    async def gather(line: Line) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        found = await late.gather(line, customer, period)
        entries = found[0]["entries"][:limit] if len(found) == 1 and not as_csv else []
        return found, await _stories(line, [{**entry, "customer": customer} for entry in entries])

    found, stories = ask(gather)
    one = late.one(found, customer, period)
    if as_json:
        print_json({"correction": one, "conversations": stories})
    elif as_csv:
        print_sheet(late.ENTRIES, late.entry_rows(one))
    else:
        out.print(late.whole(one, width=out.width))
        for story in stories:
            show_conversation(story)


def _explain_credit_note(note_id: str, limit: int, *, as_json: bool, as_csv: bool) -> None:
    async def gather(line: Line) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        found = await line.of_any_door(f"/v1/credit-notes/{quote(note_id, safe='')}")
        return found, [] if as_csv else await _stories(line, found["entries"][:limit])

    unknown = f"no credit note {note_id} is known here: `settled corrections` shows what came late"
    note, stories = ask(gather, unknown=unknown)
    if as_json:
        print_json({"credit_note": note, "conversations": stories})
    elif as_csv:
        print_sheet(notes.ENTRIES, notes.entry_rows(note))
    else:
        out.print(notes.view(note, width=out.width))
        for story in stories:
            show_conversation(story)


async def _stories(line: Line, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversations that entries are about, each once."""
    talks = dict.fromkeys((e["customer"], e["subject"]) for e in entries if e["subject_kind"] == "conversation")
    paths = [f"/v1/conversations/{quote(who, safe='')}/{quote(what)}" for who, what in talks]
    return [await line.get("rating", each) for each in paths]


def _no_sheet(as_csv: bool) -> None:
    if as_csv:
        fail("a conversation is a story and no table: leave --csv out, or name an invoice or a customer", Exit.USAGE)


def show_conversation(found: dict[str, Any]) -> None:
    """The story of a conversation and the entries that it left in the ledger."""
    title = f"{found['customer']} · {found['conversation']} · {found['why_in_words']}"
    out.print(story_panel(found, title))
    for entry in found["entries"]:
        signals = ", ".join(f"{source} {id_}" for source, id_ in entry["signals"])
        why = entry["how"] or entry["reason"]
        text = (
            f"  {entry['op']:7} {entry['meter']} counts for {moment(entry['effective_at'])} · {why} · policy"
            f" {entry['policy_version'] or '-'} · from {signals or '-'}"
        )
        out.print(Text(text))


def _list_lines(named: str, *, as_json: bool, as_csv: bool) -> None:
    of_customer = None if named.startswith("in_") else named
    invoices = ask(lambda line: _invoices(line, of_customer, named))
    if not invoices and of_customer:
        unknown = running_month.unknown_customer(named)
        facts = ask(lambda line: running_month.running(line, named), unknown=unknown)
        if not as_json and not as_csv:
            out.print(f"{named} has no invoice yet. What is charged so far, and when the invoice comes:\n")
        running_month.show(facts, as_json=as_json, as_csv=as_csv)
        return
    if not invoices:
        fail(f"no invoice {named} is known here: `settled explain CUSTOMER` lists a customer's invoices")
    if as_json:
        print_json(invoices)
    elif as_csv:
        print_sheet(SHEET, [row for invoice in invoices for row in sheet_rows(invoice)])
    else:
        for invoice in invoices:
            out.print(view(invoice, width=out.width))
        if of_customer and (came := ask(lambda line: late.gather(line, of_customer, None))):
            out.print(late.view(came, width=out.width))
            out.print(f"`settled explain {of_customer} --correction DAY` tells what is behind those of a period")


async def _invoices(line: Line, of_customer: str | None, named: str) -> list[dict[str, Any]]:
    """A customer's invoices, or the one that is named, page after page."""
    found: list[dict[str, Any]] = []
    async for page in pages(line, "invoicing-sync", "/v1/invoices", customer=of_customer):
        found += [one for one in page["invoices"] if of_customer or one["id"] == named]
        if found and not of_customer:
            break
    return found


def sheet_rows(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    """An invoice's lines for a spreadsheet."""
    head = {
        "customer": invoice["customer"],
        "invoice": invoice["id"],
        "number": invoice["number"],
        "status": invoice["status"],
        "reason": invoice["billing_reason"],
        "currency": invoice["currency"].upper(),
    }
    return [
        {
            **head,
            **{name: line[name] for name in ("period_start", "period_end", "kind", "item")},
            "line": line["id"],
            "quantity": Decimal(line["quantity"]),
            "amount": major(line["amount_minor"], invoice["currency"]),
            "charged": line["charges"],
            "reversed": line["reversals"],
            "why": in_words(line, invoice["currency"]),
        }
        for line in invoice["lines"]
    ]


def view(invoice: dict[str, Any], *, width: int) -> RenderableType:
    """An invoice and its lines for people; a line's id is what `explain INVOICE LINE` takes."""
    total = money(invoice["total_minor"], invoice["currency"])
    head = f"{invoice['customer']} · {invoice['number'] or 'draft'} · {invoice['status']} · {total}\n{invoice['id']}"
    words = {"advance": " in advance"}
    rows = [
        {
            **line,
            "what": f"{line['item']}{words.get(line['kind'], '')}",
            "amount": money(line["amount_minor"], invoice["currency"]),
        }
        for line in invoice["lines"]
    ]
    parts: list[RenderableType] = [fitting(head, COLUMNS, rows, width=width)]
    if invoice["held_reason"]:
        parts += [Text(f"Held: {invoice['held_reason']}"), Text()]
    parts += paragraphs(invoice["lines"], invoice["currency"])
    return Group(*parts)


def _explain_line(invoice: str, line_id: str, limit: int, *, as_json: bool, as_csv: bool) -> None:
    async def gather(line: Line) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        path = f"/v1/invoices/{quote(invoice, safe='')}/lines/{quote(line_id, safe='')}/entries"
        entries = (await line.of_any_door(path, limit=limit))["entries"]
        return entries, [] if as_csv else await _stories(line, entries)

    unknown = f"no invoice {invoice} with a line {line_id} is known here: `settled explain {invoice}` lists its lines"
    entries, stories = ask(gather, unknown=unknown)
    if as_json:
        print_json({"entries": entries, "conversations": stories})
        return
    if as_csv:
        print_sheet(ENTRIES, [{**entry, "quantity": Decimal(entry["quantity"])} for entry in entries])
        return
    if not entries:
        out.print("this line is paid in advance: its quantity stands in the contract, no entry is behind it")
    for story in stories:
        show_conversation(story)
    for entry in entries:
        if entry["subject_kind"] == "record":
            at = moment(entry["effective_at"])
            out.print(Text(f"record {entry['subject']}: {entry['op']} {entry['quantity']} at {at}"))


ENTRIES = (
    *("entry_id", "customer", "subject", "subject_kind", "meter", "op", "quantity", "effective_at", "recorded_at"),
    *("policy_version", "how", "reason", "reverses", "delivery"),
)
