"""Drafts tried on a real month: before is what was invoiced, after is reckoned apart, and nothing was written."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest

from tests.e2e.conftest import Month

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]

CUSTOMER = "customer-0004"  # with conversations made to hurt
PRICE = """
name: Tiers with a platform fee
currency: USD
prices:
  resolution: {scheme: graduated, tiers: [{up_to: 5, unit_price: "2"}, {unit_price: "1"}]}
  sms_segment: {scheme: included}
items:
  platform_fee: {quantity: 1, price: {scheme: flat, amount: "49"}}
"""
AS_ONE_SUM = "change within the period, and its usage is known as one sum"
NO_PERIOD = "no period that begins in 2026-10 is frozen whole"  # billed on other days
POLICY = "policy: {version: draft-1, teammate_takeover_voids: true}"


@pytest.fixture(scope="module")
def written(month: Month) -> Any:
    """What the ledger, the deliveries, the contracts and the invoices are, for the tests to leave as it is."""
    return everything(month)


def everything(month: Month) -> dict[str, Any]:
    return {
        "equations": month.get("rating-0", "/v1/equations"),
        "cases": month.get("rating-0", "/v1/cases?limit=1000"),
        "charges": month.get("invoicing-sync", "/v1/charges?from=2026-10-01T00:00:00Z&to=2026-12-01T00:00:00Z"),
        "deliveries": month.get("invoicing-sync", "/v1/deliveries?limit=1000"),
        "contracts": month.get("invoicing-sync", "/v1/contracts?limit=1000"),
        "invoices": invoices(month),
    }


def invoices(month: Month) -> dict[str, int]:
    """Subtotals of the invoices that closed October, by customer."""
    found = month.get("invoicing-sync", "/v1/invoices?period=2026-10-15T00:00:00Z&limit=1000")["invoices"]
    return {one["customer"]: one["subtotal_minor"] for one in found if one["period_end"].startswith("2026-11")}


def draft(month: Month, name: str, text: str) -> str:
    path = month.folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def left_out(found: dict[str, Any]) -> list[str]:
    """Why customers of the month are not tried: the part of each sentence that says it, or all of it."""
    reasons = ("pays in", AS_ONE_SUM, NO_PERIOD)
    own = [one["why"] for one in found["left_out"] if one["customer"].startswith("customer-")]
    return [next((part for part in reasons if part in why), why) for why in own]


def test_a_draft_price_is_reckoned_beside_what_was_invoiced(month: Month, written: Any) -> None:
    picture = month.folder / "draft.png"

    code, found = month.settled(
        "what-if", draft(month, "price", PRICE), "--month", "2026-10", "--picture", str(picture)
    )

    billed = written["invoices"]
    before = {one["customer"]: one["before"]["total_minor"] for one in found["customers"]}
    assert code == 0
    assert len(before) > 15
    assert before == {customer: billed[customer] for customer in before}
    plain = {customer for customer, true in month.truth()["customers"].items() if true["version"] == 1}
    tried = [
        one for one in found["customers"] if one["customer"] in plain
    ]  # others have discounts, allowances, credits
    assert len(tried) > 5
    for one in tried:
        items = {item["item"]: item["amount_minor"] for item in one["after"]["items"]}
        units = int(one["before"]["units"].get("resolution", "0"))
        assert items.get("resolution", 0) == 200 * min(units, 5) + 100 * max(units - 5, 0)
        assert (items.get("sms_segment", 0), items["platform_fee"]) == (0, 4_900)
        assert one["after"]["total_minor"] == sum(items.values())
    assert all(why in ("pays in", AS_ONE_SUM, NO_PERIOD) for why in left_out(found))
    assert picture.stat().st_size > 10_000


def test_a_draft_policy_decides_the_month_again(month: Month, written: Any) -> None:
    code, found = month.settled("what-if", draft(month, "policy", POLICY), "--month", "2026-10")

    customers = {one["customer"]: one for one in found["customers"]}
    turned: Counter[str] = Counter()
    for one in found["decided"]["turned"]:
        turned[one["meter"]] += one["units"]
    moved: Counter[str] = Counter()
    for one in customers.values():
        for meter, units in one["after"]["units"].items():
            moved[meter] += int(float(units) - float(one["before"]["units"].get(meter, "0")))
    assert code == 0
    billed = written["invoices"]
    assert {name: one["before"]["total_minor"] for name, one in customers.items()} == {c: billed[c] for c in customers}
    assert len(customers) > 15
    assert all(why in (AS_ONE_SUM, NO_PERIOD) for why in left_out(found))
    assert found["decided_otherwise"] == []  # by its own policies each conversation is what the frozen ledger has
    assert any(one["after"] == "teammate_took_over" and one["units"] < 0 for one in found["decided"]["turned"])
    assert {m: n for m, n in turned.items() if n} == {m: n for m, n in moved.items() if n}


def test_one_customer_is_told_in_words_and_as_csv(month: Month) -> None:
    price = draft(month, "price", PRICE)

    told = month.said("what-if", price, "--customer", CUSTOMER)
    sheet = month.said("what-if", price, "--customer", CUSTOMER, "--csv")

    rows = list(csv.DictReader(io.StringIO(sheet.stdout, newline="")))
    assert (told.returncode, sheet.returncode) == (0, 0)
    assert f"{CUSTOMER}, 2026-10-01 to 2026-11-01, in USD" in told.stdout
    assert ("platform_fee", "0.00", "49.00") in [(r["item"], r["amount_before"], r["amount_after"]) for r in rows]


@pytest.mark.parametrize(
    ("text", "arguments", "code", "sentence"),
    [
        ("prices: [", "", 1, "is not YAML"),
        ("discounts: [{percent: '200'}]", "", 1, "discounts.0.percent: 200 percent off"),
        ("remove: [fax]", "", 1, "remove.fax: none of the"),
        (PRICE, "--customer customer-0013", 1, "pays in JPY, and the draft has amounts in USD"),
        (PRICE, "--customer nobody", 1, "no contract of nobody is known here"),
        (PRICE, "--month 2020-01", 1, "no period that begins in 2020-01 is frozen whole"),
        (PRICE, "--month October", 2, "--month must be a year and a month"),
    ],
)
def test_a_draft_that_cannot_be_tried_is_refused_in_a_sentence(
    text: str, arguments: str, code: int, sentence: str, month: Month
) -> None:
    ended = month.said("what-if", draft(month, "wrong", text), *arguments.split())

    assert (ended.returncode, ended.stdout) == (code, "")
    assert sentence in " ".join(ended.stderr.split())


def test_nothing_was_written(month: Month, written: Any) -> None:
    assert json.dumps(everything(month), sort_keys=True) == json.dumps(written, sort_keys=True)
