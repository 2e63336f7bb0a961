"""Over random contracts and histories: a plan brings Stripe there, is empty then, and may be cut off anywhere."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.contract_v2 import ContractRefused, ContractV2, billing_at, items_at, quantity_at, read_contract
from event_schemas.contract_v2.items import LicensedItem
from event_schemas.contract_v2.testing import a_change, a_document, clause, metered, seats
from event_schemas.times import iso
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, HasItem, HasSubscription
from invoicing_sync.contracts.domain.plan.operations import Operation
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.plan.testing import carried_out, moved
from invoicing_sync.contracts.domain.plan.ways import over_at

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
few = settings(max_examples=50, deadline=None)

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
instants = st.sampled_from(  # few, so that commands and plans meet: billing days, just before them, and within
    [
        *(BEGIN, BEGIN + 9 * DAY, BEGIN + 17 * DAY + 5 * HOUR, MARCH - 30 * HOUR, MARCH - HOUR, MARCH),
        *(MARCH + 3 * DAY, MARCH + 16 * DAY + 14 * HOUR, APRIL - HOUR, APRIL, APRIL + 4 * DAY),
    ]
)
NAMES = ("seats", "seats", "seats", "end", "begin", "begin", "discount", "allowance", "commitment", "billing")
prices = st.sampled_from(
    [
        {"scheme": "per_unit", "unit_price": "0.99"},
        {"scheme": "graduated", "tiers": [{"up_to": 100, "unit_price": "1"}, {"unit_price": "0.5", "flat_fee": "3"}]},
        {"scheme": "volume", "tiers": [{"up_to": 100, "unit_price": "1"}, {"unit_price": "0.5"}]},
        {"scheme": "package", "size": 100, "pack_price": "9"},
        {"scheme": "package", "size": 100, "pack_price": "9", "free": 50},
        {"scheme": "flat", "amount": "20"},
        {"scheme": "included"},
    ]
)
KEYS = ("seat", "seat", "copilot", "copilot", "yearly", "resolution", "resolution-2", "sms")
Command = tuple[str, str, datetime, int, Any]
commands = st.lists(
    st.tuples(st.sampled_from((*NAMES, "take_back")), st.sampled_from(KEYS), instants, st.integers(0, 6), prices),
    min_size=1,
    max_size=8,
)


def revised(document: dict[str, Any], command: Command) -> dict[str, Any]:
    """The document with one more revision that carries a command; it only adds."""
    name, key, at, number, price = command
    after = copy.deepcopy(document)
    revision = after["revision"] = document["revision"] + 1
    after["history"].append(a_change(revision))
    item = next((one for one in after["items"] if one["key"] == key), None)
    dated = {"from": iso(at), "agreed_in": revision}
    if name == "begin" and item is None:
        after["items"].append(_new(key, number, price, dated))
    elif name == "seats" and item is not None and "quantities" in item:
        item["quantities"].append({"at": iso(at), "quantity": number, "agreed_in": revision})
        item["quantities"].sort(key=lambda entry: (entry["at"], entry["agreed_in"]))
    elif name == "end" and item is not None:
        said = {"until": item.get("until"), "agreed_in": item.get("until_agreed_in", item["agreed_in"])}
        item.setdefault("earlier_untils", []).append(said)
        item["until"], item["until_agreed_in"] = None if number == 0 else iso(at), revision
    elif name == "discount":
        what = {"percent": "10"} if number % 2 else {"amount": {"minor": 500, "currency": "USD"}}
        on = {"scope": "item", "item": key} if number > 1 else {"scope": "invoice"}
        after.setdefault("discounts", []).append(clause(f"d{revision}", **dated, **what, **on))
    elif name == "allowance":
        after.setdefault("allowances", []).append(clause(f"a{revision}", meter="resolution", quantity=50, **dated))
    elif name == "commitment":
        ramp = [{"at": iso(at), "quantity": 100, "agreed_in": revision}]
        what = {"unit_price": "0.5", "currency": "USD", "bill": "arrears", "ramp": ramp, "price_version": "c/1"}
        after.setdefault("commitments", []).append(clause(f"c{revision}", meter="resolution", **dated, **what))
    elif name == "billing":
        method = "charge_automatically" if number % 2 else "send_invoice"
        entry = after["billing"][0] | {"at": iso(at), "agreed_in": revision, "name": f"Acme {number}"}
        after["billing"].append(entry | {"collection_method": method})
        after["billing"].sort(key=lambda entry: (entry["at"], entry["agreed_in"]))
    elif name == "take_back" and item is not None:
        item["withdrawn_in"] = revision
    return after


def _new(key: str, number: int, price: Any, dated: dict[str, Any]) -> dict[str, Any]:
    if key in ("resolution", "resolution-2", "sms"):
        return metered("sms" if key == "sms" else "resolution", key=key, price=price, **dated)
    item = seats(number, key=key, rhythm="year" if key == "yearly" else "month", **dated)
    item["quantities"][0]["agreed_in"] = dated["agreed_in"]
    return item


def read(document: dict[str, Any]) -> ContractV2 | None:
    try:
        contract = read_contract(document)
    except ContractRefused:
        return None
    assert isinstance(contract, ContractV2)
    return contract


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, ContractV2]]:
    """Instants at which Stripe is brought to the contract, each with the revision that was known then."""
    billing = [{"at": iso(BEGIN), "agreed_in": 1, "name": "Acme", "issuer": "us", "billing_email": "a@acme.example"}]
    document = a_document(
        billing=billing,
        items=[seats(3), seats(1, key="copilot"), metered("resolution", price=draw(prices))],
        policies=[{"at": iso(BEGIN), "agreed_in": 1, "policy": {"version": "v"}, "charges": []}],
        proration=draw(st.sampled_from(["second", "second", "day", "none"])),
    )
    found = [read(document)]
    for command in draw(commands):
        after = revised(document, command)
        contract = read(after)
        if contract is not None:
            document = after
            found.append(contract)
    times = sorted(draw(st.lists(instants, min_size=len(found), max_size=len(found) + 4)))
    times[0] = min(times[0], BEGIN + draw(st.integers(-30, 20)) * DAY)
    return [(at, contract) for at, contract in zip(times, found + found[-1:] * 4, strict=False) if contract is not None]


def brought(stripe: AtStripe, contract: ContractV2, at: datetime, *, most: int | None = None) -> AtStripe:
    """Stripe after the operations of a plan, or only so many."""
    for operation in plan(stripe, contract, at).operations[:most]:
        stripe = carried_out(stripe, operation, contract, at)
    return stripe


@few
@given(histories())
def test_a_plan_that_was_carried_out_leaves_nothing_to_do_and_nothing_to_find(
    history: list[tuple[datetime, ContractV2]],
) -> None:
    """Seen to fail when steps that Stripe was told counted as due, and when collection changed once only."""
    stripe = AtStripe()
    for at, contract in history:
        stripe = brought(moved(stripe, contract, at), contract, at)

        again = plan(stripe, contract, at)

        assert again.operations == ()
        assert {finding.code for finding in again.findings} <= {"nothing_left", "subscription_ended"}


@few
@given(histories(), st.data())
def test_a_plan_that_is_cut_off_is_resumed_to_the_same_end(
    history: list[tuple[datetime, ContractV2]], data: st.DataObject
) -> None:
    """Seen to fail when steps that Stripe was told counted as due."""
    stripe = AtStripe()
    for at, contract in history:
        stripe = moved(stripe, contract, at)
        whole = brought(stripe, contract, at)
        operations = plan(stripe, contract, at).operations
        halves = stripe
        while operations:
            done = data.draw(st.integers(1, len(operations)))
            halves = brought(halves, contract, at, most=done)
            left = plan(halves, contract, at).operations
            assert [one.key for one in left] == [one.key for one in operations[done:]]
            operations = left

        assert halves == whole
        stripe = whole


@few
@given(histories())
def test_the_items_at_stripe_are_those_that_the_contract_has_at_the_instant(
    history: list[tuple[datetime, ContractV2]],
) -> None:
    """Seen to fail when an item that a later revision took back stayed."""
    stripe = AtStripe()
    for at, contract in history:
        stripe = brought(moved(stripe, contract, at), contract, at)
        has = stripe.subscription
        codes = {finding.code for finding in plan(stripe, contract, at).findings}
        if has is None or has.ended or codes or contract.period_of(at).end - at <= DAY:
            continue
        if (over := over_at(contract)) is not None and over <= at:
            continue  # the subscription ends with its items on it

        there = {item.key: item.quantity for item in has.items if item.quantity != 0}

        since = max(at, contract.billing_anchor)
        assert there == {
            item.key: quantity_at(contract, item.key, since) if isinstance(item, LicensedItem) else None
            for item in items_at(contract, since)
            if not isinstance(item, LicensedItem) or quantity_at(contract, item.key, since)
        }
        billing = billing_at(contract, at)
        assert (stripe.customer and stripe.customer.name, has.collection.method) == (
            billing.name,
            billing.collection_method,
        )


EDITS: dict[str, Callable[[HasSubscription], HasSubscription]] = {
    "quantity_changed": lambda has: _edited(has, lambda item: replace(item, quantity=(item.quantity or 0) + 7)),
    "price_changed": lambda has: _edited(has, lambda item: replace(item, price="price_by_hand")),
    "discount_given": lambda has: replace(has, discounts=frozenset({"by-hand"})),
    "item_added": lambda has: replace(has, items=(*has.items, HasItem("si-by-hand", None, "price_by_hand", 1))),
    "item_removed": lambda has: replace(has, items=has.items[1:]),
    "end_changed": lambda has: replace(has, cancel_at=BEGIN + 900 * DAY),
    "collection_changed": lambda has: replace(has, collection=replace(has.collection, days=99)),
    "drafts_changed": lambda has: replace(has, keeps_drafts=False),
    "subscription_ended": lambda has: replace(has, ended=True),
}


def _edited(has: HasSubscription, edit: Callable[[HasItem], HasItem]) -> HasSubscription:
    return replace(has, items=(edit(has.items[0]), *has.items[1:]))


@few
@given(histories())
def test_what_a_person_changes_at_stripe_is_found_and_nothing_is_done_about_it(
    history: list[tuple[datetime, ContractV2]],
) -> None:
    """Seen to fail when quantities were not compared, and when discounts were not looked at."""
    stripe = AtStripe()
    for at, contract in history:
        stripe = brought(moved(stripe, contract, at), contract, at)
    has = stripe.subscription
    if has is None or has.ended or not has.items:
        return

    goes_on = bool(items_at(contract, max(at, contract.billing_anchor)))

    for code, edit in EDITS.items():
        found = plan(replace(stripe, subscription=edit(has)), contract, at)

        assert found.operations == ()
        assert code in {finding.code for finding in found.findings} or (code == "subscription_ended" and not goes_on)

    on_an_item = _edited(has, lambda item: replace(item, discounts=frozenset({"by-hand"})))
    found = plan(replace(stripe, subscription=on_an_item), contract, at)
    assert "discount_given" in {finding.code for finding in found.findings}


@few
@given(histories())
def test_keys_are_stable_and_name_one_operation_each(history: list[tuple[datetime, ContractV2]]) -> None:
    """Seen to fail when a key named the instant of a change, and not what changes."""
    stripe, seen = AtStripe(), dict[str, Operation]()
    for at, contract in history:
        stripe = moved(stripe, contract, at)
        operations = plan(stripe, contract, at).operations
        later = plan(stripe, contract, at + timedelta(seconds=1)).operations  # all that is agreed is on whole hours
        assert [one.key for one in operations] == [one.key for one in later]
        for operation in operations:
            assert seen.setdefault(operation.key, operation).what == operation.what
        stripe = brought(stripe, contract, at)
