"""What applying a file caused is told."""

from __future__ import annotations

from typing import Any

from event_schemas.contracts import Contract
from settled_cli.applying import caused, set_aside, told

ACME: dict[str, Any] = {
    "customer": "acme",
    "name": "Acme Ltd",
    "issuer": "settled-us",
    "channel": "self_serve",
    "currency": "USD",
    "billing_anchor": "2026-10-01T00:00:00Z",
    "billing_email": "billing@acme.example",
    "revision": 3,
    "timeline": [{"effective_from": "2026-10-01T00:00:00Z", "policy": {"version": "standard-1"}}],
    "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}],
}


def a_contract(**changes: Any) -> Contract:
    return Contract.model_validate(ACME | changes)


def test_each_refusal_of_the_service_is_told_with_its_customer() -> None:
    assert told([{"customer": "acme", "sentence": "no"}, {"customer": "", "sentence": "customer is missing"}]) == [
        "acme: no",
        "customer is missing",
    ]


def test_only_new_and_repeated_cases_were_caused() -> None:
    before = [{"id": "D1", "count": 1}, {"id": "D2", "count": 1}]
    after = [{"id": "D1", "count": 1}, {"id": "D2", "count": 2}, {"id": "D3", "count": 1}]

    assert [case["id"] for case in caused(before, after)] == ["D2", "D3"]


def test_what_waits_for_its_month_is_not_set_aside() -> None:
    states = {"handled_revision": 0, "applied_revision": None}
    aside = {"handled_revision": 3, "applied_revision": 2}

    assert set_aside([a_contract()], {"acme": states}) == []
    assert set_aside([a_contract()], {"acme": aside}) == ["acme"]
