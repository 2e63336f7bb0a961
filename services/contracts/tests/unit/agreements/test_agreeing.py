"""A whole contract of either version: taken as it stands, once, and refused where it loses or rewrites something."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.agreements.domain.decide import Decided, Refusal
from contracts_service.catalog.folder import read_document
from contracts_service.testing import START, a_catalog, after, asked, from_the_file, told
from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.testing import a_change, a_document, document_with, seats
from event_schemas.contracts import Contract

MARCH = "2026-03-01T00:00:00Z"
DEARER = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "1.99"}}]


def agreed(document: dict[str, Any], before: ContractV2 | None = None, **fields: Any) -> Decided:
    decided = told(asked("agree", contract=document, **fields), before)
    assert isinstance(decided, Decided), decided
    return decided


def refused(document: dict[str, Any], before: ContractV2 | None = None, **fields: Any) -> tuple[str, str, str]:
    decided = told(asked("agree", contract=document, **fields), before)
    assert isinstance(decided, Refusal), decided
    return decided.flaw.code, decided.flaw.field, decided.flaw.sentence


def a_later_one() -> dict[str, Any]:
    """The plain document of version 2 with five seats from March on, as its second revision."""
    more = [{"at": "2026-02-01T00:00:00Z", "quantity": 2, "agreed_in": 1}, {"at": MARCH, "quantity": 5, "agreed_in": 2}]
    document = document_with("items/0/quantities", more)
    later = a_change(2, effective_at=MARCH, agreed_at="2026-02-01T00:00:00Z")
    return document | {"revision": 2, "history": [a_change(), later]}


class TestOfVersion1:
    def test_it_is_kept_with_who_agreed_and_says_the_same_on_the_bus(self) -> None:
        graduated = {"scheme": "graduated", "tiers": [{"up_to": 5, "unit_price": "0.20"}, {"unit_price": "0.1"}]}
        policies = [
            {"effective_from": "2026-01-01T00:00:00Z", "policy": {"version": "a", "window_hours": {"chat": 2}}},
            {"effective_from": MARCH, "policy": {"version": "b"}},
        ]
        document = from_the_file(
            revision=4,
            channel="sales_led",
            stripe_customer="cus_1",
            collection_method="charge_automatically",
            timeline=policies,
            metered=[
                {"meter": "sms_segment", "price": graduated},
                {"meter": "basic_seat", "price": {"scheme": "per_unit", "unit_price": "1"}},
            ],
            licensed=[{"item": name, "quantity": 0, "unit_price": "2.50"} for name in ("copilot", "basic_seat")],
            free_meters=["qualification", "resolution"],
        )

        contract = agreed(document, channel="migration").contract

        (change,) = contract.history
        assert (change.revision, change.actor, change.reason) == (4, "person:ann", "as agreed")
        assert (change.channel, change.agreed_at) == ("migration", START)
        assert as_version_1(contract) == Contract.model_validate(document)

    def test_the_same_again_is_nothing_new_however_it_is_written(self) -> None:
        first = agreed(from_the_file()).contract
        again = from_the_file(free_meters=[], collection_method="send_invoice")
        again["billing_anchor"] = "2026-02-01T01:00:00+01:00"

        decided = agreed(again, first, actor="somebody-else")

        assert (decided.unchanged, decided.contract) == (True, first)

    def test_a_later_revision_replaces_the_contract_whole(self) -> None:
        first = agreed(from_the_file()).contract

        contract = agreed(from_the_file(revision=3, metered=DEARER), first).contract

        said = as_version_1(contract)
        assert isinstance(said, Contract)
        assert (said.revision, said.metered[0].price) == (
            3,
            Contract.model_validate(from_the_file(metered=DEARER)).metered[0].price,
        )

    def test_one_revision_never_says_two_things_and_never_goes_back(self) -> None:
        first = agreed(from_the_file(revision=3)).contract

        assert refused(from_the_file(revision=3, metered=DEARER), first) == (
            "revision_differs",
            "metered.resolution.price.unit_price",
            "revision 3 is agreed already and says something else in metered.resolution.price.unit_price: raise "
            "revision to 4",
        )
        assert refused(from_the_file(revision=2), first)[::2] == (
            "revision_order",
            "revision 3 is agreed already, and this one says 2: write revision 4",
        )

    def test_what_version_1_cannot_say_is_not_replaced_by_it(self) -> None:
        grown = after([asked("change_seats", at=MARCH, quantity=5)])

        code, _, sentence = refused(from_the_file(revision=3), grown)

        assert code == "beyond_version_1"
        assert "the number of basic_seat changes" in sentence
        assert refused(from_the_file(revision=2), grown)[0] == "revision_differs"

    def test_a_history_made_by_commands_is_not_lost_to_it(self) -> None:
        undone = after([asked("change_seats", at=MARCH, quantity=5), asked("undo", revision=2)])

        code, _, sentence = refused(from_the_file(revision=4), undone)

        assert code == "beyond_version_1"
        assert sentence.startswith("the contract has 3 revisions")

    @pytest.mark.parametrize(
        ("changes", "code", "field"),
        [
            ({"currency": "EUR"}, "currency_change", "currency"),
            ({"billing_anchor": "2026-02-02T00:00:00Z"}, "never_changes", "billing_anchor"),
            ({"channel": "sales_led"}, "never_changes", "channel"),
        ],
    )
    def test_what_never_changes(self, changes: dict[str, Any], code: str, field: str) -> None:
        first = agreed(from_the_file()).contract

        assert refused(from_the_file(revision=2, **changes), first)[:2] == (code, field)


class TestOfVersion2:
    def test_it_is_taken_as_it_stands_with_its_own_history(self) -> None:
        contract = agreed(a_later_one()).contract

        assert contract == ContractV2.model_validate(a_later_one())

    def test_a_later_revision_adds_and_commands_go_on_from_there(self) -> None:
        first = agreed(a_document()).contract
        second = agreed(a_later_one(), first)
        third = told(asked("set_limit", meter="resolution", quantity=9), second.contract)

        assert (second.contract.revision, second.unchanged) == (2, False)
        assert agreed(a_later_one(), second.contract).unchanged
        assert isinstance(third, Decided)
        assert third.contract.revision == 3

    def test_one_that_rewrites_what_was_agreed_is_refused_by_its_field(self) -> None:
        first = agreed(a_document()).contract
        cheaper = document_with("items/0/price/unit_price", "9", a_later_one())

        assert refused(cheaper, first)[:2] == ("history_rewritten", "items")

    def test_one_that_reaches_into_a_closed_period_is_refused(self) -> None:
        first = agreed(a_document()).contract
        decided = told(asked("agree", contract=a_later_one()), first, now=START + timedelta(days=100))

        assert isinstance(decided, Refusal)
        assert (decided.flaw.code, decided.flaw.field) == ("period_closed", "history.2.effective_at")

    def test_the_catalogues_entries_that_it_names_are_in_use_from_then_on(self) -> None:
        version = {"price_version": "plans/basic/1"}
        none = {"price_version": "plans/basic/99999999999999999999"}
        odd = {"price_version": "plans/basic/one"}
        items = [seats(key=f"seat-{place}") | one for place, one in enumerate((version, none, odd))]
        document = a_document(items=items, policies=[a_document()["policies"][0] | {"charges": []}])

        assert agreed(document).uses == {("plans", "basic", 1)}


SEATS_BELOW_NONE = document_with("items/0/quantities/0/quantity", -1)
IN_2150 = "2150-12-31T00:00:00Z"
FAR = from_the_file(billing_anchor=IN_2150, timeline=[{"effective_from": IN_2150, "policy": {"version": "a"}}])


@pytest.mark.parametrize(
    ("document", "told_by"),
    [
        (a_document(items=[seats(), seats()]), ("duplicate_key", "items.seat")),
        (SEATS_BELOW_NONE, ("negative_quantity", f"items.seat.quantities.{START:%Y-%m-%dT%H:%M:%SZ}.quantity")),
        (from_the_file(name=""), ("too_few", "name")),
        (from_the_file(isuer="x"), ("unknown_field", "isuer")),
        ({}, ("field_missing", "customer")),
        (a_document(schema_version=3), ("unknown_version", "schema_version")),
        (from_the_file("beta"), ("other_customer", "contract.customer")),
        (from_the_file(billing_anchor="9999-12-31T00:00:00Z"), ("malformed", "contract")),
        (FAR, ("too_far_ahead", "at")),
    ],
)
def test_what_contradicts_itself_or_cannot_be_meant_is_refused_by_its_field(
    document: dict[str, Any], told_by: tuple[str, str]
) -> None:
    assert refused(copy.deepcopy(document))[:2] == told_by


def test_a_document_says_itself_from_when_and_what_it_follows() -> None:
    assert refused(from_the_file(), at=MARCH)[:2] == ("malformed", "at")
    assert refused(from_the_file(), expected_revision=2)[:2] == ("revision_moved", "expected_revision")


def test_two_documents_that_look_back_at_the_same_revision_do_not_mix() -> None:
    first = agreed(from_the_file()).contract
    won = agreed(from_the_file(revision=2, metered=DEARER), first, expected_revision=1).contract

    assert refused(from_the_file(revision=3), won, expected_revision=1)[0] == "revision_moved"


def test_a_catalogue_is_no_condition() -> None:
    decided = told(asked("agree", contract=from_the_file()), None, catalog=read_document(a_catalog()))

    assert isinstance(decided, Decided)
