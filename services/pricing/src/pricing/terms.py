"""
What a contract says about money over time: values that explain themselves, without a catalogue.

Instants are aware and in UTC; a span is half-open, `start` in it and `until` not, None being no bound. Prices are exact
decimals in major units of the contract's currency. `contradictions` tells what cannot be meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from event_schemas.values import Currency, Money
from pricing.prices import Price


class Spanned(Protocol):
    """A clause with a life of its own."""

    @property
    def start(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...


def in_force(clause: Spanned, instant: datetime) -> bool:
    """Whether an instant lies in the clause's life."""
    return (clause.start is None or clause.start <= instant) and (clause.until is None or instant < clause.until)


@dataclass(frozen=True, slots=True)
class QuantityFrom:
    """A quantity that holds from an instant until the next one of its timeline."""

    at: datetime
    quantity: int


def quantity_at(timeline: Sequence[QuantityFrom], instant: datetime) -> int:
    """The quantity of a timeline at an instant; 0 before its first entry."""
    return next((entry.quantity for entry in reversed(timeline) if entry.at <= instant), 0)


class Rhythm(StrEnum):
    """How long a licensed item is paid ahead."""

    MONTH = "month"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Length of a term."""
        return 1 if self is Rhythm.MONTH else 12


@dataclass(frozen=True, slots=True)
class Licensed:
    """
    An item paid in advance for a number of seats or units, which changes over time.

    Terms of a yearly item are counted from `term_anchor`, a billing day; None: the start of the billing period in which
    the item begins, the end of the trial if that is later.
    """

    key: str
    price: Price
    quantities: tuple[QuantityFrom, ...]
    start: datetime
    until: datetime | None = None
    rhythm: Rhythm = Rhythm.MONTH
    term_anchor: datetime | None = None
    price_version: str = ""

    def quantity_at(self, instant: datetime) -> int:
        """Seats at an instant; 0 outside the item's life."""
        return quantity_at(self.quantities, instant) if in_force(self, instant) else 0


@dataclass(frozen=True, slots=True)
class Metered:
    """An item billed in arrears for the entries of a meter whose `effective_at` lies in the item's own life."""

    key: str
    meter: str
    price: Price
    start: datetime
    until: datetime | None = None
    price_version: str = ""


Item = Licensed | Metered


class Scope(StrEnum):
    """What a discount is taken from."""

    ITEM = "item"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True)
class Discount:
    """
    Percent or amount off one item, or off the whole invoice; on invoices whose billing day lies in its life.

    With `invoices` it holds for that many finalised invoices from `start` on. Source: golden rule R6.
    """

    key: str
    scope: Scope
    item: str | None = None
    percent: Decimal | None = None
    amount: Money | None = None
    start: datetime | None = None
    until: datetime | None = None
    invoices: int | None = None


class CommitmentBilling(StrEnum):
    """When a commitment is paid, and what its line shows."""

    ADVANCE = "advance"  # whole, for the period that starts
    ARREARS = "arrears"  # whole, for the period that ended
    SHORTFALL = "shortfall"  # used units as usage at the committed price, the rest as a shortfall; in arrears


@dataclass(frozen=True, slots=True)
class Commitment:
    """Units of a meter paid for in each period, used or not; `ramp` begins on billing days. Source: golden rule R7."""

    key: str
    meter: str
    unit_price: Decimal
    currency: Currency
    ramp: tuple[QuantityFrom, ...]
    bill: CommitmentBilling
    until: datetime | None = None
    price_version: str = ""

    @property
    def start(self) -> datetime:
        """When the ramp begins."""
        return self.ramp[0].at

    def quantity_at(self, instant: datetime) -> int:
        """Units committed for the period that starts at an instant."""
        return quantity_at(self.ramp, instant) if in_force(self, instant) else 0


@dataclass(frozen=True, slots=True)
class Minimum:
    """What a meter's items come to at least in each period, after line discounts. Source: golden rule R7."""

    key: str
    meter: str
    amount: Money
    start: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Units of a meter that cost nothing in each period; not prorated, not carried over. Source: golden rule R7."""

    key: str
    meter: str
    quantity: int
    start: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HardLimit:
    """Units of a meter charged at most in a period; further ones are recorded, not charged. Source: golden rule R7."""

    key: str
    meter: str
    quantity: int
    start: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrepaidCredit:
    """Money paid ahead that pays metered items (None: all) until it expires. Source: golden rule R10."""

    key: str
    amount: Money
    items: tuple[str, ...] | None = None
    start: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """
    Licensed items cost nothing in it; its allowances are the only ones. It ends on the billing anchor.

    What its metered items come to above the allowances is billed at its end. Source: golden rule R7, case G15.
    """

    start: datetime
    until: datetime
    allowances: tuple[Allowance, ...] = ()


class Proration(StrEnum):
    """How the part of a term that is left is measured. Source: golden rule R3."""

    SECOND = "second"
    DAY = "day"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One rate, on the items named (None: every line). `percent` 0 says so on the invoice."""

    name: str
    percent: Decimal
    items: tuple[str, ...] | None = None


class TaxRounding(StrEnum):
    """Where tax is rounded. Source: golden rule R11."""

    INVOICE = "invoice"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Taxes:
    """The tax slot: rates found elsewhere, given to the engine as they are."""

    rates: tuple[TaxRate, ...] = ()
    rounding: TaxRounding = TaxRounding.INVOICE


NO_TAX = Taxes()


@dataclass(frozen=True, slots=True)
class Terms:
    """All that one contract says about money. Periods are months counted from `billing_anchor`."""

    currency: Currency
    billing_anchor: datetime
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    minimums: tuple[Minimum, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    limits: tuple[HardLimit, ...] = ()
    prepaid: tuple[PrepaidCredit, ...] = ()
    free_meters: tuple[str, ...] = ()  # counted and, as agreed, on no invoice
    trial: Trial | None = None
    proration: Proration = Proration.SECOND
    card_step: int = 1  # minor units in which a payment can be made. Source: golden rule R12

    @property
    def licensed(self) -> tuple[Licensed, ...]:
        """The licensed items, in the contract's order."""
        return tuple(item for item in self.items if isinstance(item, Licensed))

    @property
    def metered(self) -> tuple[Metered, ...]:
        """The metered items, in the contract's order."""
        return tuple(item for item in self.items if isinstance(item, Metered))
