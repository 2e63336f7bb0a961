"""
Applying one transaction to another: credits and payments to invoices, refunds to credits and overpayments.

What is left of a document is its total less all that is applied to it, and, for what applies itself, less what it
applies. Both are computed, never stored.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.documents import Body
from sandbox.netsuite.domain.amounts import ZERO, rounded, total
from sandbox.netsuite.errors import content, missing, user_error
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.rules.context import Saving

AR_ACCOUNT = {"invoice": "account", "creditMemo": "account", "customerPayment": "arAcct", "customerRefund": "arAcct"}
PARTY = {"invoice": "entity", "creditMemo": "entity", "customerPayment": "customer", "customerRefund": "customer"}


def gross(record: Body) -> Decimal:
    """What a document is about, before anything is applied."""
    match record["type"]:
        case "invoice" | "creditMemo":
            return total(line["amount"] for line in record["lines"]["item"])
        case "customerPayment":
            amount: Decimal = record["payment"]
            return amount
        case _:
            return applied_by(record)


def applied_by(record: Body) -> Decimal:
    """What a transaction applies to others."""
    return total(line["amount"] for line in record["lines"].get("apply", ()))


def remaining(book: Book, record: Body, *, without: str | None = None) -> Decimal:
    """What is left of a document for others to be applied to it, leaving one of them out."""
    others = total(amount for id_, amount in book.applied_to(record["id"]).items() if id_ != without)
    own = ZERO if record["type"] == "invoice" else applied_by(record)
    return gross(record) - others - own


def settle_apply(saving: Saving, lines: list[Body], *, available: Decimal | None) -> None:
    """
    Check the lines of `apply` and put their final form into the draft.

    Args:
        lines: what is wanted, merged with what stands already; `apply: false` or amount 0 takes a line away.
        available: how much there is to apply; None: as much as the lines say.
    """
    book, draft = saving.book, saving.draft
    kept: list[Body] = []
    left = available
    for number, line in enumerate(lines):
        path = f"apply.items[{number}]"
        if line.get("doc") is None:
            raise missing("Apply To", f"{path}.doc")
        if line.get("apply") is False or line.get("amount") == ZERO:
            continue
        document = book.transaction(line["doc"])
        open_amount = remaining(book, document, without=draft["id"])
        _check_match(saving, document, line, path, open_amount)
        amount = line.get("amount")
        if amount is None:
            amount = open_amount if left is None else min(open_amount, left)
        amount = rounded(amount, book.precision(draft["currency"]))
        if amount <= 0:
            raise content("An applied amount is above zero.", f"{path}.amount")
        if amount > open_amount:
            said = f"The amount {amount} to apply is more than the {open_amount} that remains of {document['tranId']}."
            raise user_error(f"{said} (CANT_APPLY_PMT)", f"{path}.amount")
        left = None if left is None else left - amount
        kept.append({"doc": line["doc"], "line": 0, "apply": True, "amount": amount})
    if left is not None and left < 0:
        raise user_error(f"You cannot apply more than your total payments: {-left} too much (CANT_APPLY_PMT).", "apply")
    draft["lines"]["apply"] = kept


def _check_match(saving: Saving, document: Body, line: Body, path: str, open_amount: Decimal) -> None:
    """The document is on the list that NetSuite would show: same party, currency, subsidiary and A/R, still open."""
    draft = saving.draft
    same = (
        document[PARTY[document["type"]]] == draft[PARTY[draft["type"]]]
        and document["currency"] == draft["currency"]
        and document["subsidiary"] == draft["subsidiary"]
        and document[AR_ACCOUNT[document["type"]]] == draft[AR_ACCOUNT[draft["type"]]]
    )
    key = f"{line['doc']},{line.get('line') or 0}"
    if not same or line.get("line") not in (None, 0) or open_amount <= 0:
        said = f"Unable to find a matching line for sublist apply with key: [doc, line] and value: [{key}]."
        raise user_error(said, path)


def check_not_less_than_applied(saving: Saving) -> None:
    """A document cannot become less than what is applied to it (assumption N9)."""
    left = remaining(saving.book, saving.draft)
    if left < 0:
        raise user_error(f"The total would be {-left} less than what is applied to this transaction.")


def check_not_linked(saving: Saving) -> None:
    """Party, currency, subsidiary and A/R account of a document stand as long as others are applied to it."""
    record = saving.draft
    if saving.old is None or not saving.book.applied_to(record["id"]):
        return
    if saving.changed(AR_ACCOUNT[record["type"]]):
        raise user_error("The account cannot change: other transactions are applied to this one.")
