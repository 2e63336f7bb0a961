"""An effect too long unclear to be sent again: what the hourly summary says about it. Source: design rule 6."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class Verdict(StrEnum):
    """What the summary proves."""

    COUNTED = "counted"
    NOT_COUNTED = "not_counted"
    UNDECIDED = "undecided"  # neither sum fits: a case for a person


def judge(*, known: Decimal, value: Decimal, summed: Decimal) -> Verdict:
    """
    Compare Stripe's sum of one hour with and without the unclear value.

    Its lane stands still, so nothing else of that hour is on its way.

    Args:
        known: net of that hour's effects that Stripe is known to hold.
        value: the signed effect in question: of an adjustment, the value that it takes away.
        summed: Stripe's summary of that hour.
    """
    if value == 0:
        return Verdict.COUNTED  # nothing depends on it
    if summed == known + value:
        return Verdict.COUNTED
    if summed == known:
        return Verdict.NOT_COUNTED
    return Verdict.UNDECIDED
