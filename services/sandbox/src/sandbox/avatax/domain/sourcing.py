"""
Who taxes a sale: by nexus, by the seller's and the buyer's country, and by whether the buyer has a VAT id.

Source: Avalara's developer guide (zero tax due to nexus) and its page on VAT transactions; V1 to V8 of the README
where they leave a question open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sandbox.avatax.domain.table import Jurisdiction, Table

GOODS = "goods"


@dataclass(frozen=True, slots=True)
class Where:
    """The part of an address that taxes go by."""

    country: str
    region: str
    postal: str


@dataclass(frozen=True, slots=True)
class Seller:
    """A company's tax profile: where it has nexus (`US-NY`, `DE`), and its own VAT ids by country."""

    nexus: frozenset[str]
    vat_ids: Mapping[str, str]
    consumers_at_destination: bool = True  # EU consumers of services: V2


@dataclass(frozen=True, slots=True)
class Decision:
    """Who taxes. `rate` takes the place of the jurisdictions' own: 0 where a sale is zero-rated."""

    basis: Literal["taxed", "zero_rated", "no_nexus"]
    jurisdictions: tuple[Jurisdiction, ...]
    sourcing: Literal["Destination", "Origin"]
    rate: Decimal | None = None
    message: str | None = None


_NOBODY = Decision("no_nexus", (), "Destination")
_REVERSE_EU = (
    "Reverse charge: VAT is to be accounted for by the recipient of the service (Articles 44 and 196 of Council"
    " Directive 2006/112/EC)."
)
_REVERSE = "Reverse charge: the tax is to be accounted for by the recipient ({tax})."
_OUTSIDE = "Outside the scope of {tax}: the recipient is established abroad."


def decide(table: Table, seller: Seller, ship_from: Where, to: Where, category: str, buyer_id: str | None) -> Decision:
    """Which jurisdictions charge what on a sale of a category from one place to another."""
    if to.country == "US":
        state = table.states.get(to.region)
        if state is not None and f"US-{to.region}" in seller.nexus:
            return Decision("taxed", state.levels(to.postal), "Destination")
        return _from_abroad(table, seller, ship_from, category, buyer_id)
    if ship_from.country == to.country:
        return _at_home(table, seller, to)
    if _in_one_union(table, ship_from, to):
        return _within_union(table, seller, ship_from, to, category, buyer_id)
    if to.country in seller.nexus and to.country in table.countries:
        return _by_nexus_there(table, to, buyer_id)
    return _from_abroad(table, seller, ship_from, category, buyer_id)


def _at_home(table: Table, seller: Seller, to: Where) -> Decision:
    """Seller and buyer in one country: its rate, whoever buys."""
    country = table.countries.get(to.country)
    if country is None or to.country not in seller.nexus:
        return _NOBODY
    return Decision("taxed", (country.jurisdiction,), "Destination")


def _in_one_union(table: Table, one: Where, other: Where) -> bool:
    first, second = table.countries.get(one.country), table.countries.get(other.country)
    return first is not None and second is not None and first.union == second.union != ""


def _within_union(
    table: Table, seller: Seller, ship_from: Where, to: Where, category: str, buyer_id: str | None
) -> Decision:
    """A business with a VAT id: zero-rated at the origin, if the seller is registered there. A consumer: V2."""
    origin, destination = table.countries[ship_from.country], table.countries[to.country]
    if ship_from.country not in seller.nexus:
        return _by_nexus_there(table, to, buyer_id) if to.country in seller.nexus else _NOBODY
    if buyer_id and ship_from.country in seller.vat_ids:
        return Decision("zero_rated", (origin.jurisdiction,), "Origin", Decimal(0), _REVERSE_EU)
    wanted = category != GOODS and seller.consumers_at_destination
    if wanted or to.country in seller.nexus:
        return Decision("taxed", (destination.jurisdiction,), "Destination")
    return Decision("taxed", (origin.jurisdiction,), "Origin")


def _by_nexus_there(table: Table, to: Where, buyer_id: str | None) -> Decision:
    """The seller is registered where the buyer is: its rate, or the buyer's own accounting for it."""
    country = table.countries[to.country]
    if buyer_id and country.reverse_charge:
        message = _REVERSE_EU if country.union == "EU" else _REVERSE.format(tax=country.jurisdiction.tax_name)
        return Decision("zero_rated", (country.jurisdiction,), "Destination", Decimal(0), message)
    return Decision("taxed", (country.jurisdiction,), "Destination")


def _from_abroad(table: Table, seller: Seller, ship_from: Where, category: str, buyer_id: str | None) -> Decision:
    """No nexus where the buyer is: a seller in a VAT country still has its own country's rule."""
    origin = table.countries.get(ship_from.country)
    if origin is None or ship_from.country not in seller.nexus:
        return _NOBODY
    if buyer_id or category == GOODS:
        message = _OUTSIDE.format(tax=origin.jurisdiction.tax_name)
        return Decision("zero_rated", (origin.jurisdiction,), "Origin", Decimal(0), message)
    return Decision("taxed", (origin.jurisdiction,), "Origin")
