"""How usage comes onto invoices, by issuer; and what Stripe is told then."""

from __future__ import annotations

from decimal import Decimal

import pytest

from event_schemas.contract_v2 import from_version_1
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.plan.wanted import wanted_items
from invoicing_sync.contracts.domain.usage_lines import contract_at_stripe, read_usage_lines, terms_at_stripe
from invoicing_sync.stripe_door.convert import metered_price_key
from invoicing_sync.testing import START, a_contract


class TestReadUsageLines:
    @pytest.mark.parametrize(
        ("text", "us", "ie"),
        [
            ("", "stripe", "stripe"),
            ("explicit", "explicit", "explicit"),
            ("settled-ie=explicit", "stripe", "explicit"),
            (" explicit , settled-us = stripe ", "stripe", "explicit"),
        ],
    )
    def test_a_default_and_what_issuers_have_instead(self, text: str, us: str, ie: str) -> None:
        ways = read_usage_lines(text)

        assert (ways.of("settled-us"), ways.of("settled-ie")) == (us, ie)

    @pytest.mark.parametrize("text", ["by hand", "settled-ie=", "=explicit", "explicit,stripe", "a=stripe,a=explicit"])
    def test_what_cannot_be_read_is_refused_by_its_words(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"is no way|stands there twice"):
            read_usage_lines(text)


class TestAtStripe:
    def test_usage_is_counted_at_price_zero_and_all_else_stays(self) -> None:
        terms = terms_of(a_contract())

        told = terms_at_stripe(terms, "explicit")

        assert [tier.unit_price for term in told.metered for tier in term.tiers] == [Decimal(0)]
        assert (told.meters, told.licensed) == (terms.meters, terms.licensed)
        assert terms_at_stripe(terms, "stripe") is terms

    def test_the_plan_and_the_applier_name_the_same_price(self) -> None:
        contract = a_contract()
        [term] = terms_at_stripe(terms_of(contract), "explicit").metered

        wanted = wanted_items(contract_at_stripe(from_version_1(contract, agreed_at=START), "explicit"))

        keys = [item.price.lookup_key for item in wanted if item.is_metered]
        assert keys == [metered_price_key(term, contract.currency)]
