"""What was used and what was billed before: the facts that the engine is given beside the terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from event_schemas.times import MICROSECOND, Period

if TYPE_CHECKING:
    from pricing.corrections import Correction
    from pricing.lines import Invoice


@dataclass(frozen=True, slots=True)
class Used:
    """
    Units of a meter whose `effective_at` lies in `span`: charged, and reversed again; both are 0 or more.

    One entry, or the sums over a part of a period in which the meter's terms do not change (`usage_spans`).
    """

    meter: str
    span: Period
    charged: Decimal
    reversed: Decimal = Decimal(0)


def used_at(meter: str, instant: datetime, charged: Decimal, reversed_: Decimal = Decimal(0)) -> Used:
    """One entry of the ledger."""
    return Used(meter, Period(instant, instant + MICROSECOND), charged, reversed_)


@dataclass(frozen=True, slots=True)
class BilledBefore:
    """
    What earlier invoices left: who keeps it, keeps it per customer.

    Attributes:
        invoice_days: billing days of the finalised invoices; discounts by count of invoices count these.
        customer_credit: minor units that pay later invoices after tax.
        prepaid_drawn: minor units that each prepaid credit has paid so far.
        owed: positive corrections of earlier periods that are on no invoice yet.
    """

    invoice_days: tuple[datetime, ...] = ()
    customer_credit: int = 0
    prepaid_drawn: Mapping[str, int] = field(default_factory=dict)
    owed: tuple[Correction, ...] = ()

    def plus(self, invoice: Invoice) -> BilledBefore:
        """What the next invoice finds once this one is finalised; corrections that stand on it are no longer owed."""
        return BilledBefore(
            invoice_days=(*self.invoice_days, invoice.billing_day),
            customer_credit=invoice.customer_credit_after.minor,
            prepaid_drawn=Counter(self.prepaid_drawn) + Counter(invoice.drawn),
        )

    def reopened(self, invoice: Invoice, *, drawn_by_now: Mapping[str, int]) -> BilledBefore:
        """
        What a closed period finds when it is rated again: the same, but of each prepaid credit what it drew itself and
        what nobody has drawn by now. So a late unit cannot be paid by money that a later invoice has spent.

        `self` is what the invoice was rated with, `invoice` how the period stands now, `drawn_by_now` in all invoices.
        """
        elsewhere = {key: drawn - invoice.drawn.get(key, 0) for key, drawn in drawn_by_now.items()}
        return BilledBefore(self.invoice_days, self.customer_credit, elsewhere, self.owed)


NOTHING_BEFORE = BilledBefore()
