"""What a draft may say, in which currencies it is meant, and that each mistake is a field and a sentence."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from event_schemas.contract_v2.prices import Graduated, PerUnit
from event_schemas.values import Currency
from settled_cli.what_if.domain.draft import DraftFile, DraftRefused, read_draft

BY_CURRENCY = """
prices:
  resolution: {USD: {scheme: per_unit, unit_price: "0.89"}, EUR: {scheme: per_unit, unit_price: "0.82"}}
minimums:
  - {meter: resolution, amount: {USD: "50.00", EUR: "45.00", GBP: "40.00"}}
"""


def read(text: str) -> DraftFile:
    return read_draft(yaml.safe_load(text), name="file")


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(DraftRefused) as error:
        read(text)
    return [(flaw.field, flaw.sentence) for flaw in error.value.flaws]


def test_amounts_by_currency_make_a_draft_for_each_currency_that_has_all_of_them() -> None:
    file = read(BY_CURRENCY)

    prices = {currency: draft.prices["resolution"] for currency, draft in file.drafts.items()}
    assert prices == {
        Currency.USD: PerUnit(scheme="per_unit", unit_price="0.89"),
        Currency.EUR: PerUnit(scheme="per_unit", unit_price="0.82"),
    }
    assert file.drafts[Currency.EUR].minimums[0].amount == "45.00"  # type: ignore[index]


def test_a_draft_without_amounts_is_meant_in_every_currency() -> None:
    file = read("policy: {version: d1, teammate_takeover_voids: true}\nitems: {seat: {quantity: 5}}")

    assert set(file.drafts) == set(Currency)
    assert file.name == "file"


def test_a_draft_of_one_currency_is_meant_in_that_one_alone() -> None:
    file = read(
        "name: Tiers\ncurrency: EUR\nprices:\n  resolution:\n    scheme: graduated\n    tiers:"
        '\n      - {up_to: 10, unit_price: "1"}\n      - {unit_price: "0.5"}'
    )

    assert (file.name, set(file.drafts)) == ("Tiers", {Currency.EUR})
    assert isinstance(file.drafts[Currency.EUR].prices["resolution"], Graduated)


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ("[]", "the draft", "must be a group of named fields"),
        ("{}", "the draft", "the draft changes nothing"),
        ("name: x", "the draft", "the draft changes nothing"),
        ("price: {}", "price", "not a field that is known here"),
        ('prices: {r: {scheme: per_unit, unit_price: "1"}}', "currency", "prices.r.unit_price is an amount"),
        ("currency: CHF\nremove: [sms]", "currency", "must be one of 'USD', 'EUR', 'GBP', 'JPY' or 'KWD'"),
        ('currency: USD\nprices: {r: {scheme: per_unit, unit_price: "-1"}}', "prices.r.unit_price", "plain decimal"),
        ("currency: USD\nprices: {r: {scheme: per_unit, unit_price: 0.5}}", "prices.r.unit_price", "must be text"),
        (
            'currency: USD\nprices: {r: {scheme: stairs, unit_price: "1"}}',
            "prices.r",
            "'scheme' is one of 'per_unit', 'graduated'",
        ),
        ("currency: USD\nprices: {r: {scheme: flat}}", "prices.r.amount", "missing"),
        ("items: {seat: {quantity: -1}}", "items.seat.quantity", "at least 0"),
        ("items: {seat: {quantity: 10000000000}}", "items.seat.quantity", "at most 1000000"),
        ("items: {seat: {}}", "items.seat", "say a price, a quantity or seats_of"),
        ("items: {seat: {quantity: 1, seats_of: other}}", "items.seat", "quantity or seats_of, not both"),
        ("items: {seat: {quantity: 1}}\nremove: [seat]", "the draft", "seat stands under items too"),
        ("free: [sms]\nprices: {sms: {scheme: included}}", "the draft", "sms stands under prices too"),
        ("policy: {window_hours: {default: 24}}", "policy.version", "missing"),
        ("policy: {version: d1, window_hours: {default: 0}}", "policy.window_hours.default", "at least 1"),
        (
            'minimums: [{meter: r, amount: {USD: "1"}}]\nprices: {r: {EUR: {scheme: flat, amount: "1"}}}',
            "minimums.0.amount",
            "no currency has all amounts",
        ),
    ],
)
def test_a_mistake_is_told_with_its_field(text: str, field: str, sentence: str) -> None:
    found = refused(text)

    assert [name for name, _ in found] == [field]
    assert sentence in found[0][1]


def test_all_mistakes_are_told_at_once() -> None:
    found: list[Any] = refused('currency: USD\nprices: {r: {scheme: flat}}\nremove: [1]\nfree: ["A"]')

    assert [field for field, _ in found] == ["prices.r.amount", "remove.0", "free.0"]
