"""Refunds over HTTP: the tax comes back as it was charged, whatever has changed since."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.avatax.testing import US_COMPANY, Driver, a_document, a_line

D = Decimal
PATH = "/companies/SETTLED-US/transactions/in_1/refund"
BARE = {"refundTransactionCode": "cn_1", "refundDate": "2026-10-20"}


async def a_sale(avatax: Driver) -> Any:
    """37.37, 100.00 and 0.55 in New York City: 3.31, 8.88, and 0.022 + 0.02475 + 0.0020625, which is 0.04."""
    lines = [a_line("37.37", number="a"), a_line("100.00", number="b"), a_line("0.55", number="c")]
    return await avatax.create(lines=lines, commit=True)


async def test_a_full_refund_is_the_sale_with_the_other_sign(avatax: Driver) -> None:
    sale = await a_sale(avatax)
    back = await avatax.on("in_1", "refund", {**BARE, "refundType": "Full"})

    assert [line["tax"] for line in sale["lines"]] == [D("3.31"), D("8.88"), D("0.04")]
    assert (back["totalAmount"], back["totalTax"]) == (D("-137.92"), D("-12.23"))
    assert [line["tax"] for line in back["lines"]] == [D("-3.31"), D("-8.88"), D("-0.04")]
    assert [row["tax"] for row in back["summary"]] == [-row["tax"] for row in sale["summary"]]
    assert (back["code"], back["type"], back["status"], back["date"]) == (
        "cn_1",
        "ReturnInvoice",
        "Committed",
        "2026-10-20",
    )
    assert (back["referenceCode"], back["lines"][0]["taxOverrideType"]) == ("in_1", "TaxAmount")
    assert (await avatax.document("cn_1", documentType="ReturnInvoice"))["totalTax"] == D("-12.23")


async def test_lines_that_are_refunded_one_by_one_come_to_the_whole(avatax: Driver) -> None:
    await a_sale(avatax)
    taxes = []
    for number in ("a", "b", "c"):
        order = {**BARE, "refundTransactionCode": f"cn_{number}", "refundType": "Partial", "refundLines": [number]}
        taxes.append((await avatax.on("in_1", "refund", order))["totalTax"])

    assert taxes == [D("-3.31"), D("-8.88"), D("-0.04")]


async def test_a_percentage_of_all_lines_and_of_one(avatax: Driver) -> None:
    """
    Half: 37.37 is 18.685, so -18.69; its taxes 1.49, 1.68 and 0.14 are -0.745, -0.84, -0.07: -0.75 - 0.84 - 0.07.

    Ten percent of line b: 4.00, 4.50 and 0.38 are -0.40, -0.45 and -0.038: -0.04.
    """
    await a_sale(avatax)
    half = await avatax.on("in_1", "refund", {**BARE, "refundType": "Percentage", "refundPercentage": 50})
    tenth = await avatax.on(
        "in_1",
        "refund",
        {
            **BARE,
            "refundTransactionCode": "cn_2",
            "refundType": "Partial",
            "refundLines": ["b"],
            "refundPercentage": 10,
        },
    )

    assert (half["lines"][0]["lineAmount"], half["lines"][0]["tax"]) == (D("-18.69"), D("-1.66"))
    assert [line["tax"] for line in half["lines"]] == [D("-1.66"), D("-4.44"), D("-0.02")]
    assert (tenth["totalAmount"], tenth["totalTax"]) == (D("-10.00"), D("-0.89"))


async def test_the_tax_alone_comes_back_without_an_amount(avatax: Driver) -> None:
    """The buyer brought the certificate afterwards."""
    await a_sale(avatax)
    back = await avatax.on("in_1", "refund", {**BARE, "refundType": "TaxOnly"})

    assert (back["totalAmount"], back["totalTaxable"], back["totalTax"]) == (0, 0, D("-12.23"))


async def test_by_amount_nothing_that_changed_since_matters_and_by_date_the_profile_of_today_goes(
    avatax: Driver,
) -> None:
    """The company gave up its nexus in New York after the sale."""
    await a_sale(avatax)
    await avatax.control("POST", "companies", **{**US_COMPANY, "nexus": ["US-TX"]})
    exact = await avatax.on("in_1", "refund", {**BARE, "refundType": "Full"})
    order = {**BARE, "refundTransactionCode": "cn_2", "refundType": "Full"}
    by_date = await avatax.on("in_1", "refund", order, params={"useTaxDateOverride": "true"})

    assert exact["totalTax"] == D("-12.23")
    assert (by_date["totalAmount"], by_date["totalTax"]) == (D("-137.92"), 0)
    assert (by_date["taxOverrideType"], by_date["taxDate"]) == ("TaxDate", "2026-10-15")


async def test_by_date_the_rates_of_the_sale_go(avatax: Driver) -> None:
    """Denver at the end of 2024: 4.81, not the 5.15 of the refund's year."""
    denver = {"country": "US", "region": "CO", "postalCode": "80202"}
    await avatax.create(date="2024-12-31", addresses={"singleLocation": denver}, commit=True)
    order = {**BARE, "refundType": "Percentage", "refundPercentage": 50}
    back = await avatax.on("in_1", "refund", order, params={"useTaxDateOverride": "true"})

    assert (back["totalAmount"], back["totalTax"]) == (-50, D("-2.41"))


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        ({"refundType": "Full", "refundPercentage": 50}, ("RefundTypeAndPercentageMismatch", 701)),
        ({"refundType": "Full", "refundLines": ["a"]}, ("RefundTypeAndLineMismatch", 703)),
        ({"refundType": "Partial"}, ("RefundLinesRequired", 704)),
        ({"refundType": "Partial", "refundLines": []}, ("RefundLinesRequired", 704)),
        ({"refundType": "Partial", "refundLines": ["z"]}, ("LineNoOutOfRange", 707)),
        ({"refundType": "TaxOnly", "refundPercentage": 10}, ("RefundPercentageForTaxOnly", 706)),
        ({"refundType": "Percentage"}, ("RefundPercentageMissing", 709)),
        ({"refundType": "Percentage", "refundPercentage": 101}, ("RefundPercentageOutOfRange", 708)),
        ({"refundType": "Percentage", "refundPercentage": -1}, ("RefundPercentageOutOfRange", 708)),
        ({"refundType": "Half"}, ("ModelStateInvalid", 70)),
        ({}, ("ValueRequiredError", 5)),
        ({"refundType": "Full", "refundDate": None}, ("ValueRequiredError", 5)),
        ({"refundType": "Full", "refundDate": "yesterday"}, ("DateFormatError", 26)),
        ({"refundType": "Full", "refund": True}, ("ModelStateInvalid", 70)),
    ],
)
async def test_what_does_not_go_together_is_refused(avatax: Driver, order: Any, refusal: Any) -> None:
    """By Avalara's numbers 701 to 709."""
    await a_sale(avatax)

    assert await avatax.refused("POST", PATH, {**BARE, **order}) == (400, *refusal)
    assert len((await avatax.ok("GET", "/companies/SETTLED-US/transactions"))["value"]) == 1


