"""Contracts of version 2: the same for a seed, each without contradictions, in the shares that were asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractV2, read_contract
from workload.mix import DENSE, LIVELY, Shares, contracts
from workload.mix.calendar import at

MANY = 2000


@pytest.fixture(scope="module")
def mix() -> list[dict[str, Any]]:
    return list(contracts(1, MANY))


def share(found: list[dict[str, Any]], holds: Any) -> float:
    return sum(map(bool, map(holds, found))) / len(found)


def first_plan(contract: dict[str, Any]) -> str:
    return str(next(item["plan"] for item in contract["items"] if "plan" in item))


def test_a_seed_gives_the_same_contracts_and_a_customer_hangs_on_no_other() -> None:
    assert list(contracts(7, 20)) == list(contracts(7, 30))[:20]
    assert list(contracts(7, 20)) != list(contracts(8, 20))


@pytest.mark.parametrize("shares", [LIVELY, DENSE])
def test_every_contract_can_be_meant(shares: Shares) -> None:
    """`read_contract` refuses what contradicts itself."""
    for document in contracts(3, 200, shares):
        assert isinstance(read_contract(document), ContractV2)


def test_the_shares_are_those_of_the_mix(mix: list[dict[str, Any]]) -> None:
    """Within three standard deviations of 2,000 draws, which is at most 3.4 points."""
    plans = Counter(first_plan(contract).split("_")[0] for contract in mix)
    currencies = Counter(contract["currency"] for contract in mix)
    without_legacy = [contract for contract in mix if not first_plan(contract).startswith("legacy")]

    for name, asked in (("essential", 0.55), ("advanced", 0.35), ("expert", 0.10)):
        assert abs(plans[name] / len(without_legacy) - asked) < 0.04
    for name, asked in (("USD", 0.80), ("EUR", 0.12), ("GBP", 0.05), ("JPY", 0.02), ("KWD", 0.01)):
        assert currencies[name] > 0
        assert abs(currencies[name] / MANY - asked) < 0.03
    assert abs(plans["legacy"] / MANY - 0.20) < 0.03
    assert abs(share(without_legacy, lambda one: first_plan(one).endswith("monthly")) - 0.70) < 0.04


def test_clauses_come_as_often_as_was_asked(mix: list[dict[str, Any]]) -> None:
    def has(key: str) -> float:
        return share(mix, lambda one: any(item["key"] == key for item in one["items"]))

    assert abs(has("copilot") - 0.25) < 0.03
    assert abs(has("seat-2") - 0.015) < 0.01
    assert abs(share(mix, lambda one: any(d["scope"] == "item" for d in one["discounts"])) - 0.12) < 0.025
    assert abs(share(mix, lambda one: one.get("commitments")) - 0.08) < 0.02
    assert abs(share(mix, lambda one: one.get("prepaid")) - 0.05) < 0.016
    assert abs(share(mix, lambda one: one.get("trial")) - 0.04) < 0.014
    seats = sorted(one["items"][0]["quantities"][0]["quantity"] for one in mix)
    assert seats[MANY // 2] == 4
    changes = sum(len(item["quantities"]) - 1 for one in mix for item in one["items"] if item["key"] == "seat")
    assert abs(changes / MANY / 3 - 0.3) < 0.03  # a month, over the three in which changes happen


def test_every_way_of_a_clause_and_every_awkward_instant_is_there() -> None:
    dense = list(contracts(1, 400, DENSE))
    prices = {item["price"]["scheme"] for one in dense for item in one["items"]}
    anchors = {one["billing_anchor"] for one in dense}
    changes = [at(entry["at"]) for one in dense for item in one["items"] for entry in item.get("quantities", ())[1:]]

    assert prices == {"per_unit", "graduated", "volume", "package", "flat", "included"}
    assert {c["bill"] for one in dense for c in one.get("commitments", ())} == {"advance", "arrears", "shortfall"}
    discounts = [discount for one in dense for discount in one["discounts"]]
    for name in ("percent", "amount", "invoices", "until"):
        assert any(name in discount for discount in discounts)
    assert any("invoices" not in discount and "until" not in discount for discount in discounts)
    assert {anchor[8:10] for anchor in anchors} >= {"29", "30", "31"}
    assert any(anchor.startswith("2028-02-29") for anchor in anchors)
    assert any(instant % 60_000_000 for instant in changes)
    assert {one["proration"] for one in dense} == {"second", "day", "none"}
