"""What the stand-in decides about tax, asked over HTTP: nexus, exemption, VAT, included tax, overrides, currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.avatax.testing import BERLIN, DE_COMPANY, IRVINE, NEW_YORK, PARIS, US_COMPANY, Driver, a_line

D = Decimal
PROVIDENCE = {
    "line1": "468 Angell Street",
    "city": "Providence",
    "region": "RI",
    "country": "US",
    "postalCode": "02906",
}
BAINBRIDGE = {"line1": "100 Ravine Lane NE", "city": "Bainbridge Island", "region": "WA", "country": "US"} | {
    "postalCode": "98110"
}


async def test_avalaras_own_example_without_nexus(avatax: Driver) -> None:
    """Guide, test case 8.1.1: 100 in Providence without nexus: tax 0, taxable 0, exempt 100."""
    body = await avatax.create(addresses={"singleLocation": PROVIDENCE}, lines=[a_line(100, taxCode="P0000000")])

    line = body["lines"][0]
    assert (line["tax"], line["taxableAmount"], line["exemptAmount"], line["details"]) == (0, 0, 100, [])


async def test_avalaras_own_example_of_an_override(avatax: Driver) -> None:
    """
    Guide, test case 6.1.1: 5.67 where 9.00 would be right; both stand there.

    Shared out as 6.50 and 2.50: 5.67 x 6.5 / 9 = 4.095, and up to the city 5.67: half goes up, so 4.10 and 1.57.
    """
    override = {"type": "taxAmount", "taxAmount": D("5.67"), "reason": "tax calculated by previous tax software"}
    lines = [a_line(100, taxCode="P0000000")]
    body = await avatax.create(addresses={"singleLocation": BAINBRIDGE}, lines=lines, taxOverride=override)

    assert (body["totalTax"], body["totalTaxCalculated"]) == (D("5.67"), D("9.00"))
    assert (body["taxOverrideType"], body["taxOverrideAmount"]) == ("TaxAmount", D("5.67"))
    assert [detail["taxOverride"] for detail in body["lines"][0]["details"]] == [D("4.10"), D("1.57")]


async def test_avalaras_own_example_of_an_exempt_buyer(avatax: Driver) -> None:
    """Guide, test case 8.5.1: a foreign diplomat, by the field's old name."""
    lines = [a_line(100, taxCode="P0000000")]
    body = await avatax.create(addresses={"singleLocation": BAINBRIDGE}, lines=lines, customerUsageType="D")

    line = body["lines"][0]
    assert (line["tax"], line["taxableAmount"], line["exemptAmount"]) == (0, 0, 100)
    assert all(detail["exemptAmount"] == 100 for detail in line["details"])


async def test_avalaras_own_example_of_an_included_tax(avatax: Driver) -> None:
    """Blog of November 2017: 100 in Irvine with 7.75 % in it are 92.81 and 7.19."""
    lines = [a_line(100, taxCode="P0000000", taxIncluded=True)]
    body = await avatax.create(addresses={"singleLocation": IRVINE}, lines=lines)

    assert (body["lines"][0]["lineAmount"], body["totalTax"]) == (D("92.81"), D("7.19"))


@pytest.mark.parametrize(
    "how",
    [
        {"exemptionNo": "anything at all"},
        {"entityUseCode": "G"},
        {"lines": [a_line(100, entityUseCode="A")]},
        {"lines": [a_line(100, exemptionCode="X-1")]},
        {"customerCode": "cus_exempt"},
    ],
)
async def test_an_exempt_buyer_in_the_us(avatax: Driver, how: Any) -> None:
    """By a number, whatever it says; by use code, of the document or a line; by a certificate of the customer."""
    await avatax.control("POST", "companies", **{**US_COMPANY, "exempt_customers": {"cus_exempt": ["NY"]}})
    body = await avatax.create(**{"lines": [a_line(100)], **how})

    assert (body["totalTax"], body["totalTaxable"], body["totalExempt"]) == (0, 0, 100)
    assert body["lines"][0]["exemptNo"]


async def test_a_certificate_covers_its_states_alone_and_no_vat(avatax: Driver) -> None:
    """Texas does not know New York's certificate; an exemption number means nothing in Germany."""
    await avatax.control("POST", "companies", **{**US_COMPANY, "exempt_customers": {"cus_1": ["TX"]}})
    german = {"companyCode": "SETTLED-DE", "currencyCode": "EUR", "exemptionNo": "X", "code": "in_2"}

    assert (await avatax.create())["totalTax"] == D("8.88")
    assert (await avatax.create(ship_from=BERLIN, to=BERLIN, **german))["totalTax"] == D("19.00")


async def test_a_european_business_accounts_for_the_tax_itself(avatax: Driver) -> None:
    """Zero-rated, and the text that the law wants on the invoice stands in invoiceMessages."""
    sale = {"companyCode": "SETTLED-DE", "currencyCode": "EUR", "businessIdentificationNo": "FR12345678901"}
    body = await avatax.create(ship_from=BERLIN, to=PARIS, lines=[a_line("37.50")], **sale)

    assert (body["totalTax"], body["totalTaxable"], body["totalExempt"]) == (0, D("37.50"), 0)
    assert body["invoiceMessages"][0]["lineNumbers"] == ["1"]
    assert "Reverse charge" in body["invoiceMessages"][0]["content"]
    detail = body["lines"][0]["details"][0]
    assert (detail["country"], detail["rate"], detail["rateTypeCode"], detail["taxType"]) == ("DE", 0, "Z", "Output")


