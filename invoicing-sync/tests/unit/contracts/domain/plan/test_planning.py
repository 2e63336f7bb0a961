"""Plans of single contracts: their operations as sentences, their order, and what they leave to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractV2, from_version_1, read_contract
from event_schemas.contract_v2.testing import a_document, clause, metered, seats
from event_schemas.values import Currency
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, CustomerFields
from invoicing_sync.contracts.domain.plan.operations import ChangeItems, MakePrice, MakeSubscription
from invoicing_sync.contracts.domain.plan.planning import plan
from invoicing_sync.contracts.domain.plan.prices import StripePrice, StripeTier
from invoicing_sync.contracts.domain.plan.testing import carried_out, moved
from invoicing_sync.contracts.domain.plan.wanted import wanted_items
from invoicing_sync.contracts.domain.plan.ways import explicit
from invoicing_sync.stripe_door.convert import licensed_price_key, metered_price_key
from invoicing_sync.testing import START, a_contract

BEGIN, MARCH = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def agreed(**fields: Any) -> ContractV2:
    billing = {"at": "2026-02-01T00:00:00Z", "agreed_in": 1, "name": "Acme", "issuer": "us"}
    billing["billing_email"] = "a@acme.example"
    policy = {"at": "2026-02-01T00:00:00Z", "agreed_in": 1, "policy": {"version": "v"}, "charges": []}
    contract = read_contract(a_document(**{"billing": [billing], "policies": [policy]} | fields))
    assert isinstance(contract, ContractV2)
    return contract


def brought(contract: ContractV2, at: datetime, stripe: AtStripe | None = None) -> AtStripe:
    stripe = moved(stripe or AtStripe(), contract, at)
    for operation in plan(stripe, contract, at).operations:
        stripe = carried_out(stripe, operation, contract, at)
    return stripe


def item_calls(stripe: AtStripe, contract: ContractV2, at: datetime) -> list[ChangeItems]:
    found = plan(moved(stripe, contract, at), contract, at).operations
    return [one.what for one in found if isinstance(one.what, ChangeItems)]


def test_a_new_customer_is_made_from_the_ground_up_in_sentences() -> None:
    found = plan(AtStripe(), agreed(), BEGIN)

    assert [one.sentence for one in found.operations] == [
        "make the customer Acme, a@acme.example",
        "make the meter resolution",
        "make the product settled-usage-resolution: usage of resolution",
        "make the product settled-advance-seat: in advance seat",
        "make the price of resolution: 0.99 USD per unit",
        "make the price of seat: 39 USD per unit",
        "make the subscription, monthly from 2026-02-01T00:00:00Z: resolution, 2 × seat",
        "keep its invoices as drafts",
    ]
    assert found.findings == ()


def test_a_seat_added_in_mid_month_is_prorated_at_its_instant() -> None:
    """Golden case G02: five seats, a sixth on 17 March at 14:23:45."""
    at = datetime(2026, 3, 17, 14, 23, 45, tzinfo=UTC)
    quantities = [
        {"at": "2026-02-01T00:00:00Z", "quantity": 5, "agreed_in": 1},
        {"at": "2026-03-17T14:23:45Z", "quantity": 6, "agreed_in": 1},
    ]
    contract = agreed(items=[seats(quantities=quantities), metered()])

    (call,) = item_calls(brought(contract, BEGIN), contract, at + DAY)

    assert (call.at, call.proration, [change.key for change in call.changes]) == (at, "create_prorations", ["seat"])


@pytest.mark.parametrize("rule", ["day", "none"])
def test_what_is_not_prorated_to_the_second_is_not_prorated_by_stripe(rule: str) -> None:
    quantities = [
        {"at": "2026-02-01T00:00:00Z", "quantity": 5, "agreed_in": 1},
        {"at": "2026-02-17T00:00:00Z", "quantity": 6, "agreed_in": 1},
    ]
    contract = agreed(items=[seats(quantities=quantities), metered()], proration=rule)

    (call,) = item_calls(brought(contract, BEGIN), contract, BEGIN + 17 * DAY)

    assert call.proration == "none"


def test_seats_that_change_with_their_term_are_told_a_day_ahead_and_others_not() -> None:
    quantities = [
        {"at": "2026-02-01T00:00:00Z", "quantity": 5, "agreed_in": 1},
        {"at": "2026-03-01T00:00:00Z", "quantity": 6, "agreed_in": 1},
    ]
    yearly = seats(key="yearly", quantities=quantities, rhythm="year", product="yearly")
    contract = agreed(items=[seats(quantities=quantities), yearly, metered()])
    stripe = brought(contract, BEGIN)

    before = item_calls(stripe, contract, MARCH - 2 * DAY)
    (ahead,) = item_calls(stripe, contract, MARCH - DAY)
    (after,) = item_calls(brought(contract, MARCH - DAY, stripe), contract, MARCH)

    assert before == []
    assert ([change.key for change in ahead.changes], ahead.proration) == (["seat"], "none")
    assert ([change.key for change in after.changes], after.proration) == (["yearly"], "create_prorations")


def test_seats_told_after_the_term_began_are_for_a_person_to_bill() -> None:
    quantities = [
        {"at": "2026-02-01T00:00:00Z", "quantity": 5, "agreed_in": 1},
        {"at": "2026-03-01T00:00:00Z", "quantity": 6, "agreed_in": 1},
    ]
    contract = agreed(items=[seats(quantities=quantities), metered()])
    stripe = moved(brought(contract, BEGIN), contract, MARCH + DAY)

    (operation,) = plan(stripe, contract, MARCH + DAY).operations

    assert operation.sentence.startswith("seat from 5 to 6 at 2026-03-01T00:00:00Z; agreed too late")


def test_a_meters_new_price_is_one_item_ending_and_another_beginning_in_one_call() -> None:
    contract = agreed(
        items=[
            seats(),
            metered(until="2026-03-01T00:00:00Z"),
            metered(key="resolution-2", price="0.89", **{"from": "2026-03-01T00:00:00Z"}),
        ]
    )
    stripe = brought(contract, BEGIN)

    (call,) = item_calls(stripe, contract, MARCH)

    assert item_calls(stripe, contract, MARCH - timedelta(seconds=1)) == []
    assert (call.at, call.proration) == (MARCH, "none")
    assert sorted(type(change).__name__ for change in call.changes) == ["GoneItem", "NewItem"]


def test_each_scheme_has_its_price_at_stripe() -> None:
    tiers = [{"up_to": 500, "unit_price": "0.06"}, {"unit_price": "0.03"}]
    fees = [{"up_to": 500, "unit_price": "0.06", "flat_fee": "5"}, {"unit_price": "0.03"}]
    schemes = {
        "a": {"scheme": "graduated", "tiers": tiers},
        "b": {"scheme": "volume", "tiers": tiers},
        "c": {"scheme": "package", "size": 100, "pack_price": "9"},
        "d": {"scheme": "package", "size": 100, "pack_price": "9", "free": 50},
        "e": {"scheme": "flat", "amount": "20"},
        "f": {"scheme": "included"},
        "g": {"scheme": "graduated", "tiers": fees},
    }
    contract = agreed(items=[metered(name, price=price) for name, price in schemes.items()])

    found = plan(AtStripe(), contract, BEGIN).operations

    prices = {one.what.price.name: one.what.price for one in found if isinstance(one.what, MakePrice)}
    both = (StripeTier(500, Decimal("0.06")), StripeTier(None, Decimal("0.03")))
    assert {name: (price.mode, price.tiers, price.pack) for name, price in prices.items()} == {
        "a": ("graduated", both, 1),
        "b": ("volume", both, 1),
        "c": ("per_unit", (StripeTier(None, Decimal(9)),), 100),
        "d": ("per_unit", (StripeTier(None, Decimal(0)),), 1),
        "e": ("per_unit", (StripeTier(None, Decimal(0)),), 1),
        "f": ("per_unit", (StripeTier(None, Decimal(0)),), 1),
        "g": ("per_unit", (StripeTier(None, Decimal(0)),), 1),
    }
    fee = "no text says whether Stripe charges a flat fee where nothing was used"
    assert explicit(contract, BEGIN) == (
        ("items.d", "Stripe's packages have no free units"),
        ("items.e", fee),
        ("items.g", fee),
    )


def test_an_allowance_is_a_first_tier_only_where_order_and_time_do_not_matter() -> None:
    alike = agreed(allowances=[clause("a", meter="resolution", quantity=50)])
    later = agreed(allowances=[clause("a", meter="resolution", quantity=50, **{"from": "2026-03-01T00:00:00Z"})])

    prices = [next(one.price for one in wanted_items(c) if one.key == "resolution") for c in (alike, later)]

    assert prices[0].tiers == (StripeTier(50, Decimal(0)), StripeTier(None, Decimal("0.99")))
    assert prices[1].tiers == (StripeTier(None, Decimal(0)),)
    assert explicit(later, BEGIN) == (("items.resolution", "the allowance is no first tier of its price"),)


def test_a_discount_is_never_told_to_stripe_and_shown_as_explicit() -> None:
    on_seat = clause("d", scope="item", item="seat", percent="10")
    counted = clause("d", scope="item", item="resolution", percent="20", invoices=3)
    whole = clause("d", scope="invoice", percent="5")

    without = plan(AtStripe(), agreed(), BEGIN)

    contracts = [agreed(discounts=[one]) for one in (on_seat, counted, whole)]

    assert [plan(AtStripe(), contract, BEGIN) for contract in contracts] == [without] * 3
    assert [explicit(contract, BEGIN) for contract in contracts] == [
        (
            (
                "discounts.d",
                "it is rounded once for all lines of the item, its prorations too, and Stripe's are not discountable",
            ),
        ),
        (("discounts.d", "it is counted by finalised invoices, and Stripe counts months"),),
        (("discounts.d", "no text says whether Stripe rounds each line's share or their sum"),),
    ]


def test_a_trial_ends_at_the_anchor_and_the_last_items_end_ends_the_subscription() -> None:
    contract = agreed(
        items=[seats(until="2026-06-01T00:00:00Z"), metered(until="2026-05-01T00:00:00Z")],
        trial={"from": "2026-01-18T00:00:00Z", "until": "2026-02-01T00:00:00Z"},
    )

    found = plan(AtStripe(), contract, BEGIN - 10 * DAY).operations

    (made,) = (one.what for one in found if isinstance(one.what, MakeSubscription))
    assert (made.trial_end, made.begins) == (BEGIN, None)
    assert found[-1].sentence == "end it at 2026-06-01T00:00:00Z"


def test_stripe_prorates_no_year_that_it_counts_otherwise() -> None:
    """Backdated, the subscription has its years from March on, and the contract from February."""
    at = datetime(2027, 6, 10, tzinfo=UTC)
    quantities = [{"at": "2026-02-01T00:00:00Z", "quantity": 2, "agreed_in": 1}]
    quantities += [{"at": "2027-06-10T00:00:00Z", "quantity": 3, "agreed_in": 1}]
    contract = agreed(items=[seats(quantities=quantities, rhythm="year"), metered()])
    stripe = moved(brought(contract, BEGIN), contract, at)

    alike, otherwise = (
        plan(replace(stripe, told=replace(stripe.told, billed_from=begun)), contract, at) for begun in (BEGIN, MARCH)
    )

    said = "seat from 2 to 3 at 2027-06-10T00:00:00Z"
    assert [one.sentence for one in alike.operations] == [f"{said}, prorated to the second"]
    assert [one.sentence for one in otherwise.operations] == [f"{said}; its years at Stripe begin on another day"]


def test_a_hand_made_quantity_gives_way_only_where_the_contract_changes_it() -> None:
    quantities = [
        {"at": "2026-02-01T00:00:00Z", "quantity": 5, "agreed_in": 1},
        {"at": "2026-02-10T00:00:00Z", "quantity": 6, "agreed_in": 1},
    ]
    contract = agreed(items=[seats(quantities=quantities), metered()])
    stripe = brought(contract, BEGIN)
    assert stripe.subscription is not None
    items = tuple(replace(one, quantity=9) if one.key == "seat" else one for one in stripe.subscription.items)
    by_hand = replace(stripe, subscription=replace(stripe.subscription, items=items))

    before, after = (plan(by_hand, contract, BEGIN + days * DAY) for days in (5, 10))

    assert [found.sentence for found in before.findings] == ["seat has the quantity 9 at Stripe, and was told 5"]
    assert before.operations == ()
    assert [one.sentence for one in after.operations] == [
        "seat from 9 to 6 at 2026-02-10T00:00:00Z, prorated to the second"
    ]


def test_a_key_that_stands_on_another_price_and_a_customer_that_is_gone_are_findings() -> None:
    contract = agreed()
    price = next(one.price for one in wanted_items(contract) if one.key == "seat")
    other = StripePrice("advance", "seat", Currency.USD, "per_unit", (StripeTier(None, Decimal(38)),))

    taken = plan(AtStripe(prices={price.lookup_key: other}), contract, BEGIN)
    gone = plan(replace(brought(contract, BEGIN), customer=None), contract, BEGIN)
    renamed = plan(
        replace(brought(contract, BEGIN), customer=CustomerFields("Acne", "a@acme.example")), contract, BEGIN
    )

    assert [one.code for one in taken.findings] == ["price_taken"]
    assert not any(isinstance(one.what, MakeSubscription) for one in taken.operations)
    assert ([one.code for one in gone.findings], gone.operations) == (["customer_missing"], ())
    assert ([one.code for one in renamed.findings], renamed.operations) == (["customer_changed"], ())


def test_prices_of_version_1_keep_their_lookup_keys() -> None:
    tiers = [{"up_to": 500, "unit_price": "0.06"}, {"unit_price": "0.0175"}]
    sms = {"meter": "sms", "price": {"scheme": "graduated", "tiers": tiers}}
    resolution = {"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}
    contract = a_contract(metered=[resolution, sms])
    terms = terms_of(contract)

    found = {one.price.lookup_key for one in wanted_items(from_version_1(contract, agreed_at=START))}

    assert found == {metered_price_key(term, terms.currency) for term in terms.metered} | {
        licensed_price_key(term, terms.currency) for term in terms.licensed
    }
