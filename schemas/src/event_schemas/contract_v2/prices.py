"""How a quantity becomes an amount, by value; unit prices are decimal strings in major units. Source: rule R5."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from event_schemas.contract_v2.parts import MOST_UNITS, Part, Units
from event_schemas.values import parse_decimal


def _price(text: str) -> str:
    parse_decimal(text)
    return text


PriceText = Annotated[str, AfterValidator(_price)]


class PerUnit(Part):
    """Every unit at one price."""

    scheme: Literal["per_unit"]
    unit_price: PriceText


class Tier(Part):
    """Units up to and including `up_to` (None: no bound); `flat_fee` once, when the tier is reached."""

    up_to: int | None = Field(None, strict=True, ge=1, le=MOST_UNITS)
    unit_price: PriceText
    flat_fee: PriceText = "0"


class Graduated(Part):
    """Each unit at the price of its own tier."""

    scheme: Literal["graduated"]
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=100)


class Volume(Part):
    """All units at the price of the tier that holds the total."""

    scheme: Literal["volume"]
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=100)


class Package(Part):
    """Started packs of `size` units; the first `free` units are not counted."""

    scheme: Literal["package"]
    size: int = Field(strict=True, ge=1, le=MOST_UNITS)
    pack_price: PriceText
    free: Units = 0


class Flat(Part):
    """One amount for the period, whatever the quantity, when it is above 0."""

    scheme: Literal["flat"]
    amount: PriceText


class Included(Part):
    """Counted and shown at 0: what another item pays for."""

    scheme: Literal["included"]


Price = Annotated[PerUnit | Graduated | Volume | Package | Flat | Included, Field(discriminator="scheme")]
