"""A recorded document's life: what each call does in each state, and how the wrong order is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.avatax.testing import Driver, a_document, a_line

PATH = "/companies/SETTLED-US/transactions/in_1"
CALLS: dict[str, dict[str, Any]] = {
    "commit": {"commit": True},
    "void": {"code": "DocVoided"},
    "lock": {"isLocked": True},
    "uncommit": {},
    "unvoid": {},
    "changecode": {"newCode": "in_2"},
    "verify": {"verifyTotalTax": Decimal("8.88")},
    "adjust": {"adjustmentReason": "PriceAdjusted", "newTransaction": a_document(a_line("50.00"), commit=True)},
    "refund": {"refundTransactionCode": "cn_1", "refundDate": "2026-10-20", "refundType": "Full"},
}
DONE = {"commit": "Committed", "void": "Cancelled", "lock": "Committed", "uncommit": "Saved", "unvoid": "Saved"}


async def brought_to(avatax: Driver, state: str) -> None:
    """A sale in a state of its life."""
    await avatax.create(commit=state in ("Committed", "Locked"))
    if state == "Cancelled":
        await avatax.on("in_1", "void", {"code": "DocVoided"})
    if state == "Locked":
        await avatax.on("in_1", "lock", {"isLocked": True})


@pytest.mark.parametrize(
    ("state", "call", "refusal"),
    [
        ("Saved", "commit", None),
        ("Committed", "commit", (400, "InvalidDocumentStatusForCommit", 1309)),
        ("Cancelled", "commit", (400, "InvalidDocumentStatusForCommit", 1309)),
        ("Locked", "commit", (400, "InvalidDocumentStatusForCommit", 1309)),
        ("Saved", "void", None),
        ("Committed", "void", None),
        ("Cancelled", "void", (400, "TransactionAlreadyCancelled", 198)),
        ("Locked", "void", (400, "CannotModifyLockedTransaction", 1100)),
        ("Saved", "lock", (400, "DocumentNotCommitted", 313)),
        ("Committed", "lock", None),
        ("Cancelled", "lock", (400, "DocumentNotCommitted", 313)),
        ("Saved", "uncommit", (400, "InvalidDocumentStatus", 1314)),
        ("Committed", "uncommit", None),
        ("Locked", "uncommit", (400, "CannotModifyLockedTransaction", 1100)),
        ("Saved", "unvoid", (400, "TransactionNotCancelled", 1300)),
        ("Cancelled", "unvoid", None),
        ("Saved", "changecode", None),
        ("Committed", "changecode", (400, "InvalidDocumentStatus", 1314)),
        ("Cancelled", "verify", (400, "InvalidDocumentStatusForVerify", 1306)),
        ("Saved", "verify", None),
        ("Locked", "verify", None),
        ("Saved", "adjust", None),
        ("Committed", "adjust", None),
        ("Cancelled", "adjust", (400, "TransactionAlreadyCancelled", 198)),
        ("Locked", "adjust", (400, "CannotModifyLockedTransaction", 1100)),
        ("Saved", "refund", (400, "InvalidDocumentStatusForRefund", 700)),
        ("Committed", "refund", None),
        ("Cancelled", "refund", (400, "InvalidDocumentStatusForRefund", 700)),
        ("Locked", "refund", None),
    ],
)
async def test_each_call_in_each_state(avatax: Driver, state: str, call: str, refusal: Any) -> None:
    """What is refused changes nothing; a locked document can only be refunded."""
    await brought_to(avatax, state)
    before = await avatax.document("in_1")
    if refusal is not None:
        assert await avatax.refused("POST", f"{PATH}/{call}", CALLS[call]) == refusal
        assert await avatax.document("in_1") == before
        return

    after = await avatax.on("in_1", call, CALLS[call])

    assert after["status"] == DONE.get(call, after["status"])
    assert after["locked"] == (call == "lock" or (state == "Locked" and call == "verify"))


async def test_a_document_that_is_not_committed_is_overwritten_under_its_id(avatax: Driver) -> None:
    """Created again and again; one committed is not, and says so in Avalara's words."""
    first = await avatax.create()
    second = await avatax.create(lines=[a_line("200.00")], commit=True)
    refusal = await avatax.raw("POST", "/transactions/create", a_document())

    assert (second["id"], second["version"], second["totalTax"]) == (first["id"], 1, Decimal("17.75"))
    assert refusal.status_code == 400
    detail = refusal.json()["error"]["details"][0]
    assert (detail["number"], detail["message"]) == (300, "DocStatus is invalid for this operation.")
    assert (detail["description"], detail["refersTo"]) == ("Expected Saved|Posted", "DocStatus")


