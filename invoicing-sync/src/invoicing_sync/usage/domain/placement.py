"""Where an entry belongs when it arrives: its period, and whether it may be a meter event at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from event_schemas.times import Period, period_containing
from invoicing_sync.usage.domain.states import Correction


@dataclass(frozen=True, slots=True)
class Placement:
    """The period of an entry's `effective_at`, and why it is a correction (None: a meter event)."""

    period: Period
    correction: Correction | None


def freeze_at(period_end: datetime, freeze_after: timedelta) -> datetime:
    """The business instant from which a period takes no more entries. Source: design rule 8."""
    return period_end + freeze_after


def place(
    *,
    billing_anchor: datetime,
    billed_from: datetime,
    effective_at: datetime,
    recorded_at: datetime,
    freeze_after: timedelta,
) -> Placement:
    """
    Place one entry of the ledger.

    It depends on what rating wrote and on nothing that happens here, so that every reader comes to the same answer:
    recorded before the freeze is a meter event, recorded at the freeze or later is a correction, of either sign.

    Args:
        billed_from: start of the first period whose usage Stripe bills; before it nothing has an invoice to be on.

    Source: design rules 7 and 8.
    """
    period = period_containing(billing_anchor, effective_at)
    if billed_from <= effective_at < billing_anchor:
        period = Period(billed_from, billing_anchor)  # a trial, whose usage is billed when it ends
    if effective_at < billed_from:
        return Placement(period, Correction.BEFORE_BILLING_ANCHOR)
    if recorded_at >= freeze_at(period.end, freeze_after):
        return Placement(period, Correction.AFTER_FREEZE)
    return Placement(period, None)
