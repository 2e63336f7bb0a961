"""Drafts over a contract, each reckoned by hand: 120 resolutions and 250 SMS of October, 3 seats for November."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from event_schemas.contract_v2 import ContractV2, from_version_1, read_contract
from event_schemas.contracts import Contract
from event_schemas.times import Period
from event_schemas.values import Currency
from settled_cli.what_if.domain.draft import DraftRefused, read_draft
from settled_cli.what_if.domain.overlay import lay, not_there
from settled_cli.what_if.domain.reckoning import CannotTry, Tried, after_policy, decided_otherwise, side, sums

OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
DECEMBER = Period(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
USED = {"resolution": Decimal(120), "sms_segment": Decimal(250)}
TIERS = '[{up_to: 100, unit_price: "0.95"}, {unit_price: "0.80"}]'
AS_AGREED = {"essential_seat": 117_00, "resolution": 118_80, "sms_segment": 12_50}


def agreed(**fields: Any) -> ContractV2:
    document = {
        "customer": "acme",
        "name": "Acme",
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_anchor": "2026-10-01T00:00:00Z",
        "revision": 4,
        "timeline": [{"effective_from": "2026-09-20T00:00:00Z", "policy": {"version": "standard-1"}}],
        "metered": [
            {"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}},
            {"meter": "sms_segment", "price": {"scheme": "per_unit", "unit_price": "0.05"}},
        ],
        "licensed": [{"item": "essential_seat", "quantity": 3, "unit_price": "39"}],
    }
    contract = Contract.model_validate(document | fields)
    return from_version_1(contract, agreed_at=contract.billing_anchor)


def laid(text: str, contract: ContractV2 | None = None) -> ContractV2:
    own = contract or agreed()
    return lay(own, read_draft({"currency": "USD", **yaml.safe_load(text)}, name="draft").drafts[own.currency])


def amounts(contract: ContractV2, units: Mapping[str, Decimal] = USED, period: Period = OCTOBER) -> dict[str, int]:
    found = side(contract, period, units)
    items = {key: item.minor for key, item in found.items.items()}
    assert sum(items.values()) == found.minor
    return items


def test_as_agreed_it_is_the_invoice_that_closed_the_month() -> None:
    assert amounts(agreed()) == AS_AGREED


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (
            f"prices: {{resolution: {{scheme: graduated, tiers: {TIERS}}}}}",
            {"resolution": 111_00},  # 100 x 0.95 + 20 x 0.80
        ),
        (
            f"prices: {{resolution: {{scheme: volume, tiers: {TIERS}}}}}",
            {"resolution": 96_00},  # 120 x 0.80
        ),
        ('prices: {resolution: {scheme: per_unit, unit_price: "0.5"}}', {"resolution": 60_00}),
        ('prices: {sms_segment: {scheme: package, size: 100, pack_price: "4", free: 50}}', {"sms_segment": 8_00}),
        ('prices: {sms_segment: {scheme: flat, amount: "20"}}', {"sms_segment": 20_00}),
        ("prices: {sms_segment: {scheme: included}}", {"sms_segment": 0}),
        ('items: {platform_fee: {quantity: 1, price: {scheme: flat, amount: "49"}}}', {"platform_fee": 49_00}),
        ("items: {essential_seat: {quantity: 5}}", {"essential_seat": 195_00}),
        ('items: {essential_seat: {price: {scheme: per_unit, unit_price: "29.50"}}}', {"essential_seat": 88_50}),
        (
            'items: {advanced_seat: {price: {scheme: per_unit, unit_price: "99"}, seats_of: essential_seat}}\n'
            "remove: [essential_seat]",
            {"essential_seat": None, "advanced_seat": 297_00},
        ),
        ('discounts: [{percent: "10", item: essential_seat}]', {"essential_seat": 105_30}),
        ('discounts: [{amount: "7.00", item: sms_segment}]', {"sms_segment": 5_50}),
        ('minimums: [{meter: sms_segment, amount: "30"}]', {"sms_segment": 30_00}),
        ("allowances: [{meter: resolution, quantity: 100}]", {"resolution": 19_80}),
        ("limits: [{meter: sms_segment, quantity: 200}]", {"sms_segment": 10_00}),
        (
            'commitments: [{meter: resolution, quantity: 200, unit_price: "0.50", bill: shortfall}]',
            {"resolution": 100_00},  # 120 x 0.50 used and 80 x 0.50 short
        ),
    ],
)
def test_a_draft_moves_what_it_names_and_nothing_else(text: str, changed: dict[str, int | None]) -> None:
    expected = {key: minor for key, minor in (AS_AGREED | changed).items() if minor is not None}

    assert amounts(laid(text)) == expected


def test_a_discount_on_the_whole_invoice_is_shared_by_its_items() -> None:
    assert side(laid('discounts: [{percent: "10"}]'), OCTOBER, USED).minor == 223_47  # 248.30 less 24.83


def test_a_meter_without_a_price_is_told_as_unpriced_and_one_that_is_free_is_not() -> None:
    removed = side(laid("remove: [sms_segment]"), OCTOBER, USED)
    free = side(laid("free: [sms_segment]"), OCTOBER, USED)

    assert (removed.minor, removed.unpriced) == (235_80, {"sms_segment": Decimal(250)})
    assert (free.minor, free.unpriced) == (235_80, {})


def test_a_price_for_a_meter_that_was_free_is_a_usage_fee() -> None:
    contract = agreed(free_meters=["voice_minute"])
    text = 'prices: {voice_minute: {scheme: per_unit, unit_price: "0.10"}}'
    used = {**USED, "voice_minute": Decimal(70)}

    assert amounts(contract, used) == AS_AGREED
    assert amounts(laid(text, contract), used) == AS_AGREED | {"voice_minute": 7_00}


def test_a_policy_changes_what_it_says_in_every_policy_of_the_contract_and_moves_no_price() -> None:
    own = {"version": "s1", "window_hours": {"default": 24, "email": 72}, "return_horizon_days": 14}
    later = {"version": "s2", "decided_by": "product"}
    days = ("2026-09-20T00:00:00Z", "2026-10-10T00:00:00Z")
    timeline = [{"effective_from": day, "policy": policy} for day, policy in zip(days, (own, later), strict=True)]

    after = laid("policy: {version: d, window_hours: {email: 48}}", agreed(timeline=timeline))

    said = [entry.policy.model_dump(exclude_defaults=True) for entry in after.policies]
    assert said == [
        {"version": "d", "window_hours": {"email": 48}, "return_horizon_days": 14},
        {"version": "d", "window_hours": {"email": 48}, "decided_by": "product"},
    ]
    assert amounts(after) == AS_AGREED


def test_an_item_that_is_named_like_a_meter_keeps_its_own_price() -> None:
    contract = agreed(licensed=[{"item": "voice_minute", "quantity": 1, "unit_price": "5"}])
    text = 'prices: {voice_minute: {scheme: per_unit, unit_price: "0.10"}}'

    found = amounts(laid(text, contract), {"voice_minute": Decimal(70)})

    assert found == {"voice_minute": 5_00, "voice_minute-usage": 7_00}


LIVE = """
items:
  - {key: resolution-tiered, kind: metered, product: resolution, meter: resolution, currency: USD, price_version: "2",
     agreed_in: 5, from: "2026-12-01T00:00:00Z",
     price: {scheme: graduated, tiers: [{up_to: 100, unit_price: "0.95"}, {unit_price: "0.80"}]}}
  - {key: platform_fee, kind: licensed, product: platform_fee, currency: USD, price_version: "1", agreed_in: 5,
     from: "2026-12-01T00:00:00Z", price: {scheme: per_unit, unit_price: "49"},
     quantities: [{at: "2026-12-01T00:00:00Z", quantity: 1, agreed_in: 5}]}
  - {key: voice_minute, kind: metered, product: voice_minute, meter: voice_minute, currency: USD, price_version: "1",
     agreed_in: 5, from: "2026-12-01T00:00:00Z", price: {scheme: per_unit, unit_price: "0.10"}}
