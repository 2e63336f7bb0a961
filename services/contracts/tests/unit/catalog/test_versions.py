"""A folder held against what is kept: each difference in words, and what cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.domain.versions import KeptCatalog, Uses, applied, compare
from contracts_service.catalog.folder import read_document
from contracts_service.testing import a_catalog

BASIC_IN_USE: Uses = {("plans", "basic", 1): 3, ("outcome_prices", "resolution", 1): 1}


def a(**changes: Any) -> Catalog:
    return read_document(a_catalog(**changes))


@pytest.fixture
def kept() -> KeptCatalog:
    return applied(KeptCatalog(), a())


def told(kept: KeptCatalog, wanted: Catalog, uses: Uses | None = None) -> list[tuple[str, str, int, str]]:
    comparison = compare(kept, wanted, uses or {})
    assert comparison.refusals == ()
    return [(one.key, one.what, one.version, one.sentence) for one in comparison.changes]


def refused(kept: KeptCatalog, wanted: Catalog, uses: Uses | None = None) -> list[tuple[str, str, str]]:
    return [(flaw.code, flaw.field, flaw.sentence) for flaw in compare(kept, wanted, uses or {}).refusals]


def test_the_first_time_all_is_new() -> None:
    comparison = compare(KeptCatalog(), a(), {})

    assert {one.what for one in comparison.differences} == {"new"}
    assert len(comparison.differences) == 22
    assert "the plan basic is new" in [one.sentence for one in comparison.differences]


def test_the_second_time_nothing_changes(kept: KeptCatalog) -> None:
    assert told(kept, a()) == []
    assert applied(kept, a()) is kept


def test_a_price_that_somebody_has_agreed_to_is_not_edited(kept: KeptCatalog) -> None:
    assert refused(kept, a(plans__basic__prices={"USD": "45", "JPY": "5800"}), BASIC_IN_USE) == [
        (
            "price_in_use",
            "plans.basic.prices.USD.unit_price",
            "3 customers have agreed to version 1 of the plan basic, and it would change: prices.USD.unit_price 39 -> "
            "45. Write version: 2 beside the new terms: new customers get them, and who has agreed keeps what was "
            "agreed",
        )
    ]


def test_new_terms_are_a_new_version_and_the_old_one_is_kept(kept: KeptCatalog) -> None:
    dearer = a(plans__basic__prices={"USD": "45", "JPY": "5800"}, plans__basic__version=2)

    assert told(kept, dearer, BASIC_IN_USE) == [
        (
            "basic",
            "new version",
            2,
            "version 2 of the plan basic: prices.USD.unit_price 39 -> 45; 3 customers stay on version 1",
        )
    ]
    after = applied(kept, dearer)
    assert after.number == 2
    assert after.entries["plans"]["basic"].versions[1]["prices"]["USD"]["unit_price"] == "39"
    assert after.offered() == dearer


def test_terms_that_nobody_has_agreed_to_may_be_corrected(kept: KeptCatalog) -> None:
    cheaper = a(plans__pro__prices={"USD": "95"})

    assert told(kept, cheaper, BASIC_IN_USE) == [
        ("pro", "corrected", 1, "the plan pro, which nobody has agreed to yet: prices.USD.unit_price 99 -> 95")
    ]
    assert list(applied(kept, cheaper).entries["plans"]["pro"].versions) == [1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"plans__basic__name": "Start"}, "the plan basic: name Basic -> Start"),
        ({"plans__basic__new_customers": False}, "the plan basic: new_customers nothing -> no"),
        ({"plans__basic__sold_in": ["USD"]}, "the plan basic: sold_in USD, JPY -> USD"),
    ],
)
def test_what_nobody_pays_for_otherwise_needs_no_version(
    kept: KeptCatalog, changes: dict[str, Any], sentence: str
) -> None:
    assert told(kept, a(**changes), BASIC_IN_USE) == [("basic", "relabelled", 1, sentence)]


def test_what_is_no_longer_in_the_folder_is_withdrawn_and_kept(kept: KeptCatalog) -> None:
    without = a(plans__basic=..., add_ons__copilot=..., coupons__copilot_half=...)

    assert told(kept, without, BASIC_IN_USE) == [
        ("basic", "withdrawn", 1, "the plan basic is withdrawn: no new customers; 3 customers stay"),
        ("copilot", "withdrawn", 1, "the add-on copilot is withdrawn: no new customers"),
        ("copilot_half", "withdrawn", 1, "the coupon copilot_half is withdrawn: no new customers"),
    ]
    after = applied(kept, without)
    assert after.entries["plans"]["basic"].withdrawn
    assert told(after, without) == []
    assert "basic" not in after.offered().plans


def test_what_was_withdrawn_can_come_back_only_with_the_terms_that_it_had(kept: KeptCatalog) -> None:
    after = applied(kept, a(plans__basic=...))

    assert told(after, a(), BASIC_IN_USE) == [("basic", "offered again", 1, "the plan basic is offered again")]
    dearer = a(plans__basic__prices={"USD": "45", "JPY": "5800"})
    assert [code for code, _, _ in refused(after, dearer, BASIC_IN_USE)] == ["price_in_use"]


def test_a_version_is_the_same_or_the_next_one(kept: KeptCatalog) -> None:
    two = applied(kept, a(plans__basic__version=2, plans__basic__prices={"USD": "45", "JPY": "5800"}))

    for version in (1, 4):
        assert refused(two, a(plans__basic__version=version)) == [
            (
                "version_skipped",
                "plans.basic.version",
                f"the plan basic stands at version 2, and the folder says {version}; write version: 3 for new terms, "
                "or version: 2 for those that stand",
            )
        ]


def test_a_new_version_must_say_something_new(kept: KeptCatalog) -> None:
    assert refused(kept, a(plans__basic__version=2)) == [
        (
            "version_without_change",
            "plans.basic.version",
            "version 2 of the plan basic says the same as version 1; leave it at 1",
        )
    ]


def test_an_issuer_has_no_versions(kept: KeptCatalog) -> None:
    assert told(kept, a(**{"issuers__settled-ie__payment_terms_days": 14})) == [
        ("settled-ie", "relabelled", 1, "the issuer settled-ie: payment_terms_days nothing -> 14")
    ]


def test_a_currency_that_goes_leaves_the_contracts_that_have_it(kept: KeptCatalog) -> None:
    only = a(
        currencies=["USD"],
        plans__basic__sold_in=["USD"],
        plans__basic__prices={"USD": "39"},
        outcome_prices__resolution__prices={"USD": "0.99"},
        usage_prices__sms__prices={"USD": "0.06"},
        usage_prices__messages__prices={"USD": "0.04"},
        add_ons__copilot__sold_in=["USD"],
        add_ons__copilot__prices={"USD": "35"},
    )

    assert ("currencies", "withdrawn", 1, "JPY: no new contract, existing ones stay in it") in told(kept, only)


def test_what_is_kept_survives_json(kept: KeptCatalog) -> None:
    assert KeptCatalog.model_validate_json(kept.model_dump_json()) == kept
