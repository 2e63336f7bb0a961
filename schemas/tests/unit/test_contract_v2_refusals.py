"""A contract that contradicts itself is refused: by a stable code, the field, and a sentence for a stranger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractRefused, ContractV2, Flaw, read_contract
from event_schemas.contract_v2.flaws import CODES, CODES_OF_QUANTITIES
from event_schemas.contract_v2.testing import START, a_change, a_document, clause, document_with, metered, seats

MARCH, APRIL, MAY = "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"
NOON = "2026-03-10T12:00:00Z"


def refused(document: Any) -> tuple[Flaw, ...]:
    with pytest.raises(ContractRefused) as error:
        read_contract(document)
    return error.value.flaws


def the_flaw(document: Any) -> Flaw:
    (flaw,) = refused(document)
    return flaw


def tiers(*bounds: int | None, scheme: str = "graduated") -> dict[str, Any]:
    found = [{"unit_price": "1"} if bound is None else {"up_to": bound, "unit_price": "1"} for bound in bounds]
    return {"scheme": scheme, "tiers": found}


def discount(key: str = "d", **fields: Any) -> dict[str, Any]:
    return clause(key, scope="item", item="seat", percent="10") | fields


def commitment(key: str = "c", **fields: Any) -> dict[str, Any]:
    ramp = [{"at": fields.get("from", START), "quantity": 100, "agreed_in": 1}]
    money = {"unit_price": "0.9", "currency": "USD", "price_version": "deal/1"}
    return clause(key, meter="resolution", bill="advance", ramp=ramp, **money) | fields


def usd(minor: int, currency: str = "USD") -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


ITEMS = [
    ("duplicate_key", "items.seat", {"items": [seats(until=MARCH), seats(**{"from": MARCH}), metered()]}),
    ("currency_change", "items.seat-2.currency", {"items": [seats(), metered(), seats(key="seat-2", currency="EUR")]}),
    ("empty_life", "items.seat.until", {"items": [seats(until=START), metered()]}),
    ("tiers_with_a_hole", "items.resolution.price.tiers", {"items": [metered(price=tiers(100))]}),
    ("tiers_with_a_hole", "items.resolution.price.tiers", {"items": [metered(price=tiers(100, 100, None))]}),
    ("tiers_with_a_hole", "items.resolution.price.tiers", {"items": [metered(price=tiers(None, None))]}),
    ("tiers_with_a_hole", "items.resolution.price.tiers", {"items": [metered(price=tiers(9, scheme="volume"))]}),
    ("included_licensed", "items.seat.price", {"items": [seats(price={"scheme": "included"}), metered()]}),
    ("not_a_billing_day", "items.seat.term_anchor", {"items": [seats(term_anchor=NOON), metered()]}),
    ("two_plans", "items.b.plan", {"items": [seats(plan="essential"), seats(key="b", plan="expert"), metered()]}),
    ("meter_priced_twice", "items.b.meter", {"items": [metered(), metered(key="b", **{"from": NOON})]}),
    ("free_meter_priced", "free_meters.resolution", {"free_meters": [{"meter": "resolution", "agreed_in": 1}]}),
    ("meter_without_price", "policies.2026-02-01.charges", {"items": [metered(until=NOON), seats()]}),
    ("meter_without_price", "policies.2026-02-01.charges", {"items": [metered(**{"from": NOON})]}),
    (
        "meter_without_price",
        "policies.2026-02-01.charges",
        {"items": [metered(until=MARCH), metered(key="b", **{"from": NOON})]},
    ),
]
CLAUSES = [
    ("duplicate_key", "discounts.d", {"discounts": [discount(until=MARCH), discount(**{"from": MARCH})]}),
    ("discounts_overlap", "discounts.e", {"discounts": [discount(), discount("e", percent="5", **{"from": MAY})]}),
    ("discounts_overlap", "discounts.e", {"discounts": [discount(invoices=3), discount("e", **{"from": MARCH})]}),
    ("discount_percent", "discounts.d.percent", {"discounts": [discount(percent="100.01")]}),
    ("discount_percent", "discounts.d.percent", {"discounts": [discount(percent="0")]}),
    ("discount_form", "discounts.d", {"discounts": [discount(amount=usd(5))]}),
    ("discount_form", "discounts.d", {"discounts": [discount(percent=None)]}),
    ("discount_form", "discounts.d.item", {"discounts": [discount(scope="invoice")]}),
    ("discount_form", "discounts.d.item", {"discounts": [discount(item=None)]}),
    ("unknown_item", "discounts.d.item", {"discounts": [discount(item="fax")]}),
    ("other_currency", "discounts.d.amount", {"discounts": [discount(percent=None, amount=usd(5, "EUR"))]}),
    ("other_currency", "commitments.c.currency", {"commitments": [commitment(currency="EUR")]}),
    ("commitments_overlap", "commitments.e", {"commitments": [commitment(), commitment("e", **{"from": MAY})]}),
    ("not_a_billing_day", "commitments.c.ramp", {"commitments": [commitment(until=NOON)]}),
    ("ramp_start", "commitments.c.ramp", {"commitments": [commitment(**{"from": MARCH}) | {"from": START}]}),
    ("unknown_meter", "commitments.c.meter", {"commitments": [commitment(meter="fax")]}),
    ("other_currency", "minimums.m.amount", {"minimums": [clause("m", meter="resolution", amount=usd(5, "EUR"))]}),
    (
        "minimums_overlap",
        "minimums.n",
        {"minimums": [clause(key, meter="resolution", amount=usd(5)) for key in ("m", "n")]},
    ),
    (
        "minimum_beside_commitment",
        "minimums.m",
        {"commitments": [commitment()], "minimums": [clause("m", meter="resolution", amount=usd(5))]},
    ),
    (
        "not_a_billing_day",
        "minimums.m",
        {"minimums": [clause("m", meter="resolution", amount=usd(5)) | {"from": NOON}]},
    ),
    ("unknown_meter", "allowances.a.meter", {"allowances": [clause("a", meter="fax", quantity=5)]}),
    ("empty_life", "allowances.a.until", {"allowances": [clause("a", meter="resolution", quantity=5, until=START)]}),
    ("limits_overlap", "limits.m", {"limits": [clause(key, meter="resolution", quantity=5) for key in ("l", "m")]}),
    ("thresholds_unsorted", "alerts.a.thresholds", {"alerts": [clause("a", meter="resolution", thresholds=[80, 80])]}),
    ("other_currency", "prepaid.p.amount", {"prepaid": [clause("p", amount=usd(5, "EUR"))]}),
    ("prepaid_item", "prepaid.p.items", {"prepaid": [clause("p", amount=usd(5), items=["seat"])]}),
]
FRAME = [
    ("anchor_within_a_second", "billing_anchor", {"billing_anchor": "2026-02-01T00:00:00.5Z"}),
    ("trial_ends_elsewhere", "trial.until", {"trial": {"from": "2026-01-20T00:00:00Z", "until": NOON}}),
    (
        "unknown_meter",
        "trial.allowances.a.meter",
        {
            "trial": {
                "from": "2026-01-20T00:00:00Z",
                "until": START,
                "allowances": [{"key": "a", "meter": "fax", "quantity": 1}],
            }
        },
    ),
    ("revision_without_history", "revision", {"revision": 2}),
    ("history_order", "history.1", {"history": [a_change(), a_change()]}),
    (
        "history_order",
        "history.2",
        {"revision": 2, "history": [a_change(), a_change(2, agreed_at="2026-01-01T00:00:00Z")]},
    ),
    ("unknown_revision", "items.seat", {"items": [seats(agreed_in=2), metered()]}),
    (
        "end_without_history",
        "items.seat.earlier_untils",
        {
            "revision": 2,
            "history": [a_change(), a_change(2)],
            "items": [seats(until=MARCH, until_agreed_in=2), metered()],
        },
    ),
]
FORM = [
    ("negative_quantity", "items.seat.quantities.2026-02-01T00:00:00Z.quantity", ("items/0/quantities/0/quantity", -1)),
    (
        "quantity_too_large",
        "items.seat.quantities.2026-02-01T00:00:00Z.quantity",
        ("items/0/quantities/0/quantity", 10**9),
    ),
    ("wrong_type", "items.seat.quantities.2026-02-01T00:00:00Z.quantity", ("items/0/quantities/0/quantity", "2")),
    ("wrong_type", "items.seat.price.unit_price", ("items/0/price/unit_price", 39)),
    ("malformed", "items.seat.price.unit_price", ("items/0/price/unit_price", "-39")),
    ("unknown_word", "items.seat.price", ("items/0/price/scheme", "bundle")),
    ("unknown_word", "items.seat.rhythm", ("items/0/rhythm", "week")),
    ("too_few", "items.seat.quantities", ("items/0/quantities", [])),
    ("unknown_field", "items.seat.discount", ("items/0/discount", "10")),
    ("malformed", "items.seat.from", ("items/0/from", "2026-02-01T00:00:00")),
    ("unknown_word", "currency", ("currency", "CHF")),
    ("unknown_version", "schema_version", ("schema_version", 3)),
    ("too_small", "card_step", ("card_step", 0)),
    ("too_large", "card_step", ("card_step", 1001)),
    ("too_many", "billing.2026-02-01T00:00:00Z.tax_ids", ("billing/0/tax_ids", [{"kind": "eu_vat", "value": "1"}] * 6)),
    ("field_missing", "items.seat.quantities", ("items/0", {k: v for k, v in seats().items() if k != "quantities"})),
    ("malformed", "billing.2026-02-01T00:00:00Z.billing_email", ("billing/0/billing_email", "acme")),
]


@pytest.mark.parametrize(("code", "field", "fields"), [*ITEMS, *CLAUSES, *FRAME])
def test_a_contradiction_names_its_field(code: str, field: str, fields: dict[str, Any]) -> None:
    flaw = the_flaw(a_document(**fields))

    assert (flaw.code, flaw.field) == (code, field)


@pytest.mark.parametrize(("code", "field", "change"), FORM)
def test_a_value_that_cannot_stand_there_names_its_field(code: str, field: str, change: tuple[str, Any]) -> None:
    flaw = the_flaw(document_with(*change))

    assert (flaw.code, flaw.field) == (code, field)


def test_a_trial_that_ends_before_it_begins_is_refused() -> None:
    trial = {"from": START, "until": "2026-01-20T00:00:00Z"}

    assert [flaw.code for flaw in refused(a_document(trial=trial))] == ["empty_life", "trial_ends_elsewhere"]


def test_a_timeline_out_of_order_or_with_an_instant_twice_in_one_revision_is_refused() -> None:
    entry = {"at": NOON, "quantity": 5, "agreed_in": 1}
    for timeline in ([entry, {**entry, "at": START}], [entry, entry]):
        flaw = the_flaw(document_with("items/0/quantities", timeline))

        assert (flaw.code, flaw.field) == ("timeline_unsorted", "items.seat.quantities")


@pytest.mark.parametrize("name", ["billing", "policies"])
def test_a_timeline_of_which_nothing_is_left_is_refused(name: str) -> None:
    flaw = the_flaw(document_with(f"{name}/0/withdrawn_in", 1))

    assert (flaw.code, flaw.field) == ("timeline_empty", name)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    document = a_document(discounts=[discount(percent="120")], items=[seats(until=START), metered()])

    assert {flaw.code for flaw in refused(document)} == {"empty_life", "discount_percent"}


@pytest.mark.parametrize("document", [None, [], "acme", 7])
def test_what_is_no_group_of_fields_is_refused(document: Any) -> None:
    assert the_flaw(document).sentence == "a contract is a group of named fields"


SENTENCES = [
    (
        a_document(items=[metered(until=NOON), metered(key="b", **{"from": MAY}), seats()]),
        "policies.2026-02-01.charges: the policy standard-1 can charge resolution, which has no price from "
        "2026-03-10T12:00:00Z to 2026-05-01; give it a price then, or declare it free",
    ),
    (
        document_with("items/0/quantities/0/quantity", 10**9),
        "items.seat.quantities.2026-02-01T00:00:00Z.quantity: quantity must be at most 1000000",
    ),
    (
        a_document(commitments=[commitment(currency="EUR")]),
        "commitments.c.currency: agreed in EUR, and the contract is in USD",
    ),
    (
        a_document(discounts=[discount(percent="101")]),
        "discounts.d.percent: 101 percent off: a discount is more than 0 and at most 100 percent",
    ),
]


@pytest.mark.parametrize(("document", "said"), SENTENCES)
def test_the_sentence_is_one_for_a_stranger(document: Any, said: str) -> None:
    assert str(the_flaw(document)) == said


FINE = {
    "a policy that charges nothing that it names": document_with("policies/0/charges", []),
    "a meter that is free": a_document(items=[seats()], free_meters=[{"meter": "resolution", "agreed_in": 1}]),
    "a price that changes in mid-period": a_document(items=[metered(until=NOON), metered(key="b", **{"from": NOON})]),
    "no price behind the end of the contract": a_document(items=[metered(until=MAY), seats(until=APRIL)]),
    "a taken-back item beside another": a_document(items=[metered(), metered(key="b", withdrawn_in=1)]),
    "a discount that begins when a counted one is used up": a_document(
        discounts=[discount(invoices=2), discount("e", **{"from": "2026-03-02T00:00:00Z"})]
    ),
    "percent and amount on one item": a_document(discounts=[discount(), discount("e", percent=None, amount=usd(5))]),
    "one plan after the other": a_document(
        items=[seats(plan="essential", until=NOON), seats(key="b", plan="expert", **{"from": NOON}), metered()]
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_what_can_be_meant_is_taken(name: str) -> None:
    assert isinstance(read_contract(FINE[name]), ContractV2)


def test_no_word_of_the_library_reaches_a_person() -> None:
    library = re.compile(r"input|should|value error|valid (string|integer)|pydantic|\bNone\b|<class|pattern|tuple|\{")
    documents = [a_document(**fields) for _, _, fields in (*ITEMS, *CLAUSES, *FRAME)]
    documents += [document_with(*change) for _, _, change in FORM]
    documents += [document_with("items/0", None), document_with("items", "none"), document_with("history/0/actor", "")]

    for document in documents:
        for flaw in refused(document):
            assert not library.search(str(flaw)), flaw


def test_every_code_is_in_the_readme_and_every_contradiction_has_a_test() -> None:
    root = Path(__file__).parents[2]
    sources = (root / "src/event_schemas/contract_v2").rglob("*.py")
    text = "\n".join(source.read_text() for source in sources)
    written = set(re.findall(r'Flaw\(\s*"(\w+)"', text)) | set(CODES.values()) | set(CODES_OF_QUANTITIES.values())
    written |= {"wrong_type", "commitments_overlap", "minimums_overlap", "limits_overlap"}
    readme = (root / "README.md").read_text()
    told = set(re.findall(r"`(\w+)`", readme[readme.index("Codes of refusals") : readme.index("## The words")]))
    elsewhere = {"history_rewritten", "revision_order"}  # test_contract_v2_state.py
    tried = {code for code, _, _ in (*ITEMS, *CLAUSES, *FRAME, *FORM)}

    assert told == written
    assert written - tried - elsewhere == {"timeline_unsorted", "timeline_empty"}  # above, by tests of their own
