"""Who taxes a sale: the cases of Avalara's pages on nexus and on VAT transactions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.avatax.domain.sourcing import Decision, Seller, Where, decide
from sandbox.avatax.rates_file import read_table

TABLE = read_table()
US, DE = Seller(frozenset({"US-NY", "US-TX"}), {}), Seller(frozenset({"DE"}), {"DE": "DE123456789"})
AUSTIN, SEATTLE = Where("US", "TX", "78701"), Where("US", "WA", "98101")
PLACES = {code: Where(code, "", "") for code in ("DE", "FR", "GB", "CH", "JP", "AU", "BR")}


def sold(seller: Seller, origin: Where, to: Where, buyer_id: str | None = None, category: str = "cloud") -> Decision:
    return decide(TABLE, seller, origin, to, category, buyer_id)


def summary(decision: Decision) -> tuple[str, list[str], str, bool]:
    """Basis, who taxes, by which end, and whether the invoice must say something."""
    names = [each.code for each in decision.jurisdictions]
    return decision.basis, names, decision.sourcing, decision.message is not None


def test_a_state_with_nexus_taxes_with_its_places_and_one_without_does_not() -> None:
    assert summary(sold(US, AUSTIN, AUSTIN)) == ("taxed", ["48", "05000", "6000814"], "Destination", False)
    assert summary(sold(US, AUSTIN, SEATTLE)) == ("no_nexus", [], "Destination", False)


@pytest.mark.parametrize("buyer_id", [None, "DE999999999"])
def test_in_its_own_country_an_eu_seller_charges_the_local_rate_to_anybody(buyer_id: str | None) -> None:
    assert summary(sold(DE, PLACES["DE"], PLACES["DE"], buyer_id)) == ("taxed", ["DE"], "Destination", False)


def test_a_business_in_another_eu_state_accounts_for_the_tax_itself() -> None:
    """Zero-rated at the origin, and the invoice must say so."""
    decision = sold(DE, PLACES["DE"], PLACES["FR"], "FR12345678901")

    assert summary(decision) == ("zero_rated", ["DE"], "Origin", True)
    assert decision.rate == Decimal(0)
    assert "Reverse charge" in (decision.message or "")


def test_without_the_sellers_own_registration_there_is_no_reverse_charge() -> None:
    """Avalara: the issuing company's own VAT registration must be configured."""
    unregistered = Seller(frozenset({"DE"}), {})

    assert summary(sold(unregistered, PLACES["DE"], PLACES["FR"], "FR1")) == ("taxed", ["FR"], "Destination", False)


def test_a_consumer_in_another_eu_state_pays_the_rate_of_the_destination() -> None:
    """By the switch only where nexus is declared; goods without nexus there pay the origin's."""
    by_nexus = Seller(frozenset({"DE"}), {"DE": "DE1"}, consumers_at_destination=False)
    declared = Seller(frozenset({"DE", "FR"}), {"DE": "DE1"}, consumers_at_destination=False)

    assert summary(sold(DE, PLACES["DE"], PLACES["FR"])) == ("taxed", ["FR"], "Destination", False)
    assert summary(sold(by_nexus, PLACES["DE"], PLACES["FR"])) == ("taxed", ["DE"], "Origin", False)
    assert summary(sold(declared, PLACES["DE"], PLACES["FR"])) == ("taxed", ["FR"], "Destination", False)
    assert summary(sold(DE, PLACES["DE"], PLACES["FR"], category="goods")) == ("taxed", ["DE"], "Origin", False)


@pytest.mark.parametrize("to", [PLACES["CH"], PLACES["BR"], AUSTIN])
def test_outside_the_eu_an_id_or_goods_make_it_zero_and_else_the_origin_taxes(to: Where) -> None:
    """The trap: a business abroad that is sent without an id is charged the seller's VAT."""
    assert summary(sold(DE, PLACES["DE"], to, "CHE-1")) == ("zero_rated", ["DE"], "Origin", True)
    assert summary(sold(DE, PLACES["DE"], to, category="goods")) == ("zero_rated", ["DE"], "Origin", True)
    assert summary(sold(DE, PLACES["DE"], to)) == ("taxed", ["DE"], "Origin", False)


@pytest.mark.parametrize(
    ("country", "buyer_id", "basis"),
    [
        ("GB", None, "taxed"),
        ("GB", "GB123", "zero_rated"),
        ("AU", None, "taxed"),
        ("AU", "51824753556", "zero_rated"),
        ("JP", None, "taxed"),
        ("JP", "T123", "zero_rated"),
        ("CH", None, "taxed"),
        ("CH", "CHE-123", "taxed"),
        ("FR", None, "taxed"),
        ("FR", "FR123", "zero_rated"),
    ],
)
def test_a_us_seller_that_is_registered_abroad(country: str, buyer_id: str | None, basis: str) -> None:
    """Destination rules; Switzerland charges businesses too, where the seller is registered."""
    seller = Seller(frozenset({"US-NY", country}), {country: "1"})

    assert summary(sold(seller, AUSTIN, PLACES[country], buyer_id))[:3] == (basis, [country], "Destination")


@pytest.mark.parametrize("country", ["GB", "AU", "JP", "CH", "FR", "BR"])
def test_a_us_seller_that_is_not_registered_abroad_charges_nothing(country: str) -> None:
    assert summary(sold(US, AUSTIN, PLACES[country])) == ("no_nexus", [], "Destination", False)


def test_a_seller_without_any_nexus_charges_nothing_anywhere() -> None:
    nobody = Seller(frozenset(), {})

    assert {sold(nobody, PLACES["DE"], to).basis for to in (*PLACES.values(), AUSTIN)} == {"no_nexus"}