async def test_create_or_adjust_is_right_whether_it_was_there_or_not(avatax: Driver) -> None:
    """Repeated after an unknown outcome, the amounts are the same; each repetition is a version."""
    model = {"createTransactionModel": a_document(commit=True)}
    made = [await avatax.ok("POST", "/transactions/createoradjust", model) for _ in range(3)]
    rows = (await avatax.ok("GET", "/companies/SETTLED-US/transactions"))["value"]
    versions = [await avatax.ok("GET", f"/transactions/{each['id']}") for each in made]

    assert [(each["version"], each["totalTax"]) for each in made] == [(n, Decimal("8.88")) for n in (1, 2, 3)]
    assert [each["status"] for each in versions] == ["Adjusted", "Adjusted", "Committed"]
    assert [(row["code"], row["version"]) for row in rows] == [("in_1", 3)]


async def test_an_adjusted_document_keeps_its_history_and_says_why(avatax: Driver) -> None:
    """Other needs a description; a document cannot change its type or its code."""
    await avatax.create(commit=True)
    model = a_document(a_line("90.00"), commit=True)
    order = {"adjustmentReason": "Other", "newTransaction": model}
    silent = await avatax.refused("POST", f"{PATH}/adjust", order)
    other_type = {**order, "adjustmentDescription": "x", "newTransaction": {**model, "type": "ReturnInvoice"}}
    refused_type = await avatax.refused("POST", f"{PATH}/adjust", other_type)
    other_code = {**order, "adjustmentDescription": "x", "newTransaction": {**model, "code": "in_9"}}
    refused_code = await avatax.refused("POST", f"{PATH}/adjust", other_code)
    no_model = await avatax.refused("POST", f"{PATH}/adjust", {"adjustmentReason": "BadDebt"})
    made = await avatax.on("in_1", "adjust", {**order, "adjustmentDescription": "nine of ten"})

    assert silent == no_model == (400, "ValueRequiredError", 5)
    assert refused_type == (400, "CannotAdjustDocumentType", 195)
    assert refused_code == (400, "ModelStateInvalid", 70)
    assert (made["version"], made["totalAmount"], made["adjustmentDescription"]) == (2, 90, "nine of ten")
    assert made["adjustmentReason"] == "Other"


async def test_a_voided_code_can_be_used_again_and_a_deleted_draft_is_gone(avatax: Driver) -> None:
    """DocDeleted forgets what is not committed, and voids what is."""
    first = await avatax.create(commit=True)
    await avatax.on("in_1", "void", {"code": "DocDeleted"})
    again = await avatax.create()
    await avatax.on("in_1", "void", {"code": "DocDeleted"})

    assert (await avatax.ok("GET", f"/transactions/{first['id']}"))["status"] == "Cancelled"
    assert again["id"] != first["id"]
    assert await avatax.refused("GET", PATH) == (404, "EntityNotFoundError", 4)
    assert await avatax.refused("GET", f"/transactions/{again['id']}") == (404, "EntityNotFoundError", 4)
    assert (await avatax.create())["status"] == "Saved"