async def test_a_business_abroad_without_an_id_is_charged_like_a_consumer(avatax: Driver) -> None:
    """Avalara's trap: from Berlin to New York without nexus there 19 %, and nothing with an id."""
    sale = {"companyCode": "SETTLED-DE", "currencyCode": "EUR"}
    without = await avatax.create(ship_from=BERLIN, to=NEW_YORK, **sale)
    line_with = a_line(100, businessIdentificationNo="US-1")
    with_id = await avatax.create(ship_from=BERLIN, to=NEW_YORK, lines=[line_with], **sale)

    assert (without["totalTax"], with_id["totalTax"]) == (D("19.00"), 0)


async def test_a_line_has_its_own_addresses_whole(avatax: Driver) -> None:
    """They replace the document's, and are not merged with them."""
    lines = [a_line(100), a_line(100, number="2", addresses={"shipFrom": NEW_YORK, "shipTo": PROVIDENCE})]
    body = await avatax.create(lines=lines)
    half = [a_line(100, addresses={"shipTo": NEW_YORK})]

    assert [line["tax"] for line in body["lines"]] == [D("8.88"), 0]
    assert len(body["addresses"]) == 2
    refusal = await avatax.refused("POST", "/transactions/create", {**_sent(), "lines": half})
    assert refusal == (400, "MissingAddress", 304)


def _sent() -> dict[str, Any]:
    addresses = {"singleLocation": NEW_YORK}
    return {"date": "2026-10-15", "customerCode": "c", "companyCode": "SETTLED-US", "addresses": addresses}


async def test_an_override_of_one_line(avatax: Driver) -> None:
    """Its tax is what was said; the other line is calculated."""
    override = {"type": "TaxAmount", "taxAmount": D("1.00"), "reason": "agreed"}
    body = await avatax.create(lines=[a_line(100, taxOverride=override), a_line(100, number="2")])

    assert [(line["tax"], line["taxCalculated"]) for line in body["lines"]] == [
        (D("1.00"), D("8.88")),
        (D("8.88"), D("8.88")),
    ]
    assert body["totalTax"] == D("9.88")


async def test_nobody_can_bear_an_override_where_nobody_taxes(avatax: Driver) -> None:
    override = {"type": "TaxAmount", "taxAmount": 1, "reason": "agreed"}
    sent = {**_sent(), "addresses": {"singleLocation": PROVIDENCE}, "lines": [a_line(100)], "taxOverride": override}

    assert await avatax.refused("POST", "/transactions/create", sent) == (400, "GetTaxError", 300)


@pytest.mark.parametrize(
    ("currency", "amount", "tax"), [("JPY", 1005, "89"), ("KWD", "1.005", "0.089"), ("USD", "1.01", "0.09")]
)
async def test_the_currency_of_the_document_says_how_far_is_rounded(
    avatax: Driver, currency: str, amount: Any, tax: str
) -> None:
    """
    New York City in yen: 40.2, 45.225 and 3.76875 are 40 + 45 + 4.

    In dinars of Kuwait 0.0402, 0.045225 and 0.00376875 are 0.040 + 0.045 + 0.004; in dollars 0.0404, 0.04545 and
    0.0037875 are 0.04 + 0.05 + 0.00.
    """
    body = await avatax.create(currencyCode=currency, lines=[a_line(amount)])

    assert body["totalTax"] == D(tax)


async def test_a_company_is_made_by_the_control_path_and_is_there_at_once(avatax: Driver) -> None:
    """With nexus, locations and codes of its own; what the table does not know is refused."""
    company = {
        "code": "SETTLED-CH",
        "nexus": ["CH"],
        "locations": {"office": {"line1": "Weg 1", "city": "Bern", "country": "CH", "postal_code": "3000"}},
        "tax_codes": {"OWN-1": "cloud"},
    }
    await avatax.control("POST", "companies", **company)
    addresses = {"singleLocation": {"locationCode": "office"}}
    sale = {"companyCode": "SETTLED-CH", "currencyCode": "CHF", "addresses": addresses}
    body = await avatax.create(lines=[a_line(100, taxCode="OWN-1")], **sale)
    unknown = await avatax.http.post("/_sandbox/companies", json={"code": "X", "nexus": ["US-XX"]})
    second_default = await avatax.http.post("/_sandbox/companies", json={"code": "X", "default": True})

    assert (body["totalTax"], body["addresses"][0]["city"]) == (D("8.10"), "Bern")
    assert {each["code"] for each in await avatax.control("GET", "companies")} == {
        "SETTLED-CH",
        US_COMPANY["code"],
        DE_COMPANY["code"],
    }
    assert (unknown.status_code, second_default.status_code) == (422, 409)
