"""The checks against Stripe's document, shown to find what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.stripe.openapi.check import RequestChecker, ResponseChecker
from sandbox.stripe.openapi.document import read_document
from sandbox.stripe.operations import METER_EVENTS, OPERATIONS

PRODUCT = {
    "id": "prod_1",
    "object": "product",
    "active": True,
    "created": 1,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "name": "P",
    "updated": 1,
}
SUBSCRIPTION = {"customer": "cus_1", "items": [{"price": "price_1", "quantity": "3"}]}


@pytest.mark.parametrize(
    ("method", "path", "params", "flaw"),
    [
        ("POST", "/v1/subscriptions", {"customer": "c", "collection_method": "barter"}, "collection_method: must be"),
        ("POST", "/v1/subscriptions", {"customer": "c", "items": [{"quantity": "x"}]}, "items[0][quantity]: is not"),
        ("POST", "/v1/subscriptions", {"customer": "c", "items": [{"colour": "x"}]}, "items[0][colour]: is not in"),
        ("POST", "/v1/prices", {"product": "p"}, "currency: is required"),
        ("POST", "/v1/billing/meter_events", {"event_name": "e"}, "payload: is required"),
        ("GET", "/v1/events", {"colour": "x"}, "colour: is not in the document"),
        ("GET", "/v1/billing/meters/{id}/event_summaries", {"customer": "c"}, "end_time: is required"),
        ("POST", "/v1/charges", {}, "/v1/charges: POST is not in the document"),
    ],
)
def test_finds_a_flawed_request(method: str, path: str, params: dict[str, Any], flaw: str) -> None:
    """In the words and with the parameter's name."""
    assert any(found.startswith(flaw) for found in RequestChecker().flaws(method, path, params))


def test_lets_a_sound_request_pass() -> None:
    """Numbers come as text; a map takes any key; an empty string clears."""
    checker = RequestChecker()

    assert checker.flaws("POST", "/v1/subscriptions", SUBSCRIPTION) == []
    assert checker.flaws("POST", "/v1/customers/{customer}", {"metadata": ""}) == []
    assert checker.flaws("GET", "/v1/events", {"created": {"gte": "5"}, "types": ["a"]}) == []


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"name": None}, "name: is null"),
        ({"active": "yes"}, "active: is not a valid boolean"),
        ({"created": True}, "created: is not a valid integer"),
        ({"object": "produce"}, "object: must be one of product"),
        ({"colour": "red"}, "colour: is not in the document"),
        ({"metadata": {"k": 1}}, "metadata[k]: is not a valid string"),
        ({"images": "none"}, "images: is not an array"),
    ],
)
def test_finds_a_flawed_answer(change: dict[str, Any], flaw: str) -> None:
    """Types, enums, null where it may not be, fields that nobody has announced."""
    flaws = ResponseChecker().flaws("GET", "/v1/products/{id}", 200, {**PRODUCT, **change})

    assert [found for found in flaws if found.startswith(flaw)]


def test_lets_a_sound_answer_pass_and_takes_what_is_newer() -> None:
    """A field on the list of newer ones is no flaw, a missing required one is."""
    checker = ResponseChecker()
    without = {key: value for key, value in PRODUCT.items() if key != "name"}

    assert checker.flaws("GET", "/v1/products/{id}", 200, {**PRODUCT, "tax_details": None}) == []
    assert checker.flaws("GET", "/v1/products/{id}", 200, without) == ["name: is required"]
    assert checker.flaws("GET", "/v1/products/{id}", 404, {"error": {"type": "invalid_request_error"}}) == []


def test_the_document_covers_exactly_the_operations_in_use() -> None:
    """Cutting it again after adding an operation must not be forgotten."""
    paths = read_document()["paths"]
    inside = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    assert inside == {(op.method, op.path) for op in OPERATIONS} | {("POST", METER_EVENTS)}