async def test_code_and_type_are_one_document_and_documents_of_one_code_are_told_apart(avatax: Driver) -> None:
    """A ReturnInvoice of the same code; without `documentType` the SalesInvoice is meant."""
    await avatax.create()
    returned = await avatax.create(type="ReturnInvoice", lines=[a_line("-30.00")])
    committed = await avatax.on("in_1", "commit", {"commit": True}, params={"documentType": "ReturnInvoice"})

    assert (returned["totalTax"], committed["type"]) == (Decimal("-2.66"), "ReturnInvoice")
    assert (await avatax.document("in_1"))["status"] == "Saved"
    assert (await avatax.document("in_1", documentType="ReturnInvoice"))["status"] == "Committed"


async def test_an_estimate_leaves_nothing(avatax: Driver) -> None:
    """Without a type, and by createoradjust too; a code is made where none was sent."""
    sent = {key: value for key, value in a_document().items() if key not in ("type", "code")}
    made = await avatax.ok("POST", "/transactions/create", sent)
    other = await avatax.ok("POST", "/transactions/createoradjust", {"createTransactionModel": sent})

    assert (made["status"], made["type"], made["id"], made["totalTax"]) == (
        "Temporary",
        "SalesOrder",
        0,
        Decimal("8.88"),
    )
    assert len(made["code"]) == 36
    assert other["code"] != made["code"]
    assert (await avatax.ok("GET", "/companies/SETTLED-US/transactions"))["value"] == []


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"verifyTransactionDate": "2026-10-16"}, (400, "DateMismatch", 1305)),
        ({"verifyTotalAmount": Decimal("100.01")}, (400, "TotalAmountMismatch", 1307)),
        ({"verifyTotalTax": Decimal("8.87")}, (400, "TotalTaxMismatch", 1308)),
    ],
)
async def test_verify_says_what_differs(avatax: Driver, body: Any, refusal: Any) -> None:
    await avatax.create()

    assert await avatax.refused("POST", f"{PATH}/verify", body) == refusal


async def test_a_code_that_is_used_cannot_be_taken(avatax: Driver) -> None:
    """And after a change the old one is free."""
    await avatax.create()
    await avatax.create(code="in_2")

    assert await avatax.refused("POST", f"{PATH}/changecode", {"newCode": "in_2"}) == (
        400,
        "TransactionAlreadyExists",
        1303,
    )
    await avatax.on("in_1", "changecode", {"newCode": "in/3 #1"})
    moved = await avatax.document("in_-ava2f-_3%20_-ava23-_1")
    assert (moved["code"], moved["status"]) == ("in/3 #1", "Saved")
    assert await avatax.refused("GET", PATH) == (404, "EntityNotFoundError", 4)


async def test_the_parts_of_an_answer_are_those_that_are_asked_for(avatax: Driver) -> None:
    """$include, in any case; AvaTax's own SDK is tested the same way."""
    parts = {"lines", "summary", "addresses"}

    async def shown(include: str) -> set[str]:
        body = await avatax.ok("POST", "/transactions/create", a_document(), params={"$include": include})
        has_details = {"details"} if any("details" in line for line in body.get("lines", ())) else set()
        return (parts & set(body)) | has_details

    assert await shown("Lines") == {"lines"}
    assert await shown("details") == {"lines", "details"}
    assert await shown("Summary,Addresses") == {"lines", "details", "summary", "addresses"}
    assert await shown("SummaryOnly") == {"summary"}
    assert await shown("LinesOnly") == {"lines"}
    by_type = await avatax.ok("POST", "/transactions/create", a_document(), params={"$include": "TaxDetailsByTaxType"})
    assert by_type["taxDetailsByTaxType"] == [
        {"taxType": "Sales", "totalTaxable": 300, "totalExempt": 0, "totalNonTaxable": 0, "totalTax": Decimal("8.88")}
    ]
    assert await avatax.refused("POST", "/transactions/create", a_document(), params={"$include": "Everything"}) == (
        400,
        "ModelStateInvalid",
        70,
    )
