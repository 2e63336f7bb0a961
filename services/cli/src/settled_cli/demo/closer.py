"""The demo's closer look: one invoice with its reasons, and from one of its usage lines down to the signals."""

from __future__ import annotations

from rich.rule import Rule
from rich.text import Text

from settled_cli.asking import pages
from settled_cli.console import out
from settled_cli.demo import views
from settled_cli.demo.invoices import Fields
from settled_cli.demo.statement import richness, statement
from settled_cli.line import DOOR, Line
from settled_cli.tables import money

ENTRIES = 200  # of a line, among which a telling conversation is looked for


async def show_one(
    line: Line, closed: list[tuple[str, Fields, Fields]], decisions: list[Fields], *, width: int
) -> None:
    """Print the invoice with most kinds of lines, as its customer reads it; then a line of it, down to the signals."""
    notes = await _notes(line)
    told = [(customer, shown) for customer, _, shown in closed if _counted(shown) is not None]
    if not told:
        return
    turns = {(d["customer"], d["conversation"]): len(d["entries"]) for d in decisions if not d["tag"]}
    turned = {customer for (customer, _), count in turns.items() if count > 1}

    def order(one: tuple[str, Fields]) -> tuple[int, int]:
        seen, shorter = richness(one[1], notes.get(one[1]["id"], []))
        return seen + (one[0] in turned), shorter

    customer, shown = max(told, key=order)
    agreed = await line.get(DOOR, f"/v1/contracts/{customer}")
    out.print(Rule("One invoice, as its customer reads it, and why each line is there", style="dim", align="left"))
    out.print(statement(shown, agreed["document"], notes.get(shown["id"], []), width=width))
    out.print()
    out.print(Rule("One of its lines, down to the signals", style="dim", align="left"))
    await _down(line, customer, shown, turns)


async def _notes(line: Line) -> dict[str, list[Fields]]:
    """Credit notes that Stripe has, by their invoice."""
    found: dict[str, list[Fields]] = {}
    async for page in pages(line, DOOR, "/v1/credit-notes"):
        for note in page["credit_notes"]:
            if note["state"] == "issued":
                found.setdefault(note["invoice_id"], []).append(note)
    return found


def _counted(shown: Fields) -> Fields | None:
    """A line of resolutions that bills something, or is covered by what was bought ahead."""
    kinds = ("usage", "overage", "included")
    rows = [row for row in shown["lines"] if row["item"] == "resolution" and row["kind"] in kinds and row["charges"]]
    return max(rows, key=lambda row: abs(row["amount_minor"]), default=None)


async def _down(line: Line, customer: str, shown: Fields, turns: dict[tuple[str, str], int]) -> None:
    """The entries behind the line, and the conversation that was taken back and charged again most often."""
    row = _counted(shown)
    assert row is not None
    path = f"/v1/invoices/{shown['id']}/lines/{row['id']}/entries"
    entries = (await line.get(await line.door_of(customer), path, limit=ENTRIES))["entries"]
    talks = {entry["subject"] for entry in entries if entry["subject_kind"] == "conversation"}
    amount = money(row["amount_minor"], shown["currency"])
    out.print(
        Text.assemble(
            f"{shown['number']} · {row['item']}, {amount} · ",
            (f"{row['charges']} charged, {row['reversals']} taken back, {row['net']} net", "bold"),
        )
    )
    if not talks:
        return
    subject = max(talks, key=lambda name: (turns.get((customer, name), 0), name))
    found = await line.get("rating", f"/v1/conversations/{customer}/{subject}")
    out.print(views.conversation(found, f"{subject} · {found['why_in_words']}"))
