"""Fields of transactions: what is sold, credited, paid, refunded, deposited and journalled."""

from __future__ import annotations

from sandbox.netsuite.records.masters import COMMON, ITEMS
from sandbox.netsuite.records.types import Field, RecordType, Sublist, boolean, date, enum, integer, number, ref, text

APPLICABLE = ("creditMemo", "customerPayment")  # what a refund gives back
DEPOSITABLE = ("customerPayment", "customerRefund")

_TRANSACTION: dict[str, Field] = {
    **COMMON,
    "tranId": text("Transaction Number", 45),
    "tranDate": date("Date"),
    "postingPeriod": ref("Posting Period", "accountingPeriod"),
    "subsidiary": ref("Subsidiary", "subsidiary", fixed=True),
    "currency": ref("Currency", "currency", fixed=True),
    "exchangeRate": number("Exchange Rate"),
    "memo": text("Memo", 999),
    "total": number("Total", computed=True),
    "status": enum("Status", computed=True),
}
_ITEM_LINE: dict[str, Field] = {
    "line": integer("Line"),
    "lineUniqueKey": integer("Line Unique Key", computed=True),
    "item": ref("Item", *ITEMS),
    "quantity": number("Quantity"),
    "rate": number("Rate"),
    "amount": number("Amount"),
    "description": text("Description", 4000),
    "revRecStartDate": date("Rev. Rec. Start Date"),
    "revRecEndDate": date("Rev. Rec. End Date"),
}
_SALE: dict[str, Field] = {
    **_TRANSACTION,
    "entity": ref("Customer", "customer", fixed=True),
    "account": ref("Account", "account"),
    "otherRefNum": text("PO #", 45),
    "subtotal": number("Subtotal", computed=True),
    "amountRemaining": number("Amount Remaining", computed=True),
}
_APPLY_INVOICES = Sublist(
    "Apply",
    {
        "doc": ref("Apply To", "invoice"),
        "line": integer("Line"),
        "apply": boolean("Apply"),
        "amount": number("Payment"),
        "total": number("Orig. Amt.", computed=True),
        "due": number("Amt. Due", computed=True),
        "refNum": text("Ref No.", computed=True),
    },
    keys=("doc", "line"),
)
_INVOICE = RecordType(
    "invoice",
    "Invoice",
    "transaction",
    {
        **_SALE,
        "dueDate": date("Due Date"),
        "terms": ref("Terms", "term"),
        "startDate": date("Start Date"),
        "endDate": date("End Date"),
        "amountPaid": number("Amount Paid", computed=True),
    },
    {"item": Sublist("Items", _ITEM_LINE, keys=("line",))},
    code="CustInvc",
)
_CREDIT_MEMO = RecordType(
    "creditMemo",
    "Credit Memo",
    "transaction",
    {**_SALE, "applied": number("Applied", computed=True), "unapplied": number("Unapplied", computed=True)},
    {"item": Sublist("Items", _ITEM_LINE, keys=("line",)), "apply": _APPLY_INVOICES},
    code="CustCred",
)
_PAYMENT = RecordType(
    "customerPayment",
    "Customer Payment",
    "transaction",
    {
        **_TRANSACTION,
        "customer": ref("Customer", "customer", fixed=True),
        "payment": number("Payment Amount"),
        "undepFunds": boolean("Undeposited Funds"),
        "account": ref("Account", "account"),
        "arAcct": ref("A/R Account", "account"),
        "applied": number("Applied", computed=True),
        "unapplied": number("Unapplied", computed=True),
    },
    {"apply": _APPLY_INVOICES},
    code="CustPymt",
)
_REFUND = RecordType(
    "customerRefund",
    "Customer Refund",
    "transaction",
    {
        **_TRANSACTION,
        "customer": ref("Customer", "customer", fixed=True),
        "account": ref("Account", "account"),
        "arAcct": ref("A/R Account", "account"),
    },
    {
        "apply": Sublist(
            "Apply",
            {
                "doc": ref("Apply To", *APPLICABLE),
                "line": integer("Line"),
                "apply": boolean("Apply"),
                "amount": number("Refund"),
            },
            keys=("doc", "line"),
        )
    },
    code="CustRfnd",
)
_DEPOSIT = RecordType(
    "deposit",
    "Deposit",
    "transaction",
    {**_TRANSACTION, "account": ref("Account", "account", fixed=True)},
    {
        "payment": Sublist(
            "Payments",
            {
                "id": ref("Payment", *DEPOSITABLE),
                "deposit": boolean("Deposit"),
                "paymentAmount": number("Payment Amount", computed=True),
            },
            keys=("id",),
        ),
        "other": Sublist(
            "Other Deposits",
            {
                "line": integer("Line"),
                "account": ref("Account", "account"),
                "amount": number("Amount"),
                "entity": ref("Received From", "customer"),
                "memo": text("Memo", 4000),
            },
            keys=("line",),
        ),
        "cashBack": Sublist(
            "Cash Back",
            {
                "line": integer("Line"),
                "account": ref("Account", "account"),
                "amount": number("Amount"),
                "memo": text("Memo", 4000),
            },
            keys=("line",),
        ),
    },
    code="Deposit",
)
_JOURNAL = RecordType(
    "journalEntry",
    "Journal Entry",
    "transaction",
    dict(_TRANSACTION),
    {
        "line": Sublist(
            "Lines",
            {
                "line": integer("Line"),
                "account": ref("Account", "account"),
                "debit": number("Debit"),
                "credit": number("Credit"),
                "entity": ref("Name", "customer"),
                "memo": text("Memo", 4000),
            },
            keys=("line",),
        )
    },
    code="Journal",
)

TRANSACTIONS = (_INVOICE, _CREDIT_MEMO, _PAYMENT, _REFUND, _DEPOSIT, _JOURNAL)
