"""What a catalogue cannot say: a code, the field and a sentence for each."""

from __future__ import annotations

from typing import Any

import pytest

from contracts_service.catalog.folder import CatalogRefused, read_document
from contracts_service.testing import a_catalog

HOLE = {"USD": {"scheme": "graduated", "tiers": [{"up_to": 9, "unit_price": "1"}]}, "JPY": "9"}
SHRINKING = {"scheme": "volume", "tiers": [{"up_to": 9, "unit_price": "1"}, {"up_to": 5, "unit_price": "2"}]}
SHRINKING["tiers"] = [*SHRINKING["tiers"], {"unit_price": "3"}]  # type: ignore[misc]
SECOND = {"name": "Again", "meter": "resolution", "prices": {"USD": "1", "JPY": "1"}}

REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"currencies": ["USD", "JPY", "USD"]}, "duplicate_key", "currencies", "USD stands in the list twice"),
    ({"issuers__settled-us__currency": "EUR"}, "unknown_currency", "issuers.settled-us.currency", "EUR is not in"),
    (
        {"outcome_prices__resolution__prices": {"USD": "1", "JPY": "1", "EUR": "1"}},
        "unknown_currency",
        "outcome_prices.resolution.prices.EUR",
        "EUR is not in the list of currencies",
    ),
    (
        {"outcome_prices__resolution__meter": "resolutoin"},
        "unknown_meter",
        "outcome_prices.resolution.meter",
        "there is no meter resolutoin",
    ),
    (
        {"policies__standard__charges": ["resolution", "sale"]},
        "unknown_meter",
        "policies.standard.charges",
        "there is no meter sale",
    ),
    (
        {"policies__standard__charges": ["resolution", "message"]},
        "wrong_kind_of_meter",
        "policies.standard.charges",
        "message is a usage",
    ),
    (
        {"usage_prices__sms__meter": "resolution", "plans__basic__outcomes": [], "plans__pro__outcomes": []},
        "wrong_kind_of_meter",
        "usage_prices.sms.meter",
        "its price belongs under outcome_prices",
    ),
    (
        {"usage_prices__sms__prices": HOLE},
        "tiers_with_a_hole",
        "usage_prices.sms.prices.USD.tiers",
        "units above 9 have no price",
    ),
    (
        {"usage_prices__sms__prices__USD": SHRINKING},
        "tiers_with_a_hole",
        "usage_prices.sms.prices.USD.tiers",
        "bounds must grow, and 5 comes after 9",
    ),
    (
        {
            "usage_prices__sms__prices__USD": {
                "scheme": "graduated",
                "tiers": [{"unit_price": "1"}, {"unit_price": "2"}],
            }
        },
        "tiers_with_a_hole",
        "usage_prices.sms.prices.USD.tiers",
        "which no unit can reach",
    ),
    (
        {"plans__basic__prices__USD": {"scheme": "included"}},
        "included_licensed",
        "plans.basic.prices.USD",
        "only a meter can be included",
    ),
    (
        {"plans__basic__prices__JPY": {"scheme": "flat", "amount": "9.5"}},
        "too_precise",
        "plans.basic.prices.JPY",
        "9.5 has more decimals than JPY can be paid in",
    ),
    ({"plans__basic__prices": {"USD": "39"}}, "price_missing", "plans.basic.prices", "sold in JPY and has no price"),
    ({"plans__basic_yearly__sold_in": ["USD", "JPY"]}, "price_missing", "plans.basic_yearly.prices", "sold in JPY"),
    (
        {"usage_prices__sms__prices": {"USD": "1"}},
        "price_missing",
        "plans.basic.usage",
        "sold in JPY, in which usage_prices.sms has no price",
    ),
    ({"plans__basic__policy": "strict"}, "unknown_policy", "plans.basic.policy", "there is no policy strict"),
    ({"plans__basic__trial": "year"}, "unknown_trial", "plans.basic.trial", "there is no trial year"),
    ({"plans__basic__usage": ["fax"]}, "unknown_usage_price", "plans.basic.usage", "there is no usage price fax"),
    (
        {"plans__basic__outcomes": []},
        "meter_without_price",
        "plans.basic.outcomes",
        "the policy standard can charge resolution",
    ),
    (
        {"outcome_prices__again": SECOND, "plans__pro__outcomes": ["resolution", "again"]},
        "meter_priced_twice",
        "plans.pro",
        "resolution and again both price resolution",
    ),
    ({"plans__basic__free_meters": ["resolution"]}, "free_meter_priced", "plans.basic.free_meters", "not free"),
    ({"plans__basic__free_meters": ["sale"]}, "unknown_meter", "plans.basic.free_meters", "there is no meter sale"),
    (
        {"plans__basic__allowances": {"message": 5}},
        "allowance_without_price",
        "plans.basic.allowances.message",
        "nothing here prices message",
    ),
    (
        {"trials__fortnight__allowances": {"message": 5}},
        "allowance_without_price",
        "plans.basic.trial",
        "includes message, which the plan does not price",
    ),
    ({"trials__fortnight__allowances": {"sale": 5}}, "unknown_meter", "trials.fortnight.allowances", "no meter sale"),
    ({"add_ons__copilot__prices": {}}, "nothing_sold", "add_ons.copilot", "nothing to bill"),
    (
        {"add_ons__outreach__usage": ["messages", "sms"]},
        "meter_priced_twice",
        "add_ons.outreach.usage",
        "sms prices sms_segment, as sms of the plan basic does",
    ),
    ({"add_ons__insight__plans": ["max"]}, "unknown_plan", "add_ons.insight.plans", "there is no plan max"),
    (
        {"plans__basic__product": "copilot", "coupons__copilot_half": ...},
        "product_sold_twice",
        "add_ons.copilot",
        "the plan basic sells a product of this name too",
    ),
    ({"coupons__welcome__percent": "101"}, "discount_percent", "coupons.welcome.percent", "at most 100 percent"),
    ({"coupons__welcome__percent": "0"}, "discount_percent", "coupons.welcome.percent", "more than 0"),
    ({"coupons__welcome__amounts": {"USD": "5"}}, "discount_form", "coupons.welcome", "either a percent or amounts"),
    ({"coupons__tenner__amounts": {"USD": "0"}}, "discount_form", "coupons.tenner.amounts.USD", "more than 0"),
    ({"coupons__tenner__amounts": {"JPY": "9.9"}}, "too_precise", "coupons.tenner.amounts.JPY", "more decimals"),
    ({"coupons__tenner__amounts": {"EUR": "9"}}, "unknown_currency", "coupons.tenner.amounts.EUR", "EUR is not in"),
    ({"coupons__welcome__months": 3}, "discount_form", "coupons.welcome.months", "or after so many months"),
    (
        {"coupons__copilot_half__products": ["radar"]},
        "unknown_product",
        "coupons.copilot_half.products",
        "nothing of the name radar is sold",
    ),
    (
        {"plans__basic__prices__USD": 39},
        "malformed",
        "plans.basic.prices.USD",
        'write a price in quotes, such as "0.99"',
    ),
    ({"plans__basic__prices__USD": "-1"}, "malformed", "plans.basic.prices.USD", "a plain decimal"),
    ({"plans__basic__rhythm": "week"}, "unknown_word", "plans.basic.rhythm", "'month' or 'year'"),
    ({"plans__basic__colour": "red"}, "unknown_field", "plans.basic.colour", "is not a field that is known here"),
    ({"plans__basic__version": 0}, "too_small", "plans.basic.version", "at least 1"),
    ({"plans__basic__product": ...}, "field_missing", "plans.basic.product", "required and missing"),
    ({"plans__basic": None}, "wrong_type", "plans.basic", "group of named fields"),
    ({"meters__resolution__kind": "wish"}, "unknown_word", "meters.resolution.kind", "'outcome' or 'usage'"),
    ({"currencies": ["USD", "CHF"]}, "unknown_word", "currencies.1", "one of"),
    ({"sorts": {}}, "unknown_field", "", "sorts is no section"),
]


