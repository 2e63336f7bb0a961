"""A revision never says two things, and what applying it caused is told."""

from __future__ import annotations

from typing import Any

from event_schemas.contracts import Contract
from settled_cli.applying import caused, objections, set_aside

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
DEARER = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "1.99"}}]


def a_contract(**changes: Any) -> Contract:
    return Contract.model_validate(ACME | changes)


def there(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"acme": {"document": a_contract(**changes).model_dump(mode="json")}}


class TestObjections:
    def test_another_content_under_the_same_revision_names_the_field_and_the_revision_to_write(self) -> None:
        assert objections([a_contract(metered=DEARER)], there()) == [
            "acme: revision 3 is agreed already and says something else in metered.resolution.price.unit_price: "
            "raise revision to 4"
        ]

    def test_a_revision_that_goes_back_is_refused(self) -> None:
        assert objections([a_contract(revision=2)], there()) == [
            "acme: revision 3 is agreed already, and this file says 2: write revision 4"
        ]

    def test_the_same_again_a_later_revision_and_a_new_customer_are_fine(self) -> None:
        later = a_contract(revision=4, metered=DEARER)

        assert objections([a_contract()], there()) == []
        assert objections([later], there()) == []
        assert objections([a_contract()], {}) == []

    def test_a_field_that_is_left_out_says_what_its_default_says(self) -> None:
        assert objections([a_contract()], there(collection_method="send_invoice", free_meters=[])) == []


def test_only_new_and_repeated_cases_were_caused() -> None:
    before = [{"id": "D1", "count": 1}, {"id": "D2", "count": 1}]
    after = [{"id": "D1", "count": 1}, {"id": "D2", "count": 2}, {"id": "D3", "count": 1}]

    assert [case["id"] for case in caused(before, after)] == ["D2", "D3"]


def test_what_waits_for_its_month_is_not_set_aside() -> None:
    states = {"handled_revision": 0, "applied_revision": None}
    aside = {"handled_revision": 3, "applied_revision": 2}

    assert set_aside([a_contract()], {"acme": states}) == []
    assert set_aside([a_contract()], {"acme": aside}) == ["acme"]
