"""What is wrong with a request is refused with AvaTax's number for it, and leaves nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, NEW_YORK, TOKEN, Driver, a_document, a_line

CREATE = "/transactions/create"
REQUIRED, MALFORMED, TAX = (400, "ValueRequiredError", 5), (400, "ModelStateInvalid", 70), (400, "GetTaxError", 300)
UNSUPPORTED, LENGTH = (400, "SandboxUnsupported", 0), (400, "StringLengthError", 13)


def at(**address: str) -> dict[str, Any]:
    """A document at one address."""
    return {"addresses": {"singleLocation": address}}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"lines": [a_line(100, amuont=1)]}, MALFORMED),
        ({"custmerCode": "x"}, MALFORMED),
        ({"lines": [{"number": "1", "taxCode": "SW054000"}]}, REQUIRED),
        ({"lines": [{"number": "1", "amount": None}]}, REQUIRED),
        ({"lines": [{"number": "1", "amount": "100"}]}, MALFORMED),
        ({"lines": [{"number": "1", "amount": True}]}, MALFORMED),
        ({"lines": [{"number": 1, "amount": 100}]}, MALFORMED),
        ({"lines": [a_line(100, quantity=-1)]}, MALFORMED),
        ({"lines": [a_line("0.001")]}, MALFORMED),
        ({"lines": [a_line(10**15)]}, MALFORMED),
        ({"lines": [a_line(100), a_line(100)]}, TAX),
        ({"lines": []}, (400, "MissingLine", 311)),
        ({"lines": None}, (400, "MissingLine", 311)),
        ({"lines": {"number": "1"}}, MALFORMED),
        ({"lines": [a_line(1, number=str(n)) for n in range(101)]}, TAX),
        ({"lines": [a_line(100, taxCode="SW99")]}, TAX),
        ({"customerCode": None}, REQUIRED),
        ({"customerCode": ""}, REQUIRED),
        ({"customerCode": "x" * 51}, LENGTH),
        ({"code": "x" * 51}, LENGTH),
        ({"date": None}, REQUIRED),
        ({"date": "15.10.2026"}, (400, "DateFormatError", 26)),
        ({"date": "2026-02-30"}, (400, "DateFormatError", 26)),
        ({"date": 20261015}, MALFORMED),
        ({"date": "1950-01-01"}, TAX),
        ({"type": "Invoice"}, MALFORMED),
        ({"type": "PurchaseInvoice"}, UNSUPPORTED),
        ({"commit": "true"}, MALFORMED),
        ({"currencyCode": "XYZ"}, MALFORMED),
        ({"companyCode": "NOBODY"}, TAX),
        ({"discount": 5}, UNSUPPORTED),
        ({"lines": [a_line(100, discounted=True)]}, UNSUPPORTED),
        ({"lines": [a_line(100, hsCode="1")]}, UNSUPPORTED),
        ({"entityUseCode": "A", "customerUsageType": "B"}, UNSUPPORTED),
        ({"addresses": None}, (400, "MissingAddress", 304)),
        ({"addresses": {"shipTo": NEW_YORK}}, (400, "MissingAddress", 304)),
        ({"addresses": {"singleLocation": NEW_YORK, "shipTo": NEW_YORK}}, (400, "AddressConflictException", 301)),
        ({"addresses": {"home": NEW_YORK}}, MALFORMED),
        ({"addresses": {"singleLocation": NEW_YORK | {"zip": "10010"}}}, MALFORMED),
        ({"addresses": {"singleLocation": NEW_YORK | {"latitude": 1}}}, UNSUPPORTED),
        (at(country="US", region="CQ", postalCode="10010"), TAX),
        (at(country="US", region="NY"), TAX),
        (at(country="US", line1="1 Madison Ave"), TAX),
        (at(country="US", region="TX", postalCode="10010"), TAX),
        (at(country="ZZ"), TAX),
        (at(country="Germany"), LENGTH),
        (at(line1="1 Madison Ave", city="New York", region="NY"), TAX),
        (at(locationCode="nowhere"), (404, "EntityNotFoundError", 4)),
        ({"taxOverride": {"type": "TaxAmount", "reason": "x"}}, REQUIRED),
        ({"taxOverride": {"type": "TaxDate", "reason": "x"}}, REQUIRED),
        ({"taxOverride": {"type": "TaxAmount", "taxAmount": 1}}, REQUIRED),
        ({"taxOverride": {"type": "Exemption", "reason": "x"}}, UNSUPPORTED),
        ({"taxOverride": {"type": "Nothing", "reason": "x"}}, MALFORMED),
    ],
    ids=str,
)
async def test_a_wrong_document_is_refused_whole(avatax: Driver, change: Any, refusal: Any) -> None:
    """By both calls that record, and nothing is recorded."""
    sent = {**a_document(), **change}

    assert await avatax.refused("POST", CREATE, sent) == refusal
    wrapped = {"createTransactionModel": sent}
    assert await avatax.refused("POST", "/transactions/createoradjust", wrapped) == refusal
    assert (await avatax.ok("GET", "/companies/SETTLED-US/transactions"))["value"] == []


async def test_the_refusal_names_the_field(avatax: Driver) -> None:
    """With its path, and in Avalara's words where they are published."""
    answer = await avatax.raw("POST", CREATE, a_document(a_line(1), {"number": "2", "amount": "x"}))
    region = await avatax.raw("POST", CREATE, {**a_document(), **at(country="US", region="CQ", postalCode="10010")})

    detail = answer.json()["error"]["details"][0]
    assert detail["refersTo"] == "lines[1].amount"
    assert detail["description"].endswith("The value 'x' is not a valid 'Decimal'.")
    assert detail["helpLink"] == "http://developer.avalara.com/avatax/errors/ModelStateInvalid"
    assert region.json()["error"]["message"] == "Invalid or missing state/province code (CQ)."
    assert region.json()["error"]["details"][0]["description"] == "CQ is not a known state or province."


