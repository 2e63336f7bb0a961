"""
The record types that are carried out, field by field. The metadata catalogue, reading, showing and checks go by it.

Field names are NetSuite's (REST API browser); what is not here is an unknown field. `REFUSED` lists what NetSuite has
and the stand-in would have to ignore.
"""

from __future__ import annotations

from sandbox.netsuite.records.types import (
    Field,
    RecordType,
    Sublist,
    boolean,
    date,
    enum,
    instant,
    integer,
    number,
    ref,
    text,
)

SALE_ITEMS = ("serviceSaleItem", "nonInventorySaleItem", "otherChargeSaleItem")
ITEMS = (*SALE_ITEMS, "discountItem")
APPLICABLE = ("creditMemo", "customerPayment")  # what a refund gives back
DEPOSITABLE = ("customerPayment", "customerRefund")

_COMMON: dict[str, Field] = {
    "externalId": text("External ID", 100),
    "createdDate": instant("Date Created"),
    "lastModifiedDate": instant("Last Modified"),
}
_TRANSACTION: dict[str, Field] = {
    **_COMMON,
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
_ITEM_FIELDS: dict[str, Field] = {
    **_COMMON,
    "itemId": text("Item Name/Number", 250),
    "displayName": text("Display Name", 250),
    "isInactive": boolean("Inactive"),
    "subsidiary": ref("Subsidiary", "subsidiary"),
    "includeChildren": boolean("Include Children"),
}
_SALE_ITEM = {**_ITEM_FIELDS, "incomeAccount": ref("Income Account", "account")}

_CUSTOMER = RecordType(
    "customer",
    "Customer",
    "entity",
    {
        **_COMMON,
        "entityId": text("Customer ID", 80),
        "isPerson": boolean("Individual"),
        "companyName": text("Company Name", 83),
        "firstName": text("First Name", 32),
        "lastName": text("Last Name", 32),
        "email": text("Email", 254),
        "phone": text("Phone", 32),
        "comments": text("Comments", 4000),
        "subsidiary": ref("Primary Subsidiary", "subsidiary"),
        "currency": ref("Primary Currency", "currency"),
        "terms": ref("Terms", "term"),
        "isInactive": boolean("Inactive"),
        "balance": number("Balance", computed=True),
    },
    {
        "currencyList": Sublist("Currencies", {"currency": ref("Currency", "currency")}, keys=("currency",)),
        "addressBook": Sublist(
            "Address",
            {
                "label": text("Label", 150),
                "defaultBilling": boolean("Default Billing Address"),
                "defaultShipping": boolean("Default Shipping Address"),
                "addressee": text("Addressee", 83),
                "addr1": text("Address 1", 150),
                "addr2": text("Address 2", 150),
                "city": text("City", 50),
                "state": text("State", 30),
                "zip": text("Zip", 36),
                "country": text("Country", 2),
            },
        ),
    },
)
_RELATIONSHIP = RecordType(
    "customerSubsidiaryRelationship",
    "Customer-Subsidiary Relationship",
    "link",
    {
        **_COMMON,
        "entity": ref("Customer", "customer", fixed=True),
        "subsidiary": ref("Subsidiary", "subsidiary", fixed=True),
        "isPrimarySub": boolean("Primary Subsidiary", computed=True),
    },
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
_ITEM_TYPES = [
    RecordType("serviceSaleItem", "Service for Sale", "item", _SALE_ITEM, code="Service"),
    RecordType("nonInventorySaleItem", "Non-Inventory Item for Sale", "item", _SALE_ITEM, code="NonInvtPart"),
    RecordType("otherChargeSaleItem", "Other Charge for Sale", "item", _SALE_ITEM, code="OthCharge"),
    RecordType(
        "discountItem", "Discount Item", "item", {**_ITEM_FIELDS, "account": ref("Account", "account")}, code="Discount"
    ),
]
_SETUP = [
    RecordType(
        "subsidiary",
        "Subsidiary",
        "subsidiary",
        {
            **_COMMON,
            "name": text("Name"),
            "country": text("Country", 2),
            "currency": ref("Currency", "currency"),
            "parent": ref("Subsidiary of", "subsidiary"),
            "isInactive": boolean("Inactive"),
        },
        setup=True,
    ),
    RecordType(
        "currency",
        "Currency",
        "currency",
        {
            **_COMMON,
            "name": text("Name"),
            "symbol": text("ISO Code", 3),
            "currencyPrecision": integer("Precision"),
            "isInactive": boolean("Inactive"),
        },
        setup=True,
    ),
    RecordType(
        "account",
        "Account",
        "account",
        {
            **_COMMON,
            "acctNumber": text("Number"),
            "acctName": text("Name"),
            "acctType": text("Type"),
            "currency": ref("Currency", "currency"),
            "isInactive": boolean("Inactive"),
        },
        setup=True,
    ),
    RecordType(
        "term", "Term", "term", {**_COMMON, "name": text("Name"), "daysUntilNetDue": integer("Days")}, setup=True
    ),
    RecordType(
        "accountingPeriod",
        "Accounting Period",
        "accountingPeriod",
        {
            "periodName": text("Period Name"),
            "startDate": date("Start Date"),
            "endDate": date("End Date"),
            "closed": boolean("Closed"),
            "arLocked": boolean("A/R Locked"),
            "allLocked": boolean("Locked"),
        },
        setup=True,
    ),
]
RECORDS: dict[str, RecordType] = {
    one.name: one
    for one in (
        _CUSTOMER,
        _RELATIONSHIP,
        _INVOICE,
        _CREDIT_MEMO,
        _PAYMENT,
        _REFUND,
        _DEPOSIT,
        _JOURNAL,
        *_ITEM_TYPES,
        *_SETUP,
    )
}
GROUPS = {name: one.group for name, one in RECORDS.items()}

_SALE_REFUSED = (
    "discountItem discountRate department class location salesRep billingAddress shippingAddress taxDetailsOverride "
    "taxDetails taxItem taxRate billAddressList shipAddressList custBody isTaxable customForm partners salesTeam"
)
REFUSED: dict[str, frozenset[str]] = {
    "customer": frozenset(
        ["taxRegistration", "creditLimit", "parent", "customForm", "category", "salesRep", "partner", "priceLevel"]
    ),
    "invoice": frozenset(_SALE_REFUSED.split()),
    "creditMemo": frozenset(_SALE_REFUSED.split()),
    "customerPayment": frozenset(
        ["credit", "deposit", "paymentMethod", "paymentOption", "autoApply", "customForm", "department"]
    ),
    "customerRefund": frozenset(
        ["deposit", "paymentMethod", "paymentOption", "customForm", "department", "class", "location"]
    ),
    "deposit": frozenset(["department", "class", "location", "customForm"]),
    "journalEntry": frozenset(
        ["approved", "reversalDate", "reversalDefer", "customForm", "department", "class", "location"]
    ),
    "item": frozenset(
        [
            "grossAmt",
            "taxCode",
            "taxRate1",
            "taxDetailsReference",
            "revRecSchedule",
            "deferRevRec",
            "doNotCreateRevenueElement",
            "class",
            "department",
            "location",
            "price",
            "units",
            "isTaxable",
            "amortizationPeriod",
        ]
    ),
}
