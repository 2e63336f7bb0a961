"""
A contract's prices as Stripe can say them. Amounts in major units.

    per unit     one amount for a unit
    graduated    tiers, each with a unit price and a flat fee
    volume       likewise, by the total
    package      one amount for a pack: the quantity divided and rounded up before it is priced
    flat         one tier without a bound, its unit price 0, with a flat fee
    included     per unit at 0

An object at Stripe is named by its content, so that other content is another object and none is ever edited.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from event_schemas.contract_v2 import prices
from event_schemas.values import Currency, decimal_text

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class StripeTier:
    """Units up to and including `up_to` (None: no bound), and a fee for reaching the tier."""

    up_to: int | None
    unit_price: Decimal
    flat_fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class StripePrice:
    """
    A recurring price. `per_unit` has one tier, without a bound and without a fee.

    Attributes:
        kind: `usage` of a meter, or `advance` for what is paid ahead.
        name: the meter, or the product that is paid ahead.
        pack: units in a pack; 1 prices each unit.
        twin: which of several items of one contract with this price it serves: Stripe takes a price once only.
    """

    kind: Literal["usage", "advance"]
    name: str
    currency: Currency
    mode: Literal["per_unit", "graduated", "volume"]
    tiers: tuple[StripeTier, ...]
    interval: Literal["month", "year"] = "month"
    pack: int = 1
    twin: int = 0

    @property
    def lookup_key(self) -> str:
        """What names it at Stripe, from its content."""
        return f"settled.{self.kind}.{self.name}.{self.currency.value.lower()}.{digest(self._content())}"

    @property
    def product(self) -> str:
        """The id of its product at Stripe."""
        return f"settled-{self.kind}-{self.name}"

    def _content(self) -> list[object]:
        tiers = [[tier.up_to, decimal_text(tier.unit_price), *_fee(tier)] for tier in self.tiers]
        more = [word for word in (f"pack {self.pack}" if self.pack > 1 else "", self._rhythm(), self._twin()) if word]
        if self.kind == "advance" and self.mode == "per_unit" and not more:
            return [tiers[0][1]]  # as the keys of contracts of version 1 are made
        return [self.mode, tiers, *more]

    def _rhythm(self) -> str:
        return "year" if self.interval == "year" else ""

    def _twin(self) -> str:
        return f"twin {self.twin}" if self.twin else ""

    def __str__(self) -> str:
        """For people, such as `0.99 USD per unit`."""
        every = " a year" if self.interval == "year" else ""
        if self.mode == "per_unit":
            per = "per unit" if self.pack == 1 else f"per started pack of {self.pack:,}"
            return f"{decimal_text(self.tiers[0].unit_price)} {self.currency.value} {per}{every}"
        return f"{self.mode} in {self.currency.value}{every}: " + ", ".join(map(_said, self.tiers))


def _fee(tier: StripeTier) -> list[str]:
    return [decimal_text(tier.flat_fee)] if tier.flat_fee else []


def _said(tier: StripeTier) -> str:
    fee = f" and {decimal_text(tier.flat_fee)}" if tier.flat_fee else ""
    return f"{decimal_text(tier.unit_price)}{fee} {'above' if tier.up_to is None else f'up to {tier.up_to:,}'}"


def shape_of(price: prices.Price) -> tuple[Literal["per_unit", "graduated", "volume"], tuple[StripeTier, ...], int]:
    """
    The mode, the tiers and the units of a pack by which Stripe says a price.

    Raises:
        ValueError: Stripe has no word for it, see `ways.no_scheme`.
    """
    match price:
        case prices.PerUnit():
            return "per_unit", (StripeTier(None, Decimal(price.unit_price)),), 1
        case prices.Graduated() | prices.Volume():
            tiers = tuple(StripeTier(t.up_to, Decimal(t.unit_price), Decimal(t.flat_fee)) for t in price.tiers)
            return price.scheme, tiers, 1
        case prices.Package(free=0):
            return "per_unit", (StripeTier(None, Decimal(price.pack_price)),), price.size
        case prices.Flat():
            return "graduated", (StripeTier(None, ZERO, Decimal(price.amount)),), 1
        case prices.Included():
            return "per_unit", (StripeTier(None, ZERO),), 1
        case _:
            raise ValueError("a package with free units: Stripe's packages count from the first unit")


def digest(content: object) -> str:
    """A short name of a content that JSON can write."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
