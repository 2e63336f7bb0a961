"""What is agreed beside the items: discounts, commitments, minimums, allowances, limits, credits, alerts, the trial."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from event_schemas.contract_v2.parts import Amount, Dated, KeyText, Part, Revision, Units, UnitsFrom, VersionText
from event_schemas.contract_v2.prices import PriceText
from event_schemas.contracts import SlugText
from event_schemas.times import Instant
from event_schemas.values import Currency


class Discount(Dated):
    """
    Percent or amount off one item, or off the whole invoice, on billing days in its life.

    Without `invoices` and `until` it holds for ever; with `invoices` for that many finalised ones. Source: rule R6.
    """

    scope: Literal["item", "invoice"]
    item: KeyText | None = None
    percent: PriceText | None = None
    amount: Amount | None = None
    invoices: int | None = Field(None, strict=True, ge=1, le=1200)


class Commitment(Dated):
    """
    Units of a meter paid for in each period, used or not; `ramp` says how many, from billing day to billing day.

    `advance` pays for the period that starts, `arrears` for the one that ended, whole; `shortfall`, in arrears too,
    shows what was used at the committed price and the rest as a shortfall. Source: golden rule R7.
    """

    meter: SlugText
    unit_price: PriceText
    currency: Currency
    bill: Literal["advance", "arrears", "shortfall"]
    ramp: tuple[UnitsFrom, ...] = Field(min_length=1)
    price_version: VersionText


class Minimum(Dated):
    """What a meter's items come to at least in each period, after their discounts. Source: golden rule R7."""

    meter: SlugText
    amount: Amount


class Allowance(Dated):
    """Units of a meter that cost nothing in each period; neither prorated nor carried over. Source: golden rule R7."""

    meter: SlugText
    quantity: Units


class HardLimit(Dated):
    """Units of a meter charged at most in a period; what is above is recorded, not charged. Source: golden rule R7."""

    meter: SlugText
    quantity: Units


class Alert(Dated):
    """Units of a meter in a period at which somebody is told, once each."""

    meter: SlugText
    thresholds: tuple[Annotated[int, Field(strict=True, ge=1, le=10**12)], ...] = Field(min_length=1, max_length=20)


class PrepaidCredit(Dated):
    """Money paid ahead that pays metered items (`items` None: all) until it expires. Source: golden rule R10."""

    amount: Amount
    items: tuple[KeyText, ...] | None = Field(None, min_length=1)


class TrialAllowance(Part):
    """Units of a meter that the trial includes."""

    key: KeyText
    meter: SlugText
    quantity: Units


class Trial(Part):
    """Licensed items cost nothing in it, and its allowances alone hold; it ends on the billing anchor. Source: G15."""

    start: Instant = Field(alias="from")
    until: Instant
    allowances: tuple[TrialAllowance, ...] = ()


class FreeMeter(Part):
    """A meter that is counted and on no invoice, ever. One that is free for a time has an item `included` instead."""

    meter: SlugText
    agreed_in: Revision
