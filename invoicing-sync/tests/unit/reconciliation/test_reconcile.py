"""What moves while Stripe is read proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from invoicing_sync.reconciliation.domain.drift import Cause, Evidence
from invoicing_sync.reconciliation.reconcile import differences, unmoved

FIRST, SECOND = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)


def test_a_difference_is_a_finding_only_where_our_own_rows_stood_still() -> None:
    ours = Evidence(Decimal(10), Decimal(0), not_pushed=Decimal(3), overdue=True)
    found = differences("acme", "resolution", {day: replace(ours, stripe=Decimal(8)) for day in (FIRST, SECOND)})
    assert [drift.cause for drift in found] == [Cause.EXTRA_OUTSIDE, Cause.EXTRA_OUTSIDE]

    before = {FIRST: ours, SECOND: ours}
    after = {FIRST: ours, SECOND: replace(ours, not_pushed=Decimal(2))}  # one was sent in between

    assert [drift.cause for drift in unmoved(found, before=before, after=after)] == [
        Cause.EXTRA_OUTSIDE,
        Cause.STILL_SETTLING,
    ]
