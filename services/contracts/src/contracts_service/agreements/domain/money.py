"""What a change would do to the money: the next invoice that it touches, without it and with it, by the one engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count, takewhile

from event_schemas.contract_v2 import ContractV2
from event_schemas.times import month_after, period_containing
from event_schemas.values import Money
from pricing.agreed import terms_of
from pricing.engine import expected_invoice
from pricing.lines import Line
from pricing.preview import Change, preview
from pricing.usage import BilledBefore


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The invoice of `billing_day` without tax and usage. `proration` is what the change itself adds to it."""

    billing_day: datetime
    before: Money
    after: Money
    proration: tuple[Line, ...]
    lines: tuple[Line, ...]


def foresee(before: ContractV2 | None, after: ContractV2) -> Foreseen:
    """
    The first invoice that the newest revision of a contract touches; `before` None: there was none.

    Nothing is known here of usage and of what was billed: it is taken that nothing was used, and that each billing day
    before had its invoice, which is what a discount by count of invoices counts.
    """
    anchor = after.billing_anchor
    day = _billing_day(anchor, after.history[-1].effective_at)
    days = takewhile(lambda earlier: earlier < day, (month_after(anchor, number) for number in count()))
    billed = BilledBefore(invoice_days=tuple(days))
    terms = terms_of(after)
    if before is None:
        first = expected_invoice(terms, day, billed_before=billed)
        return Foreseen(day, Money(0, after.currency), first.total, (), first.lines)
    found = preview(Change(terms_of(before), terms), day, billed_before=billed)
    return Foreseen(day, found.before.total, found.after.total, found.proration, found.after.lines)


def _billing_day(anchor: datetime, at: datetime) -> datetime:
    """The billing day on which a change of an instant is billed: that instant where it is one, else the next one."""
    if at <= anchor:
        return month_after(anchor, 0)
    period = period_containing(anchor, at)
    return period.start if period.start == at else period.end