async def test_only_a_sale_can_be_refunded(avatax: Driver) -> None:
    """Not a return, nor what is not there."""
    await avatax.create(type="ReturnInvoice", lines=[a_line("-1.00")], commit=True)
    params = {"documentType": "ReturnInvoice"}

    refusal = await avatax.refused("POST", PATH, {**BARE, "refundType": "Full"}, params=params)
    assert refusal == (400, "InvalidDocumentTypeForRefund", 702)
    assert await avatax.refused("POST", PATH, {**BARE, "refundType": "Full"}) == (404, "EntityNotFoundError", 4)


async def test_a_refund_that_is_repeated_says_that_its_code_is_committed(avatax: Driver) -> None:
    """After an unknown outcome the caller reads it back; nothing is refunded twice under one code."""
    await a_sale(avatax)
    await avatax.on("in_1", "refund", {**BARE, "refundType": "Full"})

    assert await avatax.refused("POST", PATH, {**BARE, "refundType": "Full"}) == (400, "GetTaxError", 300)


async def test_streamlined_states_take_no_tax_amount(avatax: Driver) -> None:
    """A volunteer's refund in Washington needs useTaxDateOverride."""
    await avatax.control("POST", "companies", **{**US_COMPANY, "sst": True})
    seattle = {"country": "US", "region": "WA", "postalCode": "98101"}
    await avatax.create(addresses={"singleLocation": seattle}, commit=True)
    order = {**BARE, "refundType": "Full"}
    refusal = await avatax.refused("POST", PATH, order)
    back = await avatax.on("in_1", "refund", order, params={"useTaxDateOverride": "true"})

    assert refusal == (400, "OnlyTaxDateOverrideIsAllowed", 1302)
    assert back["totalTax"] == D("-10.35")


async def test_a_return_of_ones_own_goes_by_the_old_date(avatax: Driver) -> None:
    """Avalara's other way: type ReturnInvoice, negative amounts, a TaxDate override."""
    override = {"type": "TaxDate", "taxDate": "2024-12-31", "reason": "return"}
    denver = {"country": "US", "region": "CO", "postalCode": "80202"}
    body = a_document(
        a_line("-100.00"), type="ReturnInvoice", addresses={"singleLocation": denver}, taxOverride=override
    )
    made = await avatax.ok("POST", "/transactions/create", body)

    assert (made["totalTax"], made["taxDate"], made["date"]) == (D("-4.81"), "2024-12-31", "2026-10-15")
