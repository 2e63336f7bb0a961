"""The truth itself: the golden decisions, its own arithmetic against figures computed by hand, determinism."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from workload.agreed import closings
from workload.generate import generate
from workload.month import Month, iso, micros
from workload.truth.billing import Usage, told
from workload.truth.book import write_book
from workload.truth.money import minor, usage_amounts
from workload.truth.outcome import fact, ledger, net
from workload.truth.usage import worth

GOLDEN = Path(__file__).parents[4] / "tests" / "data" / "golden-invoices.yaml"
CASES = yaml.safe_load(GOLDEN.read_text())["outcome_cases"]


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text.replace("Z", "+00:00")))


def as_event(event: dict[str, Any], place: int) -> dict[str, Any]:
    """A golden event as the generator would have made it."""
    data = {"signal": "customer_message" if event["type"] == "customer" else event["type"]}
    for theirs, ours in (("intent", "intent"), ("as", "flag"), ("conversation", "into")):
        if theirs in event:
            data[ours] = event[theirs]
    return {
        "at": at(event["at"]),
        "type": "conversation.signal",
        "source": "golden",
        "id": event.get("id", f"e{place}"),
        "data": data,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_truth_decides_the_golden_cases(case: dict[str, Any]) -> None:
    policy = dict(case.get("policy", {}))
    if "window_hours" in policy:
        policy["window_hours"] = {"default": policy["window_hours"]}
    facts = [fact(as_event(event, place)) for place, event in enumerate(case["events"])]

    entries = ledger(facts, [(0, policy)], at(case["evaluate_at"]))

    shown = [
        {"at": iso(e.caused_at), "op": "charge", "type": e.meter, "how": e.how}
        if e.op == "charge"
        else {"at": iso(e.caused_at), "op": "reverse", "reason": e.how}
        for e in entries
    ]
    assert {"net": net(entries), "ledger": shown} == case["expected"]


@pytest.mark.parametrize(
    ("quantity", "price", "currency", "expected"),
    [
        ("905", "0.99", "USD", 89_595),
        ("333", "148.5", "JPY", 49_451),
        ("418", "0.305", "KWD", 127_490),
        ("3", "12.015", "KWD", 36_045),
        ("-1", "0.005", "USD", -1),
        ("1", "0.004", "USD", 0),
    ],
)
def test_rounds_a_line_once_half_away_from_zero(quantity: str, price: str, currency: str, expected: int) -> None:
    assert minor(Fraction(quantity), price, currency) == expected


def test_prices_graduated_tiers_like_golden_case_g04() -> None:
    tiers = [
        {"up_to": 1000, "unit_price": "0.99"},
        {"up_to": 5000, "unit_price": "0.89"},
        {"up_to": None, "unit_price": "0.79"},
    ]
    price = {"scheme": "graduated", "tiers": tiers}

    assert usage_amounts(price, Fraction(6240), "USD") == [99_000, 356_000, 97_960]
    assert usage_amounts(price, Fraction(1000), "USD") == [99_000]
    assert usage_amounts(price, Fraction(0), "USD") == []


def test_a_record_is_worth_its_last_correction_at_its_own_moment() -> None:
    original = {"at": 5, "source": "s", "id": "a", "data": {"quantity": "7"}}
    again = {"at": 6, "source": "s", "id": "b", "data": {"quantity": "9"}}
    fix = {"at": 9, "source": "s", "id": "c", "data": {"quantity": "2.5", "corrects": {"source": "s", "id": "a"}}}

    assert worth([fix, again, original]) == (5, Fraction("2.5"))
    assert worth([fix]) is None


def test_the_same_seed_gives_the_same_month() -> None:
    one, two = (write_book(generate(seed=7, customers=30, conversations=300)) for _ in range(2))

    assert one == two
    assert one != write_book(generate(seed=8, customers=30, conversations=300))


def test_reversals_around_the_freeze_fall_on_their_sides() -> None:
    """Before it the invoice holds nothing; after it the invoice holds the charge and a correction takes it back."""
    book = write_book(generate(seed=1, customers=30, conversations=0))
    customer = book["customers"]["customer-0002"]

    # six conversations of the tags *-freeze: one reversed in time; four standing at the freeze; one cleared after it
    assert customer["quantities"]["resolution"] == "4"
    assert (customer["corrections"], customer["priced"]) == ({"resolution": "-3"}, {"resolution": -297})
    late = book["customers"]["customer-0008"]
    assert (late["quantities"]["resolution"], late["corrections"]) == ("1", {"resolution": "1"})
    assert late["priced"] == {"resolution": 99}


def test_a_correction_is_worth_the_difference_of_its_month_tier_by_tier() -> None:
    """996 outcomes and nine more: four at 0.99, five at 0.89, as golden case G23 has it."""
    tiers = [{"up_to": 1000, "unit_price": "0.99"}, {"up_to": None, "unit_price": "0.89"}]
    contract = {
        "customer": "acme",
        "currency": "USD",
        "billing_anchor": "2026-10-01T00:00:00Z",
        "licensed": [],
        "metered": [{"meter": "outcome", "price": {"scheme": "graduated", "tiers": tiers}}],
    }
    month = Month.of("2026-10")
    usage = Usage(closings(contract, month))
    usage.frozen[0]["outcome", month.start] = 996
    usage.final["outcome", month.start] = 1005

    booked = told(contract, usage, month)

    assert (booked["corrections"], booked["priced"]) == ({"outcome": "9"}, {"outcome": 841})
    assert booked["invoices"][0]["total"] == 98_604


def test_a_correction_under_version_2_is_worth_what_its_whole_invoice_changes() -> None:
    """
    Eight of ten that were committed; with the four that came late two are beyond it: the shortfall of 2 × 0.90 goes,
    ten are used at 0.90 and two cost 0.99, less a tenth: 198 - 20.
    """
    item = {"kind": "metered", "key": "outcomes", "product": "outcome", "meter": "outcome", "currency": "USD"}
    price = {"scheme": "per_unit", "unit_price": "0.99"}
    ramp = [{"at": "2026-10-01T00:00:00Z", "quantity": 10}]
    contract = {
        "schema_version": 2,
        "customer": "acme",
        "currency": "USD",
        "billing_anchor": "2026-10-01T00:00:00Z",
        "items": [item | {"price": price, "from": "2026-10-01T00:00:00Z"}],
        "commitments": [{"key": "c", "meter": "outcome", "unit_price": "0.90", "bill": "shortfall", "ramp": ramp}],
        "discounts": [{"key": "d", "scope": "item", "item": "outcomes", "percent": "10", "from": ramp[0]["at"]}],
    }
    month = Month.of("2026-10")
    usage = Usage(closings(contract, month))
    usage.frozen[0]["outcome", month.start] = 8
    usage.final["outcome", month.start] = 12

    booked = told(contract, usage, month)

    closing = booked["invoices"][1]
    assert [(line["kind"], line["amount"]) for line in closing["lines"]] == [
        ("usage", 720),
        ("shortfall", 180),
        ("discount", -90),
    ]
    assert booked["priced"] == {"outcome": 178}
