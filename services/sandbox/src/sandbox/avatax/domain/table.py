"""The table of jurisdictions: who taxes what, from when, at which rate. Filled from `rates.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


class NoRate(Exception):
    """The table knows no rate of this jurisdiction on this day."""


@dataclass(frozen=True, slots=True)
class Taxability:
    """Which share of an amount a jurisdiction taxes, and at which rate where it is not its ordinary one."""

    share: Decimal
    rate: Decimal | None = None


ALL = Taxability(Decimal(1))
NONE = Taxability(Decimal(0))
NONTAXABLE = "nontaxable"  # the category of what nobody taxes


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """One authority. `type` is Country, State, County, City or Special; `rates` are (first day, rate), oldest first."""

    country: str
    region: str
    type: str
    code: str
    name: str
    tax_name: str
    tax_type: str  # Sales, or Output for VAT and GST
    rates: tuple[tuple[date, Decimal], ...]
    taxable: Mapping[str, Taxability]  # by category of tax code; what is not named is taxed whole

    def taxability(self, category: str) -> Taxability:
        """How this jurisdiction taxes a category."""
        return NONE if category == NONTAXABLE else self.taxable.get(category, ALL)

    def rate_on(self, day: date, category: str) -> Decimal:
        """The rate on a day. Raises NoRate before the first day that the table knows."""
        own = [rate for since, rate in self.rates if since <= day]
        if not own:
            raise NoRate(f"{self.name} on {day}")
        special = self.taxability(category).rate
        return own[-1] if special is None else special


@dataclass(frozen=True, slots=True)
class Place:
    """A city of the table, by the beginnings of its postal codes."""

    city: str
    postal: tuple[str, ...]
    locals: tuple[Jurisdiction, ...]
    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, slots=True)
class State:
    """A state of the US. Without `jurisdiction` it has no sales tax. `sst`: a Streamlined Sales Tax state."""

    code: str
    name: str
    postal: tuple[str, ...]
    jurisdiction: Jurisdiction | None
    places: tuple[Place, ...]
    sst: bool

    def place_of(self, postal: str) -> Place | None:
        """The city that a postal code belongs to; the longest beginning wins."""
        found = [(len(start), place) for place in self.places for start in place.postal if postal.startswith(start)]
        return max(found, key=lambda each: each[0])[1] if found else None

    def levels(self, postal: str) -> tuple[Jurisdiction, ...]:
        """All that tax at a postal code, the state first."""
        if self.jurisdiction is None:
            return ()
        place = self.place_of(postal)
        return (self.jurisdiction, *(place.locals if place else ()))


@dataclass(frozen=True, slots=True)
class Country:
    """A country with VAT or GST. `reverse_charge`: a business there accounts for what it buys from abroad."""

    code: str
    union: str  # EU, or empty
    jurisdiction: Jurisdiction
    reverse_charge: bool


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A system tax code and the category that the table knows it by."""

    code: str
    category: str
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """All of it."""

    states: Mapping[str, State]
    countries: Mapping[str, Country]
    tax_codes: Mapping[str, TaxCode]

    def nexus_codes(self) -> frozenset[str]:
        """What a company can declare nexus in: `US-NY`, `DE`."""
        return frozenset({f"US-{code}" for code in self.states} | set(self.countries))
