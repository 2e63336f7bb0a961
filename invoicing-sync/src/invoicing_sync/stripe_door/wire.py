"""What the door reads of Stripe's objects and what it writes: plain values, no SDK type leaves this folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """One meter event; `value` is signed, `at` is cut to whole seconds on the wire."""

    identifier: str
    event_name: str
    stripe_customer: str
    value: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """
    One line; `price` is the price's id, `amount_minor` before tax and after item discounts.

    `natural_key` is the key of an invoice item of ours; None on all other lines. `loose` tells an invoice item, of
    whoever, from what a subscription's item makes.
    """

    line_id: str
    price: str | None
    amount_minor: int
    quantity: Decimal
    description: str
    period_start: datetime
    period_end: datetime
    proration: bool
    natural_key: str | None = None
    loose: bool = False
    discounted_minor: int = 0  # what discounts take off it; known of lines that were just read


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice's state and lines; `lines_complete` is false when Stripe cut the list."""

    invoice_id: str
    stripe_customer: str
    subscription: str | None
    billing_reason: str
    status: str
    number: str | None
    currency: str
    period_start: datetime
    period_end: datetime
    subtotal_minor: int
    total_minor: int
    due_minor: int  # what is to be collected: the total less the customer's balance
    credited_minor: int  # by credit notes, before and after payment
    auto_advance: bool
    collection_method: str
    lines: tuple[InvoiceLine, ...]
    lines_complete: bool
    remaining_minor: int = 0  # of what is due, what is not paid

    @property
    def left_minor(self) -> int:
        """What credit notes may still take."""
        return self.total_minor - self.credited_minor


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription with the end of the period that its items are in now; `items` are (price id, quantity)."""

    subscription_id: str
    customer: str
    current_period_start: datetime
    current_period_end: datetime
    latest_invoice: str | None
    items: tuple[tuple[str, int | None], ...]  # a metered item has no quantity


@dataclass(frozen=True, slots=True)
class Event:
    """An event as Stripe lists it; a thin one without its data, as a webhook brings it."""

    event_id: str
    type: str
    created: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MeterProblem:
    """One error code of a thin error report, with samples of the identifiers concerned."""

    meter: str | None
    code: str
    count: int
    samples: tuple[tuple[str, str], ...]  # (identifier, Stripe's sentence)


@dataclass(frozen=True, slots=True)
class Summary:
    """Stripe's sum of one window of a meter and customer."""

    start: datetime
    end: datetime
    value: Decimal
