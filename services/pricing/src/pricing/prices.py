"""How a quantity becomes an amount: the price models as data. Unit prices are exact decimals in major units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Tier:
    """
    Units up to and including `up_to` (None: no bound) at this price.

    `flat_fee` is added once when the tier is reached: graduated by a unit that falls in it, volume by the total.
    """

    up_to: int | None
    unit_price: Decimal
    flat_fee: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Every unit at one price."""

    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit at the price of its own tier. Source: golden rule R5."""

    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the tier that holds the total; a bill may fall as usage grows. Source: R5."""

    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """Started packs of `size` units at `pack_price`; the first `free` units are not counted. Source: R5."""

    size: int
    pack_price: Decimal
    free: int = 0


@dataclass(frozen=True, slots=True)
class Flat:
    """One amount for the period, whatever the quantity, when it is above 0."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Included:
    """Counted and shown at 0: what another item pays for."""


Price = PerUnit | Graduated | Volume | Package | Flat | Included
