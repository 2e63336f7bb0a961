"""Invoices and credit memos: their lines, totals, and what a credit is applied to."""

from __future__ import annotations

from sandbox.documents import Body
from sandbox.netsuite.domain.amounts import ZERO, line_amount
from sandbox.netsuite.errors import invalid_value, missing, user_error
from sandbox.netsuite.records.catalogue import ITEMS
from sandbox.netsuite.records.reading import MOST
from sandbox.netsuite.records.rules.applying import check_not_less_than_applied, check_not_linked, gross, settle_apply
from sandbox.netsuite.records.rules.common import (
    check_order,
    default_account,
    due_date,
    fits,
    settle_account,
    settle_customer,
    settle_transaction,
)
from sandbox.netsuite.records.rules.context import Saving


def settle_invoice(saving: Saving) -> None:
    """An invoice as it would be saved."""
    customer = _settle_sale(saving)
    draft = saving.draft
    saving.default("terms", customer.get("terms"))
    check_order(draft, "startDate", "endDate")
    saving.default("dueDate", due_date(saving.book, draft.get("terms"), draft["tranDate"]))
    check_not_less_than_applied(saving)


def settle_credit_memo(saving: Saving) -> None:
    """A credit memo as it would be saved."""
    _settle_sale(saving)
    draft = saving.draft
    settle_apply(saving, draft["lines"].get("apply", []), available=gross(draft))
    check_not_less_than_applied(saving)


def _settle_sale(saving: Saving) -> Body:
    draft = saving.draft
    customer = settle_customer(saving, "entity")
    default_account(saving, "account", kind="AcctRec", label="Account")
    settle_account(saving, "account", "AcctRec")
    settle_transaction(saving)
    check_not_linked(saving)
    lines = draft["lines"].get("item", [])
    if not lines:
        raise missing("Items", "item")
    for number, line in enumerate(lines):
        _settle_line(saving, line, f"item.items[{number}]")
    draft["lines"]["item"] = lines
    if gross(draft) < ZERO:
        raise user_error("The total of this transaction may not be below zero.")
    return customer


def _settle_line(saving: Saving, line: Body, path: str) -> None:
    """One item line: its item fits, its amount is known, and it has its numbers."""
    book, draft = saving.book, saving.draft
    if line.get("item") is None:
        raise missing("Item", f"{path}.item")
    item = book.find(ITEMS, line["item"])
    if item is None or (item.get("isInactive") and "lineUniqueKey" not in line):
        raise invalid_value(line["item"], "item", f"{path}.item")
    if not fits(book, item, draft["subsidiary"]):
        said = f"Invalid item reference key {line['item']} for subsidiary {draft['subsidiary']}."
        raise user_error(said, f"{path}.item")
    if line.get("postsTo", {}).get("item") != line["item"]:  # an item that changes its account moves no old posting
        line["postsTo"] = {"item": line["item"], "account": item.get("incomeAccount") or item["account"]}
    settle_account(saving, "account", path=f"{path}.item", account=line["postsTo"]["account"])
    amount = line_amount(
        quantity=line.get("quantity"),
        rate=line.get("rate"),
        amount=line.get("amount"),
        precision=book.precision(draft["currency"]),
    )
    if amount is None:
        raise missing("Amount", f"{path}.amount")
    if abs(amount) >= MOST:
        raise invalid_value(amount, "amount", f"{path}.amount")
    line["amount"] = amount
    check_order(line, "revRecStartDate", "revRecEndDate", f"{path}.")
