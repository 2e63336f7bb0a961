"""What comes out: an invoice, its lines, each with its why, and the account of the entries behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from event_schemas.times import Period
from event_schemas.values import Money
from pricing.amounts import major

ZERO = Decimal(0)


class Kind(StrEnum):
    """The kinds of lines of the golden file."""

    ADVANCE = "advance"
    USAGE = "usage"
    INCLUDED = "included"
    COMMITMENT = "commitment"
    OVERAGE = "overage"
    SHORTFALL = "shortfall"
    PRORATION_CREDIT = "proration_credit"
    PRORATION_DEBIT = "proration_debit"
    DISCOUNT = "discount"
    CREDIT_DRAWDOWN = "credit_drawdown"
    PRIOR_PERIOD = "prior_period"


@dataclass(frozen=True, slots=True)
class Why:
    """
    The reason of a line: the clause it follows, where its quantity comes from, which price, and how it was reckoned.

    `exact` is the result of `formula` in major units, before the one rounding.
    """

    clause: str
    quantity: str
    formula: str
    exact: Decimal
    price_version: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands behind a metered line's quantity. Source: golden rules R7 and R8."""

    gross: Decimal
    reversed: Decimal
    not_billed: Decimal = ZERO
    capped_at: int | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """The part of a term that is left: microseconds, or days where the contract prorates by day."""

    left: int
    whole: int


class CoveredBy(StrEnum):
    """What lets units of an `included` line cost nothing."""

    ALLOWANCE = "allowance"
    COMMITMENT = "commitment"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `period` is what it is for; what a kind does not have is None."""

    item: str
    kind: Kind
    amount: Money
    period: Period
    why: Why
    meter: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    tier: str = ""
    packs: int | None = None
    at: datetime | None = None
    factor: Factor | None = None
    counts: Counts | None = None
    covered_by: CoveredBy | None = None
    percent: Decimal | None = None
    base: Money | None = None
    whole_invoice: bool = False
    minimum: Money | None = None

    @property
    def rounding(self) -> str:
        """How the exact amount became minor units."""
        if major(self.amount) == self.why.exact:
            return "exact"
        return f"{self.why.exact:.12f}".rstrip("0") + f" rounded half away from zero to {self.amount}"


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One rate on its base; `period` where it belongs to a correction of an earlier one."""

    name: str
    percent: Decimal
    base: Money
    rounding: str
    amount: Money
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class MeterAccount:
    """
    Where every unit of a meter in the period that ended went. Nothing that was charged vanishes.

    charged - reversed = on_lines + in_price + in_allowance + in_commitment + under_cap + free + unpriced.
    """

    meter: str
    charged: Decimal
    reversed: Decimal
    on_lines: Decimal = ZERO  # usage and overage lines
    in_price: Decimal = ZERO  # let go by the price itself: free units of a package, an included meter
    in_allowance: Decimal = ZERO
    in_commitment: Decimal = ZERO
    under_cap: Decimal = ZERO  # above a hard limit: recorded, not charged
    free: Decimal = ZERO  # declared free
    unpriced: Decimal = ZERO  # no item prices it at its instant: hold the invoice
    unpriced_in: tuple[Period, ...] = ()

    @property
    def net(self) -> Decimal:
        """Units that must be somewhere."""
        return self.charged - self.reversed

    @property
    def told(self) -> Decimal:
        """Units that are somewhere."""
        return (
            self.on_lines
            + self.in_price
            + self.in_allowance
            + self.in_commitment
            + self.under_cap
            + self.free
            + self.unpriced
        )


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    What one billing day asks for. Amounts in minor units of one currency.

    `drawn` is what each prepaid credit paid here, in minor units. `total` may be negative: then `amount_due` is 0 and
    the rest becomes customer credit. `payable` is what a card can pay, `payment_rounding` its distance to `amount_due`.
    """

    billing_day: datetime
    ended: Period
    starts: Period
    lines: tuple[Line, ...]
    net: Money
    tax: tuple[TaxRow, ...]
    total: Money
    balance_applied: Money
    amount_due: Money
    customer_credit_after: Money
    payable: Money
    payment_rounding: Money
    drawn: Mapping[str, int]
    account: tuple[MeterAccount, ...]

    @property
    def unpriced(self) -> tuple[MeterAccount, ...]:
        """Meters with units that no item prices: an invoice with any must be held."""
        return tuple(meter for meter in self.account if meter.unpriced)
