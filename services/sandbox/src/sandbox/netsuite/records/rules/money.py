"""Where money moves: payments, refunds and bank deposits; and journals, which say themselves what they post."""

from __future__ import annotations

from decimal import Decimal

from sandbox.documents import Body
from sandbox.netsuite.domain.amounts import ZERO, rounded, total
from sandbox.netsuite.errors import content, invalid_value, missing, user_error
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.rules.applying import (
    applied_by,
    check_not_less_than_applied,
    check_not_linked,
    gross,
    settle_apply,
)
from sandbox.netsuite.records.rules.common import (
    default_account,
    require,
    settle_account,
    settle_customer,
    settle_transaction,
)
from sandbox.netsuite.records.rules.context import Saving

UNDEPOSITED = "UnDepFunds"


def settle_payment(saving: Saving) -> None:
    """A customer payment as it would be saved: into Undeposited Funds, or to a bank account."""
    draft = saving.draft
    settle_customer(saving, "customer")
    default_account(saving, "arAcct", kind="AcctRec", label="A/R Account")
    settle_account(saving, "arAcct", "AcctRec")
    _settle_where(saving)
    settle_transaction(saving)
    check_not_linked(saving)
    lines = draft["lines"].get("apply", [])
    if draft.get("payment") is None:
        settle_apply(saving, lines, available=None)
        draft["payment"] = applied_by(draft)
    draft["payment"] = rounded(draft["payment"], saving.book.precision(draft["currency"]))
    if draft["payment"] <= ZERO:
        raise user_error("A payment amount is above zero (NEGATIVE_PAYMENT_DISALLWD).", "payment")
    settle_apply(saving, lines, available=draft["payment"])
    check_not_less_than_applied(saving)
    _check_not_deposited(saving, "payment", "account")


def _settle_where(saving: Saving) -> None:
    """The account to which money goes: `undepFunds` and `account` must not contradict each other (assumption N4)."""
    draft = saving.draft
    if draft.get("undepFunds") and draft.get("account") is not None:
        settle_account(saving, "account", UNDEPOSITED)
    elif draft.get("undepFunds"):
        default_account(saving, "account", kind=UNDEPOSITED, label="Account")
    elif draft.get("account") is None:
        raise missing("Account", "account")
    else:
        settle_account(saving, "account", "Bank", UNDEPOSITED)
    draft["undepFunds"] = saving.book.records["account"][draft["account"]]["acctType"] == UNDEPOSITED


def settle_refund(saving: Saving) -> None:
    """A customer refund as it would be saved: of credits and overpayments, from a bank or Undeposited Funds."""
    draft = saving.draft
    settle_customer(saving, "customer")
    require(saving, "account")
    from_where = ("Bank", UNDEPOSITED) if saving.book.answers.undeposited_refunds == "taken" else ("Bank",)
    settle_account(saving, "account", *from_where)
    default_account(saving, "arAcct", kind="AcctRec", label="A/R Account")
    settle_account(saving, "arAcct", "AcctRec")
    settle_transaction(saving)
    settle_apply(saving, draft["lines"].get("apply", []), available=None)
    if not draft["lines"]["apply"]:
        raise missing("Apply", "apply")
    if saving.old is not None and gross(draft) != gross(saving.old):
        _check_not_deposited(saving)
    _check_not_deposited(saving, "account")


def _check_not_deposited(saving: Saving, *fields: str) -> None:
    """What a deposit has picked keeps its amount and account."""
    deposit = saving.book.deposit_of(saving.draft["id"])
    if deposit is not None and (not fields or saving.changed(*fields)):
        raise user_error(f"This transaction has been deposited by deposit {deposit} and cannot change its amount.")


def settle_deposit(saving: Saving) -> None:
    """A bank deposit as it would be saved: payments and refunds it picks, other lines (fees), cash back."""
    book, draft = saving.book, saving.draft
    require(saving, "account")
    account = book.records["account"][draft["account"]]
    saving.default("subsidiary", (account.get("subsidiaries") or [None])[0])
    require(saving, "subsidiary")
    base = book.records["subsidiary"][draft["subsidiary"]]["currency"]
    saving.default("currency", account.get("currency") or base)
    settle_account(saving, "account", "Bank")
    settle_transaction(saving)
    lines = draft["lines"]
    lines["payment"] = [
        _picked(saving, line, f"payment.items[{number}]")
        for number, line in enumerate(lines.get("payment", []))
        if line.get("deposit") is not False
    ]
    for name in ("other", "cashBack"):
        for number, line in enumerate(lines.setdefault(name, [])):
            path = f"{name}.items[{number}]"
            for field, label in (("account", "Account"), ("amount", "Amount")):
                if line.get(field) is None:
                    raise missing(label, f"{path}.{field}")
            settle_account(saving, "account", path=f"{path}.account", account=line["account"])
            line["amount"] = rounded(line["amount"], book.precision(draft["currency"]))
            if line["amount"] < 0 and book.answers.negative_lines == "refused":
                raise invalid_value(line["amount"], "amount", f"{path}.amount")
    if not any(lines[name] for name in ("payment", "other", "cashBack")):
        raise missing("Payments", "payment")


def _picked(saving: Saving, line: Body, path: str) -> Body:
    book, draft = saving.book, saving.draft
    if line.get("id") is None:
        raise missing("Payment", f"{path}.id")
    record = book.transaction(line["id"])
    by = book.deposit_of(line["id"])
    undeposited = book.records["account"][record["account"]]["acctType"] == UNDEPOSITED
    same = record["currency"] == draft["currency"] and record["subsidiary"] == draft["subsidiary"]
    if not undeposited or not same or by not in (None, draft["id"]):
        said = f"Unable to find a matching line for sublist payment with key: [id] and value: [{line['id']}]."
        raise user_error(said, path)
    return {"id": line["id"], "deposit": True}


def signed_amount(book: Book, id_: str) -> tuple[str, Decimal]:
    """The Undeposited Funds account and signed amount of what a deposit may pick: payments add, refunds take away."""
    record = book.transaction(id_)
    amount = gross(record)
    return record["account"], (amount if record["type"] == "customerPayment" else -amount)


def settle_journal(saving: Saving) -> None:
    """A journal entry as it would be saved: its debits are its credits."""
    book, draft = saving.book, saving.draft
    require(saving, "subsidiary")
    saving.default("currency", book.records["subsidiary"][draft["subsidiary"]]["currency"])
    settle_transaction(saving)
    lines = draft["lines"].get("line", [])
    if not lines:
        raise missing("Lines", "line")
    for number, line in enumerate(lines):
        path = f"line.items[{number}]"
        if line.get("account") is None:
            raise missing("Account", f"{path}.account")
        settle_account(saving, "account", path=f"{path}.account", account=line["account"])
        for side in ("debit", "credit"):
            if line.get(side) is not None:
                line[side] = rounded(line[side], book.precision(draft["currency"]))
                if line[side] < 0:
                    raise invalid_value(line[side], side, f"{path}.{side}")
        if bool(line.get("debit")) == bool(line.get("credit")):
            raise content("A journal line has either a debit or a credit.", path)
    debit, credit = (total(line.get(side) or ZERO for line in lines) for side in ("debit", "credit"))
    if debit != credit:
        raise user_error("The amounts in a journal entry must balance.", "line")
    draft["lines"]["line"] = lines
