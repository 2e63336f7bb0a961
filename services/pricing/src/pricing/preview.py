"""What a change would do to the money, before it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from event_schemas.values import Money
from pricing.engine import expected_invoice
from pricing.lines import Invoice, Kind, Line
from pricing.terms import NO_TAX, Taxes, Terms
from pricing.usage import NOTHING_BEFORE, BilledBefore, Used

PRORATIONS = (Kind.PRORATION_CREDIT, Kind.PRORATION_DEBIT)


@dataclass(frozen=True, slots=True)
class Change:
    """Terms as they are and as they would be."""

    before: Terms
    after: Terms


@dataclass(frozen=True, slots=True)
class Preview:
    """The next invoice without and with a change. `proration` is what the change itself adds for the open period."""

    before: Invoice
    after: Invoice
    proration: tuple[Line, ...]

    @property
    def total_difference(self) -> Money:
        """By how much the next invoice's total changes."""
        return self.after.total - self.before.total


def preview(
    change: Change,
    billing_day: datetime,
    usage: Iterable[Used] = (),
    billed_before: BilledBefore = NOTHING_BEFORE,
    *,
    taxes: Taxes = NO_TAX,
) -> Preview:
    """
    Rate the next billing day twice, with the usage so far, and say what differs. Nothing is remembered.

    Raises:
        ValueError: as `expected_invoice`.
    """
    used = tuple(usage)
    before = expected_invoice(change.before, billing_day, used, billed_before, taxes=taxes)
    after = expected_invoice(change.after, billing_day, used, billed_before, taxes=taxes)
    there = Counter(_key(line) for line in before.lines if line.kind in PRORATIONS)
    added = []
    for line in after.lines:
        if line.kind not in PRORATIONS:
            continue
        if there[_key(line)]:
            there[_key(line)] -= 1
        else:
            added.append(line)
    return Preview(before, after, tuple(added))


def _key(line: Line) -> tuple[str, Kind, datetime | None, int]:
    return line.item, line.kind, line.at, line.amount.minor
