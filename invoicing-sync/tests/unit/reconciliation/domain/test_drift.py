"""The closed list of causes, each with its evidence."""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoicing_sync.reconciliation.domain.drift import Cause, Evidence, cause_of


def evidence(ledger: str, stripe: str, **changes: object) -> Evidence:
    return Evidence(Decimal(ledger), Decimal(stripe), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (evidence("10", "10"), None),
        (evidence("10", "10", not_pushed=Decimal(0), lately=True), None),
        (evidence("10", "8", not_pushed=Decimal(2), overdue=True), Cause.NOT_PUSHED),
        (evidence("10", "11", not_pushed=Decimal(-1), overdue=True), Cause.NOT_PUSHED),
        (evidence("10", "8", not_pushed=Decimal(2), waiting=True), Cause.STILL_SETTLING),
        (evidence("10", "8", not_pushed=Decimal(2), waiting=True, overdue=True), Cause.NOT_PUSHED),
        (evidence("10", "9", not_pushed=Decimal(2), waiting=True), Cause.STILL_SETTLING),
        (evidence("10", "9", refused=Decimal(1), not_pushed=Decimal(2), waiting=True), Cause.REFUSED),
        (evidence("10", "9", refused=Decimal(1)), Cause.REFUSED),
        (evidence("10", "9"), Cause.CANCELLED_OUTSIDE),
        (evidence("10", "11"), Cause.EXTRA_OUTSIDE),
        (evidence("10", "11", sent_again=(Decimal(1),)), Cause.COUNTED_TWICE),
        (evidence("10", "13", sent_again=(Decimal(1), Decimal(2), Decimal(5))), Cause.COUNTED_TWICE),
        (evidence("10", "14", sent_again=(Decimal(1), Decimal(2), Decimal(5))), Cause.EXTRA_OUTSIDE),
        (evidence("10", "9", lately=True), Cause.STILL_SETTLING),
        (evidence("10", "9", lately=True, refused=Decimal(1)), Cause.REFUSED),
        (evidence("10", "7", not_pushed=Decimal(2), refused=Decimal(1), overdue=True), Cause.NOT_PUSHED),
        (evidence("10", "6", not_pushed=Decimal(2), refused=Decimal(1), overdue=True), Cause.CANCELLED_OUTSIDE),
        (evidence("10", "9", not_pushed=Decimal(2), overdue=True), Cause.EXTRA_OUTSIDE),
    ],
)
def test_the_cause_follows_from_the_evidence(found: Evidence, cause: Cause | None) -> None:
    assert cause_of(found) == cause