"""


def test_a_tiered_price_an_add_on_and_a_usage_fee_go_live_by_yaml_alone_and_old_invoices_do_not_move() -> None:
    """As far as a contract can say it: the next revision, from December on, is data; October is billed as it was."""
    own = agreed()
    document = own.model_dump(mode="json", by_alias=True)
    change = {"revision": 5, "actor": "anna", "reason": "new prices", "channel": "console"}
    dates = {"agreed_at": "2026-11-10T00:00:00Z", "effective_at": "2026-12-01T00:00:00Z"}
    for item in document["items"]:
        if item["key"] == "resolution":
            item |= {"until": "2026-12-01T00:00:00Z", "until_agreed_in": 5}
            item["earlier_untils"] = [{"until": None, "agreed_in": 4}]
    document |= {"revision": 5, "history": [*document["history"], change | dates]}
    document["items"] += yaml.safe_load(LIVE)["items"]

    live = read_contract(document)

    assert isinstance(live, ContractV2)
    assert amounts(live) == amounts(own) == AS_AGREED
    december = {"resolution": Decimal(120), "voice_minute": Decimal(70)}
    assert amounts(live, december, DECEMBER) == {
        "essential_seat": 117_00,
        "platform_fee": 49_00,
        "resolution-tiered": 111_00,
        "voice_minute": 7_00,
    }


def test_another_currency_keeps_its_decimals() -> None:
    yen = agreed(
        currency="JPY",
        metered=[{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "148.5"}}],
        licensed=[],
    )
    text = {"currency": "JPY", "minimums": [{"meter": "resolution", "amount": "20000"}]}

    after = lay(yen, read_draft(text, name="d").drafts[Currency.JPY])

    assert amounts(yen, {"resolution": Decimal(3)}) == {"resolution": 446}  # 445.5, half away from zero
    assert amounts(after, {"resolution": Decimal(3)}) == {"resolution": 20_000}


def test_the_draft_of_the_readme_can_be_meant() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    (text,) = [part.partition("```")[0] for part in readme.split("```yaml")[1:] if "prices:" in part]

    assert amounts(laid(text)) == {  # 551.10, of which each bears its share of 5.00
        "advanced_seat": 297_00 - 2_70,
        "platform_fee": 44_10 - 40,
        "resolution": 160_00 - 1_45,  # 200 committed at 0.80, 120 of them used
        "voice_minute": 50_00 - 45,  # the minimum
    }


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        (
            'prices: {sms_segment: {scheme: volume, tiers: [{up_to: 9, unit_price: "1"}]}}',
            "prices.sms_segment.tiers",
            "units above 9 have no price",
        ),
        ('discounts: [{percent: "101"}]', "discounts.0.percent", "at most 100 percent"),
        ('discounts: [{percent: "1", amount: "1"}]', "discounts.0", "either a percent or an amount"),
        ("allowances: [{meter: fax, quantity: 1}]", "allowances.0.meter", "no item prices fax"),
        ('minimums: [{meter: sms_segment, amount: "0.005"}]', "minimums.0.amount", "more decimals than USD has (2)"),
        ("items: {sms_segment: {quantity: 3}}", "items.sms_segment", "give its price under prices.sms_segment"),
        ("items: {seat: {seats_of: sms_segment}}", "items.seat.seats_of", "it has no seats"),
    ],
)
def test_a_draft_that_cannot_be_meant_with_this_contract_is_refused_by_its_own_field(
    text: str, field: str, sentence: str
) -> None:
    with pytest.raises(DraftRefused) as error:
        laid(text)

    assert [flaw.field for flaw in error.value.flaws] == [field]
    assert sentence in error.value.flaws[0].sentence


def test_what_a_customer_does_not_have_is_left_as_it_is_and_told() -> None:
    text = 'items: {expert_seat: {quantity: 9}}\nremove: [fax]\ndiscounts: [{percent: "5", item: copilot}]'
    draft = read_draft(yaml.safe_load(text), name="d").drafts[Currency.USD]

    assert not_there(agreed(), draft) == {
        "items.expert_seat": "expert_seat",
        "remove.fax": "fax",
        "discounts.0.item": "copilot",
    }
    assert amounts(lay(agreed(), draft)) == AS_AGREED


def test_usage_that_is_one_sum_is_not_split_where_its_terms_change_within_the_period() -> None:
    contract = agreed()
    document = contract.model_dump(mode="json", by_alias=True)
    for item in document["items"]:
        if item["key"] == "sms_segment":
            item["until"] = "2026-10-15T00:00:00Z"
    ended = read_contract(document)
    assert isinstance(ended, ContractV2)

    with pytest.raises(CannotTry, match="sms_segment change within the period"):
        side(ended, OCTOBER, USED)


def test_a_policy_moves_the_frozen_ledger_by_what_deciding_twice_differs_by() -> None:
    counted = [{"meter": "resolution", "before": 119, "after": 100}, {"meter": "sale", "before": 0, "after": 3}]

    assert after_policy(USED, counted) == {"resolution": Decimal(101), "sms_segment": Decimal(250), "sale": Decimal(3)}
    assert decided_otherwise(USED, counted) == [
        "resolution: 119 by its own policy as it is now, 120 in the frozen ledger"
    ]


def test_two_currencies_never_add_up() -> None:
    contract = agreed()
    one = side(contract, OCTOBER, USED)
    tried = [Tried(name, currency, OCTOBER, one, one) for name, currency in (("a", Currency.EUR), ("b", Currency.USD))]

    found = sums([*tried, tried[0]])

    assert {currency: (of.customers, of.before) for currency, of in found.items()} == {
        Currency.USD: (1, 248_30),
        Currency.EUR: (2, 496_60),
    }
