"""The whole life of one sale in one state, by Avalara's own SDK and over HTTP."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

from avalara.client import AvataxClient

from sandbox.avatax.testing import NEW_YORK, Driver, a_document, a_line

D = Decimal


def plain(document: Any) -> Any:
    """As the SDK takes it, which encodes with floats: amounts here are whole."""
    return json.loads(json.dumps(document, default=float))


async def test_an_estimate_a_record_a_commit_and_a_refund_by_the_sdk(avatax: Driver, sdk: AvataxClient) -> None:
    """
    100.00 of software in New York City: state 4 %, city 4.5 %, commuter district 0.375 % rounded up, 8.88 in all.

    The SDK is Avalara's, unchanged: it only knows another URL.
    """
    sent = plain(a_document())
    ping = await asyncio.to_thread(sdk.ping)
    estimate = await asyncio.to_thread(sdk.create_transaction, {**sent, "type": "SalesOrder"})
    missing = await asyncio.to_thread(sdk.get_transaction_by_code, "SETTLED-US", "in_1")
    saved = await asyncio.to_thread(sdk.create_or_adjust_transaction, {"createTransactionModel": sent})
    committed = await asyncio.to_thread(sdk.commit_transaction, "SETTLED-US", "in_1", {"commit": True})
    back = {"refundTransactionCode": "cn_1", "refundDate": "2026-10-20", "refundType": "Full"}
    refund = await asyncio.to_thread(sdk.refund_transaction, "SETTLED-US", "in_1", back)

    assert '"authenticated":true' in ping.text
    assert (estimate.status_code, estimate.json()["status"], estimate.json()["totalTax"]) == (201, "Temporary", 8.88)
    assert missing.status_code == 404
    assert (saved.status_code, saved.json()["status"]) == (201, "Saved")
    assert (committed.status_code, committed.json()["status"]) == (200, "Committed")
    assert (refund.json()["type"], refund.json()["status"], refund.json()["totalTax"]) == (
        "ReturnInvoice",
        "Committed",
        -8.88,
    )
    assert saved.headers["x-correlation-id"] != committed.headers["x-correlation-id"]


async def test_each_jurisdiction_has_its_part_and_the_parts_sum(avatax: Driver) -> None:
    """In the lines' details, in the summary and in the totals, exact to the cent."""
    made = await avatax.create()

    details = made["lines"][0]["details"]
    assert [(each["jurisdictionType"], each["jurisType"], each["tax"]) for each in details] == [
        ("State", "STA", D("4.00")),
        ("City", "CIT", D("4.50")),
        ("Special", "STJ", D("0.38")),
    ]
    assert [each["tax"] for each in made["summary"]] == [D("4.00"), D("4.50"), D("0.38")]
    assert (made["totalAmount"], made["totalTaxable"], made["totalExempt"]) == (100, 100, 0)
    assert made["totalTax"] == made["totalTaxCalculated"] == made["lines"][0]["tax"] == Decimal("8.88")
    assert made["addresses"][0]["postalCode"] == NEW_YORK["postalCode"]


async def test_what_is_recorded_is_read_back_as_it_was_answered(avatax: Driver) -> None:
    """By code, by code and type, by id; without $include only the head."""
    made = await avatax.create(lines=[a_line("12.34", ref1="il_77", itemCode="prod_5")])

    by_code = await avatax.document("in_1")
    by_type = await avatax.ok("GET", "/companies/SETTLED-US/transactions/in_1/types/SalesInvoice")
    by_id = await avatax.ok("GET", f"/transactions/{made['id']}", params={"$include": "Lines"})

    assert by_code == made
    assert (by_code["lines"][0]["ref1"], by_code["lines"][0]["itemCode"]) == ("il_77", "prod_5")
    assert not {"lines", "summary", "addresses"} & set(by_type)
    assert "details" not in by_id["lines"][0]
    assert not [name for name in by_id if name.startswith("_")]


async def test_every_call_that_is_carried_out_goes_by_the_sdk_too(avatax: Driver, sdk: AvataxClient) -> None:
    """With its own way of sending `documentType`, `$include` and a code with a blank."""
    company, sent = "SETTLED-US", plain(a_document(code="in 1"))
    new = {**sent, "commit": True}
    steps: list[tuple[str, tuple[Any, ...], str]] = [
        ("create_transaction", (sent, {"$include": "SummaryOnly"}), "Saved"),
        ("verify_transaction", (company, "in 1", {"verifyTotalAmount": 100}), "Saved"),
        ("change_transaction_code", (company, "in 1", {"newCode": "in_2"}), "Saved"),
        ("commit_transaction", (company, "in_2", {"commit": True}), "Committed"),
        ("uncommit_transaction", (company, "in_2"), "Saved"),
        ("void_transaction", (company, "in_2", {"code": "DocVoided"}, {"documentType": "SalesInvoice"}), "Cancelled"),
        ("unvoid_transaction", (company, "in_2"), "Saved"),
        (
            "adjust_transaction",
            (company, "in_2", {"adjustmentReason": "BadDebt", "newTransaction": {**new, "code": "in_2"}}),
            "Committed",
        ),
        ("lock_transaction", (company, "in_2", {"isLocked": True}), "Committed"),
        ("get_transaction_by_code_and_type", (company, "in_2", "SalesInvoice"), "Committed"),
    ]
    answers = [await asyncio.to_thread(getattr(sdk, name), *arguments) for name, arguments, _ in steps]
    by_id = await asyncio.to_thread(sdk.get_transaction_by_id, answers[0].json()["id"])
    listed = await asyncio.to_thread(sdk.list_transactions_by_company, company, {"$filter": "code eq 'in_2'"})

    assert [answer.json()["status"] for answer in answers] == [status for _, _, status in steps]
    assert by_id.json()["status"] == "Adjusted"
    assert [(row["version"], row["locked"]) for row in listed.json()["value"]] == [(2, True)]