@pytest.mark.parametrize(("changes", "code", "field", "words"), REFUSED, ids=[f"{r[1]}:{r[2]}" for r in REFUSED])
def test_is_refused_with_code_field_and_sentence(changes: dict[str, Any], code: str, field: str, words: str) -> None:
    with pytest.raises(CatalogRefused) as refused:
        read_document(a_catalog(**changes))

    found = [(mistake.code, mistake.field) for mistake in refused.value.mistakes]
    assert (code, field) in found, refused.value.mistakes
    assert words in next(m.sentence for m in refused.value.mistakes if (m.code, m.field) == (code, field))


def test_the_small_catalogue_of_these_tests_is_sound() -> None:
    assert set(read_document(a_catalog()).plans) == {"basic", "basic_yearly", "pro", "old"}


def test_what_refers_to_an_unsound_entry_is_not_at_fault_for_it() -> None:
    with pytest.raises(CatalogRefused) as refused:
        read_document(a_catalog(outcome_prices__resolution__prices={"USD": 1}, plans__pro__policy="strict"))

    assert {(mistake.code, mistake.field) for mistake in refused.value.mistakes} == {
        ("malformed", "outcome_prices.resolution.prices.USD"),
        ("unknown_policy", "plans.pro.policy"),
    }


def test_what_is_no_group_is_no_catalogue() -> None:
    with pytest.raises(CatalogRefused, match="a group of named sections"):
        read_document(["plans"])
