"""What is kept as told is what the pure model of Stripe notes; it is stored and read as it was, and is taken over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from event_schemas.contract_v2 import ContractV2, from_version_1, read_contract
from event_schemas.contract_v2.testing import a_document, metered, seats
from event_schemas.times import iso
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe
from invoicing_sync.contracts.domain.plan.carried import is_there
from invoicing_sync.contracts.domain.plan.coming import next_at
from invoicing_sync.contracts.domain.plan.operations import ChangeItems
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.plan.telling import adopted, from_row, to_row, told_after
from invoicing_sync.contracts.domain.plan.testing import carried_out
from invoicing_sync.contracts.domain.plan.wanted import told_by
from invoicing_sync.testing import START, a_contract

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
AT = BEGIN + timedelta(days=9)


def agreed() -> ContractV2:
    billing = {"at": iso(BEGIN), "agreed_in": 1, "name": "Acme", "issuer": "us", "billing_email": "a@acme.example"}
    quantities = [{"at": iso(BEGIN), "quantity": 5, "agreed_in": 1}, {"at": iso(AT), "quantity": 6, "agreed_in": 1}]
    contract = read_contract(a_document(billing=[billing], items=[seats(quantities=quantities), metered()]))
    assert isinstance(contract, ContractV2)
    return contract


def test_told_follows_the_operations_and_is_read_as_it_was_stored() -> None:
    contract, stripe = agreed(), AtStripe()
    told = stripe.told
    for at in (BEGIN, AT):
        for operation in plan(stripe, contract, at).operations:
            told = told_after(told, operation.what, contract)
            stripe = carried_out(stripe, operation, contract, at)

    assert replace(told, billed_from=None) == stripe.told
    assert told.billed_from == BEGIN
    assert from_row(to_row(told)) == told


def test_a_call_that_may_have_been_made_is_read_off_the_items() -> None:
    contract, stripe = agreed(), AtStripe()
    for operation in plan(stripe, contract, BEGIN).operations:
        stripe = carried_out(stripe, operation, contract, BEGIN)
    (call,) = plan(stripe, contract, AT).operations
    after = carried_out(stripe, call, contract, AT)
    assert isinstance(call.what, ChangeItems)
    assert stripe.subscription is not None
    assert after.subscription is not None

    assert not is_there(call.what, stripe.told, stripe.subscription)
    assert is_there(call.what, stripe.told, after.subscription)


def test_the_next_instant_is_that_of_the_next_change_and_then_none_is_left() -> None:
    contract = agreed()
    told = replace(told_by(contract, BEGIN), cancel_at=None)

    assert next_at(told, contract, BEGIN, keep_drafts=True) == AT
    assert next_at(told_by(contract, AT), contract, AT, keep_drafts=True) is None


def test_a_successor_in_version_2_takes_over_what_is_sold_at_the_same_price_under_its_own_keys() -> None:
    first = from_version_1(a_contract(), agreed_at=START)
    told = told_by(first, START)
    items = [
        item.model_copy(update={"key": f"{item.key.replace('_', '-')}-1"}) if item.key == "essential_seat" else item
        for item in first.items
    ]
    successor = first.model_copy(update={"items": tuple(items)})

    assert set(adopted(told, successor).items) == {"essential-seat-1", "resolution"}