@pytest.mark.parametrize("content", [b"", b"null", b"{", b"[]", b'"x"', b"12", b"\xff\xfe", b"[" * 2000, b"NaN"])
async def test_what_is_no_json_object_is_refused(avatax: Driver, content: bytes) -> None:
    answer = await avatax.raw("POST", CREATE, content=content)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("ModelStateInvalid", "ValueRequiredError")


async def test_a_body_that_is_too_large_is_refused(avatax: Driver) -> None:
    answer = await avatax.raw("POST", CREATE, content=b'{"description": "' + b"x" * 8_500_000 + b'"}')

    assert (answer.status_code, answer.json()["error"]["details"][0]["number"]) == (400, 70)


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Authorization": ""}, ("AuthenticationIncomplete", 34)),
        ({"Authorization": "Digest x"}, ("AuthenticationIncomplete", 34)),
        (basic(f"{ACCOUNT}:wrong"), ("AuthenticationException", 30)),
        (basic(f"2000000002:{LICENSE_KEY}"), ("AuthenticationException", 30)),
        (basic(ACCOUNT), ("AuthenticationException", 30)),
        (basic(":"), ("AuthenticationException", 30)),
        ({"Authorization": "Basic !!!"}, ("AuthenticationException", 30)),
        ({"Authorization": "Bearer expired"}, ("BearerTokenInvalid", 37)),
    ],
    ids=str,
)
async def test_wrong_credentials_are_refused_and_ping_says_so_with_200(
    avatax: Driver, headers: Any, refusal: Any
) -> None:
    """Every call but ping, whose answer has to be read."""
    options: dict[str, Any] = {"auth": None, "headers": headers}
    ping = await avatax.ok("GET", "/utilities/ping", **options)

    assert (ping["authenticated"], ping["authenticationType"]) == (False, "None")
    for method, path in (("POST", CREATE), ("GET", "/companies/SETTLED-US/transactions/in_1")):
        assert await avatax.refused(method, path, a_document(), **options) == (401, *refusal)


async def test_a_bearer_token_is_as_good_as_a_key(avatax: Driver) -> None:
    """And the licence keys can be changed while the account is used."""
    options: dict[str, Any] = {"auth": None, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    ping = await avatax.ok("GET", "/utilities/ping", **options)
    try:
        await avatax.control("POST", "keys", license_keys=["another-key"])
        refused = await avatax.refused("GET", "/companies/SETTLED-US/transactions")
        avatax.auth = (ACCOUNT, "another-key")
        assert (await avatax.ok("GET", "/companies/SETTLED-US/transactions"))["value"] == []
    finally:
        await avatax.control("POST", "keys", license_keys=[LICENSE_KEY], bearer_tokens=[TOKEN])

    assert ping["authenticated"] is True
    assert refused == (401, "AuthenticationException", 30)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/companies//transactions/in_1"),
        ("POST", "/companies//transactions/in_1/commit"),
        ("GET", "/nothing"),
        ("DELETE", "/companies/SETTLED-US/transactions/in_1"),
        ("POST", "/companies/SETTLED-US/transactions/in_1/explode"),
    ],
)
async def test_a_path_that_is_none_has_no_body(avatax: Driver, method: str, path: str) -> None:
    """An empty company code too, as integrators report."""
    answer = await avatax.raw(method, path)

    assert (answer.status_code, answer.content) == (404, b"")


async def test_what_a_path_names_must_be_there(avatax: Driver) -> None:
    """Company, document, type."""
    missing = (404, "EntityNotFoundError", 4)
    await avatax.create()

    assert await avatax.refused("GET", "/companies/NOBODY/transactions/in_1") == missing
    assert await avatax.refused("GET", "/companies/SETTLED-US/transactions/in_9") == missing
    assert await avatax.refused("GET", "/companies/SETTLED-DE/transactions/in_1") == missing
    assert await avatax.refused("GET", "/transactions/12") == missing
    params = {"documentType": "Anything"}
    assert await avatax.refused("GET", "/companies/SETTLED-US/transactions/in_1", params=params) == MALFORMED
    params = {"doctype": "SalesInvoice"}
    assert await avatax.refused("GET", "/companies/SETTLED-US/transactions/in_1", params=params) == MALFORMED


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("commit", {}),
        ("commit", {"commit": 1}),
        ("commit", {"commit": True, "now": True}),
        ("void", {"code": "Because"}),
        ("void", {}),
        ("lock", {"isLocked": False}),
        ("lock", {"locked": True}),
        ("changecode", {"newCode": "x" * 51}),
        ("verify", {"verifyTotalTax": "8.88"}),
    ],
    ids=str,
)
async def test_calls_on_a_document_are_as_strict(avatax: Driver, call: str, body: Any) -> None:
    """And leave it as it was."""
    await avatax.create(commit=call == "lock")
    before = await avatax.document("in_1")
    answer = await avatax.raw("POST", f"/companies/SETTLED-US/transactions/in_1/{call}", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["number"] in (5, 13, 70)
    assert await avatax.document("in_1") == before
