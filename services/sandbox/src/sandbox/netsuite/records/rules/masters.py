"""Master data: customers, their subsidiaries, and items."""

from __future__ import annotations

import re

from sandbox.netsuite.errors import content, invalid_value, user_error
from sandbox.netsuite.records.rules.common import require, subsidiaries_of
from sandbox.netsuite.records.rules.context import Saving

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+\Z")
_USES = {"invoice": "entity", "creditMemo": "entity", "customerPayment": "customer", "customerRefund": "customer"}


def settle_customer_record(saving: Saving) -> None:
    """A customer as it would be saved: its subsidiary is mandatory (OneWorld), its primary currency on its list."""
    book, draft = saving.book, saving.draft
    if draft.get("isPerson"):
        require(saving, "firstName", "lastName")
    else:
        require(saving, "companyName")
    require(saving, "subsidiary")
    subsidiary = book.records["subsidiary"][draft["subsidiary"]]
    if subsidiary.get("isInactive"):
        raise invalid_value(subsidiary["id"], "subsidiary", "subsidiary")
    if draft.get("email") is not None and not _EMAIL.match(draft["email"]):
        raise content("Invalid email address. Provide one such as name@example.com.", "email")
    saving.default("currency", subsidiary["currency"])
    saving.default("isPerson", False)
    saving.default("isInactive", False)
    saving.default("entityId", f"CUST{draft['id']}")
    others = (one for one in book.records["customer"].values() if one["id"] != draft["id"])
    if any(one["entityId"] == draft["entityId"] for one in others):
        raise user_error(
            "A customer record with this ID already exists. You must enter a unique customer ID.", "entityId"
        )
    _settle_currencies(saving)
    require(saving, *book.mandatory(draft["subsidiary"], "customer"))
    if saving.old is not None and saving.changed("subsidiary") and _is_used(saving, saving.old["subsidiary"]):
        raise user_error("The primary subsidiary of a customer with transactions cannot change.", "subsidiary")


def _settle_currencies(saving: Saving) -> None:
    draft = saving.draft
    listed = [line.get("currency") for line in draft["lines"].get("currencyList", [])]
    if None in listed:
        raise content("A line of currencyList names a currency.", f"currencyList.items[{listed.index(None)}].currency")
    listed = list(dict.fromkeys([draft["currency"], *listed]))
    draft["lines"]["currencyList"] = [{"currency": one} for one in listed]
    if saving.old is None:
        return
    gone = {line["currency"] for line in saving.old["lines"]["currencyList"]} - set(listed)
    used = {
        record["currency"]
        for kind, field in _USES.items()
        for record in saving.book.records[kind].values()
        if record[field] == draft["id"]
    }
    if gone & used:
        raise user_error(f"Currency {min(gone & used)} has transactions and cannot be taken off.", "currencyList")


def _is_used(saving: Saving, subsidiary: str) -> bool:
    book, id_ = saving.book, saving.draft["id"]
    return any(
        record[field] == id_ and record["subsidiary"] == subsidiary
        for kind, field in _USES.items()
        for record in book.records[kind].values()
    )


def settle_relationship(saving: Saving) -> None:
    """A secondary subsidiary of a customer."""
    require(saving, "entity", "subsidiary")
    draft = saving.draft
    customer = saving.book.records["customer"][draft["entity"]]
    if saving.old is None and draft["subsidiary"] in subsidiaries_of(saving.book, customer):
        raise user_error("This record already exists.")
    draft["isPrimarySub"] = False


def settle_item(saving: Saving) -> None:
    """An item as it would be saved: it names the account that its lines go to."""
    book, draft = saving.book, saving.draft
    account = "account" if draft["type"] == "discountItem" else "incomeAccount"
    require(saving, "itemId", account)
    saving.default("isInactive", False)
    saving.default("includeChildren", draft.get("subsidiary") is None)
    row = book.records["account"][draft[account]]
    if row.get("isInactive") or row["acctType"] in ("AcctRec", "Bank", "UnDepFunds"):
        raise invalid_value(draft[account], account, account)
    kinds = ("serviceSaleItem", "nonInventorySaleItem", "otherChargeSaleItem", "discountItem")
    same = (one for kind in kinds for one in book.records[kind].values() if one["itemId"] == draft["itemId"])
    if any(one["id"] != draft["id"] for one in same):
        said = "An item with that name already exists. Please choose another name."
        raise user_error(said, "itemId")
