"""`/addresses/resolve`: US addresses found by the table's places, and what is said of those that are not."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from avalara.client import AvataxClient

from sandbox.avatax.testing import IRVINE, Driver


async def test_an_address_is_found_by_both_verbs(avatax: Driver) -> None:
    """Avalara's own example: upper case, the coordinates of Irvine, and who taxes there."""
    posted = await avatax.ok("POST", "/addresses/resolve", IRVINE)
    got = await avatax.ok("GET", "/addresses/resolve", params=IRVINE)

    found = posted["validatedAddresses"][0]
    assert posted == got
    assert (found["line1"], found["city"], found["region"]) == ("2000 MAIN STREET", "IRVINE", "CA")
    assert posted["coordinates"] == {"latitude": Decimal("33.684716"), "longitude": Decimal("-117.851489")}
    assert [each["jurisdictionType"] for each in posted["taxAuthorities"]] == ["State", "County", "Special", "Special"]


async def test_the_sdk_reads_the_coordinates_as_numbers(avatax: Driver, sdk: AvataxClient) -> None:
    """As Avalara's own tests of it do, and 400 for an address that says too little."""
    found = await asyncio.to_thread(sdk.resolve_address, IRVINE)
    wrong = await asyncio.to_thread(sdk.resolve_address, {"line1": "Incomplete Address"})

    assert found.status_code == 200
    assert isinstance(found.json()["coordinates"]["latitude"], float)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "InvalidAddress")


@pytest.mark.parametrize(
    ("address", "summary"),
    [
        ({"region": "TX", "postalCode": "10010"}, "Invalid ZIP/Postal Code."),
        ({"region": "CQ", "postalCode": "10010"}, "Invalid or missing state/province code (CQ)."),
        ({"postalCode": "00001"}, "Address not geocoded."),
        ({"region": "HI", "postalCode": "96801"}, "Address not geocoded."),
    ],
)
async def test_what_cannot_be_placed_is_said_in_messages(avatax: Driver, address: Any, summary: str) -> None:
    """With 200, as a warning that the caller has to look for."""
    answer = await avatax.ok("POST", "/addresses/resolve", address)

    assert answer["resolutionQuality"] == "NotCoded"
    assert (answer["messages"][0]["summary"], answer["messages"][0]["severity"]) == (summary, "Error")
    assert "validatedAddresses" not in answer


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ({}, (400, "InvalidAddress", 309)),
        ({"line1": "1 Madison Ave", "city": "New York"}, (400, "InvalidAddress", 309)),
        ({"country": "DE", "postalCode": "10115"}, (400, "GetTaxError", 300)),
        ({"postalCode": "10010", "planet": "Earth"}, (400, "ModelStateInvalid", 70)),
        ({"postalCode": 10010}, (400, "ModelStateInvalid", 70)),
        ({"postalCode": "1" * 12}, (400, "StringLengthError", 13)),
        ({"postalCode": "10010", "textCase": "Lower"}, (400, "ModelStateInvalid", 70)),
    ],
    ids=str,
)
async def test_what_says_too_little_or_lies_elsewhere_is_refused(avatax: Driver, address: Any, refusal: Any) -> None:
    """Validation is for the US here; AvaTax has Canada too."""
    assert await avatax.refused("POST", "/addresses/resolve", address) == refusal


async def test_a_state_without_the_city_is_found_too(avatax: Driver) -> None:
    """Without coordinates; in mixed case where it is asked for."""
    sent = {"line1": "1 ELM ST", "city": "ROCHESTER", "region": "NY", "postalCode": "14604", "textCase": "Mixed"}
    answer = await avatax.ok("POST", "/addresses/resolve", sent)

    assert (answer["validatedAddresses"][0]["line1"], answer["resolutionQuality"]) == ("1 Elm St", "NotCoded")
    assert "coordinates" not in answer


async def test_lists_of_codes(avatax: Driver) -> None:
    """Tax codes and entity use codes."""
    codes = await avatax.ok("GET", "/definitions/taxcodes")
    uses = await avatax.ok("GET", "/definitions/entityusecodes")

    assert {"P0000000", "SW054000", "NT"} <= {each["taxCode"] for each in codes["value"]}
    assert codes["@recordsetCount"] == len(codes["value"])
    assert [each["code"] for each in uses["value"]] == list("ABCDEFGHIJKLMNPQR")
