"""Fields of master data: customers, items, and what an administrator sets up."""

from __future__ import annotations

from sandbox.netsuite.records.types import (
    Field,
    RecordType,
    Sublist,
    boolean,
    date,
    instant,
    integer,
    number,
    ref,
    text,
)

SALE_ITEMS = ("serviceSaleItem", "nonInventorySaleItem", "otherChargeSaleItem")
ITEMS = (*SALE_ITEMS, "discountItem")

COMMON: dict[str, Field] = {
    "externalId": text("External ID", 100),
    "createdDate": instant("Date Created"),
    "lastModifiedDate": instant("Last Modified"),
}
_ITEM_FIELDS: dict[str, Field] = {
    **COMMON,
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
        **COMMON,
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
        **COMMON,
        "entity": ref("Customer", "customer", fixed=True),
        "subsidiary": ref("Subsidiary", "subsidiary", fixed=True),
        "isPrimarySub": boolean("Primary Subsidiary", computed=True),
    },
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
            **COMMON,
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
            **COMMON,
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
            **COMMON,
            "acctNumber": text("Number"),
            "acctName": text("Name"),
            "acctType": text("Type"),
            "currency": ref("Currency", "currency"),
            "isInactive": boolean("Inactive"),
        },
        setup=True,
    ),
    RecordType(
        "term", "Term", "term", {**COMMON, "name": text("Name"), "daysUntilNetDue": integer("Days")}, setup=True
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

MASTERS = (_CUSTOMER, _RELATIONSHIP, *_ITEM_TYPES, *_SETUP)
