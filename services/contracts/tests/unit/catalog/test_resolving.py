"""What is offered as clauses of a contract, by value, and what is not offered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts_service.catalog.domain.resolving import (
    NotOffered,
    Wanted,
    add_on_on_offer,
    fresh_key,
    plan_on_offer,
    policy_entry,
    resolve_add_on,
    resolve_plan,
    used,
)
from contracts_service.catalog.folder import read_document, read_folder
from contracts_service.testing import a_catalog
from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.testing import a_document
from event_schemas.values import Currency

SHIPPED = read_folder(Path(__file__).parents[3] / "catalog")
START = datetime(2026, 2, 1, tzinfo=UTC)
OFFERS = [(key, currency) for key, plan in SHIPPED.plans.items() for currency in plan.sold_in if plan.new_customers]


def wanted(currency: Currency = Currency.USD, taken: frozenset[str] = frozenset()) -> Wanted:
    return Wanted(currency, START, 1, taken)


@pytest.mark.parametrize(("key", "currency"), OFFERS, ids=[f"{key}-{currency}" for key, currency in OFFERS])
def test_every_plan_on_offer_is_a_contract_that_can_be_billed(key: str, currency: Currency) -> None:
    plan = plan_on_offer(SHIPPED, key, currency)
    resolved = resolve_plan(SHIPPED, key, plan, wanted(currency), seats=3)
    policy = policy_entry(SHIPPED, plan.policy, at=START, revision=1)
    items = resolved.items
    for name in SHIPPED.add_ons:
        if SHIPPED.add_ons[name].plans is None:
            taken = frozenset(item.key for item in items)
            add_on = add_on_on_offer(SHIPPED, name, currency, key)
            items += resolve_add_on(SHIPPED, name, add_on, wanted(currency, taken), quantity=2).items

    contract = ContractV2.model_validate(
        a_document(currency=currency, items=items, policies=[policy], allowances=resolved.allowances)
    )

    assert {item.meter for item in contract.items if item.kind == "metered"} >= set(policy.charges)
    assert len(contract.items) == 1 + 6 + 3 + 1  # seats, prices of the plan, three add-ons, messages


def test_a_price_is_taken_by_value_and_says_where_it_came_from() -> None:
    catalog = read_document(a_catalog(plans__basic__version=4))

    resolved = resolve_plan(catalog, "basic", catalog.plans["basic"], wanted(), seats=3)

    assert [(item.key, item.product, item.price_version) for item in resolved.items] == [
        ("basic_seat", "basic_seat", "plans/basic/4"),
        ("resolution", "resolution", "outcome_prices/resolution/1"),
        ("sms", "sms", "usage_prices/sms/1"),
    ]
    assert resolved.items[0].price.model_dump() == {"scheme": "per_unit", "unit_price": "39"}
    assert set(resolved.uses) == used(resolved.items)


def test_an_add_on_brings_its_allowances() -> None:
    catalog = read_document(a_catalog())
    add_on = add_on_on_offer(catalog, "outreach", Currency.USD, "basic")

    resolved = resolve_add_on(catalog, "outreach", add_on, wanted(taken=frozenset({"messages"})), quantity=1)

    assert [item.key for item in resolved.items] == ["outreach", "messages-2"]
    assert [(one.key, one.meter, one.quantity) for one in resolved.allowances] == [("outreach-message", "message", 500)]


def test_a_key_is_never_used_twice_however_long_it_is() -> None:
    taken = {"seat", "seat-2", "a" * 50}

    assert fresh_key("seat", taken) == "seat-3"
    assert fresh_key("a" * 50, taken) == "a" * 48 + "-2"
    assert fresh_key("seat", taken) == "seat-4"


@pytest.mark.parametrize(
    ("key", "currency", "code", "words"),
    [
        ("max", Currency.USD, "unknown_plan", "on offer are: basic, basic_yearly, pro"),
        ("old", Currency.USD, "not_for_new_customers", "takes no new customers; who has it keeps it"),
        ("pro", Currency.JPY, "not_sold_in_currency", "is sold in USD, and not in JPY"),
    ],
)
def test_a_plan_that_is_not_offered_is_said(key: str, currency: Currency, code: str, words: str) -> None:
    with pytest.raises(NotOffered) as no:
        plan_on_offer(read_document(a_catalog()), key, currency)

    assert (no.value.flaw.code, no.value.flaw.field) == (code, "plan")
    assert words in no.value.flaw.sentence


@pytest.mark.parametrize(
    ("key", "plan", "code", "words"),
    [
        ("radar", "basic", "unknown_add_on", "there are: copilot, insight, outreach"),
        ("insight", "basic", "add_on_not_for_plan", "goes with the plans pro, and the customer is on basic"),
    ],
)
def test_an_add_on_that_is_not_offered_is_said(key: str, plan: str, code: str, words: str) -> None:
    with pytest.raises(NotOffered) as no:
        add_on_on_offer(read_document(a_catalog()), key, Currency.USD, plan)

    assert (no.value.flaw.code, no.value.flaw.field) == (code, "add_on")
    assert words in no.value.flaw.sentence


def test_an_unknown_policy_is_said() -> None:
    with pytest.raises(NotOffered, match="there is no policy strict; there are: patient, standard"):
        policy_entry(read_document(a_catalog()), "strict", at=START, revision=1)
