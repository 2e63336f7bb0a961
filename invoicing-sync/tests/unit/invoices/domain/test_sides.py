"""Who makes which line: Stripe by what it was told, or an item of ours; together they are the engine's invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractV2, read_contract
from event_schemas.contract_v2.testing import a_document, clause, metered, seats
from event_schemas.times import Period, iso
from event_schemas.values import Currency, Money
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import Told, ToldItem
from invoicing_sync.contracts.domain.plan.operations import ChangedItem, ChangeItems
from invoicing_sync.contracts.domain.plan.wanted import told_by, wanted_items
from invoicing_sync.invoices.domain.expected_invoice import Line
from invoicing_sync.invoices.domain.sides import engine_invoice, prorations_of, sided, taken_back
from pricing.usage import Used

BEGIN, MARCH = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
FEBRUARY = Period(BEGIN, MARCH)
AT = BEGIN + timedelta(days=14)


def agreed(**fields: Any) -> ContractV2:
    policy = {"at": iso(BEGIN), "agreed_in": 1, "policy": {"version": "v"}, "charges": []}
    contract = read_contract(a_document(policies=[policy], **fields))
    assert isinstance(contract, ContractV2)
    return contract


def lines_of(contract: ContractV2, told: Told, *, pending: list[dict[str, Any]] | None = None) -> tuple[Line, ...]:
    agreement = Agreement(contract)
    invoice = engine_invoice(agreement, FEBRUARY, [Used("resolution", FEBRUARY, Decimal(10))])
    lines = sided(agreement, invoice, told, pending or [])
    assert sum(line.amount.minor for line in lines) == invoice.net.minor
    keys = [line.key for line in lines if line.key]
    assert len(keys) == len(set(keys))
    return lines


def made(lines: tuple[Line, ...]) -> list[tuple[str, str, int]]:
    return [(line.kind, line.item, line.amount.minor) for line in lines if not line.key]


def ours(lines: tuple[Line, ...]) -> list[tuple[str, int]]:
    return [(line.key, line.amount.minor) for line in lines if line.key]


def two_more() -> ContractV2:
    quantities = [{"at": iso(BEGIN), "quantity": 2, "agreed_in": 1}, {"at": iso(AT), "quantity": 4, "agreed_in": 1}]
    return agreed(items=[seats(quantities=quantities), metered()])


def test_stripe_makes_what_it_was_told_and_nothing_is_left_for_us() -> None:
    contract = agreed()

    lines = lines_of(contract, told_by(contract, BEGIN))

    assert (made(lines), ours(lines)) == ([("advance", "seat", 7800), ("usage", "resolution", 990)], [])


def test_what_stripe_was_told_nothing_of_is_ours_whole() -> None:
    lines = lines_of(agreed(), Told())

    assert made(lines) == []
    assert ours(lines) == [("advance/seat/seat", 7800), ("usage/resolution/resolution", 990)]


def test_a_change_that_stripe_prorates_is_stripes_and_one_that_it_was_not_told_is_ours() -> None:
    contract = two_more()
    told = told_by(contract, AT)
    price = next(item.price for item in wanted_items(contract) if item.key == "seat")
    call = ChangeItems((ChangedItem("seat", price, 4, AT),), AT, "create_prorations")

    with_it = lines_of(contract, told, pending=prorations_of(contract, call))
    without = lines_of(contract, told, pending=prorations_of(contract, replace(call, proration="none")))

    assert [one for one in made(with_it) if one[0] == "proration"] == [
        ("proration", "seat", -3900),
        ("proration", "seat", 7800),
    ]
    assert ours(with_it) == []
    assert ours(without) == [
        ("proration/seat/seat.2026-02-15T00:00:00Z.credit", -3900),
        ("proration/seat/seat.2026-02-15T00:00:00Z.debit", 7800),
    ]


def test_what_stripe_makes_and_nobody_asks_for_any_more_is_taken_back() -> None:
    """Two more seats were told and prorated, and then were agreed never to have been."""
    before, after = two_more(), agreed()
    price = next(item.price for item in wanted_items(before) if item.key == "seat")
    pending = prorations_of(before, ChangeItems((ChangedItem("seat", price, 4, AT),), AT, "create_prorations"))

    lines = lines_of(after, told_by(before, AT), pending=pending)

    assert ("advance", "seat", 15600) in made(lines)
    assert dict(ours(lines)) == {
        "advance/seat/seat": 7800,
        "taken_back/seat/seat.advance.0": -15600,
        "taken_back/seat/seat.credit.2026-02-15T00:00:00Z": 3900,
        "taken_back/seat/seat.debit.2026-02-15T00:00:00Z": -7800,
    }


def test_an_item_at_price_0_is_ours() -> None:
    limited = agreed(limits=[clause("l", meter="resolution", quantity=4)])

    lines = lines_of(limited, told_by(limited, BEGIN))

    assert ours(lines) == [("usage/resolution/resolution", 396)]


@pytest.mark.parametrize(("scope", "off"), [({"scope": "item", "item": "seat"}, -780), ({"scope": "invoice"}, -879)])
def test_a_discount_is_ours(scope: dict[str, Any], off: int) -> None:
    contract = agreed(discounts=[clause("d", percent="10", **scope)])

    lines = lines_of(contract, told_by(contract, BEGIN))

    assert sum(amount for _, amount in ours(lines)) == off
    assert all(key.startswith("discount/") for key, _ in ours(lines))


def test_usage_that_stripe_bills_of_an_item_that_goes_comes_to_nothing() -> None:
    gone = [("resolution", Decimal(3), Money(297, Currency.USD)), ("resolution", Decimal(2), Money(100, Currency.USD))]

    lines = taken_back(Agreement(agreed()), gone)

    assert sum(line.amount.minor for line in lines) == 0
    assert ours(lines) == [("taken_back/resolution/gone", -100), ("taken_back/resolution/gone.2", -297)]


def test_a_told_item_of_another_price_is_not_taken_for_our_own() -> None:
    contract = agreed()
    told = told_by(contract, BEGIN)
    other = {**told.items, "seat": ToldItem("settled.advance.seat.usd.other", 2, BEGIN)}

    assert ("advance/seat/seat", 7800) in ours(lines_of(contract, replace(told, items=other)))


def test_nothing_is_billed_ahead_on_the_day_on_which_the_subscription_ends() -> None:
    contract = agreed()

    lines = lines_of(contract, replace(told_by(contract, BEGIN), cancel_at=MARCH))

    assert (made(lines), ours(lines)) == ([("usage", "resolution", 990)], [("advance/seat/seat", 7800)])
