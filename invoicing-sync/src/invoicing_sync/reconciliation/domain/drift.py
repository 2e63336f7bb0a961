"""The cause of a difference between our ledger and Stripe's summary, from a closed list, by evidence."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Cause(StrEnum):
    """Why Stripe's number of one customer, meter and day is another than the ledger's."""

    NOT_PUSHED = "not_pushed"  # we should have sent it, or have no answer yet
    REFUSED = "refused"  # Stripe took it and does not count it, or refused it
    CANCELLED_OUTSIDE = "cancelled_outside"  # delivered by us, and less there than we delivered
    EXTRA_OUTSIDE = "extra_outside"  # more there than we ever sent
    COUNTED_TWICE = "counted_twice"  # more there, by what we had to send more than once
    STILL_SETTLING = "still_settling"  # time may mend it: Stripe is summing, work waits its turn, or numbers moved


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What is known of one customer, meter and UTC day; all values are signed sums of quantities.

    `lately` is true when something of that day was delivered within the settle delay, `waiting` when something is not
    pushed and not overdue, `overdue` when something is not pushed although it should be. `sent_again` holds the value
    of each delivery that took more than one call.
    """

    ledger: Decimal
    stripe: Decimal
    not_pushed: Decimal = Decimal(0)
    refused: Decimal = Decimal(0)
    lately: bool = False
    waiting: bool = False
    overdue: bool = False
    sent_again: tuple[Decimal, ...] = ()

    @property
    def difference(self) -> Decimal:
        """Stripe's number less the ledger's."""
        return self.stripe - self.ledger


def cause_of(evidence: Evidence) -> Cause | None:
    """
    The cause of the difference, None when there is none.

    What our own rows explain comes first, whole sums before parts; then what time may still mend; what is left was
    done by someone else. A difference with two causes is named by the one that explains more of it first. What is not
    pushed is a finding only where it is overdue: the rest waits its turn in a lane.
    """
    difference = evidence.difference
    if difference == 0:
        return None
    if evidence.refused != 0 and difference == -evidence.refused:
        return Cause.REFUSED
    if evidence.overdue and difference in (-evidence.not_pushed, -(evidence.not_pushed + evidence.refused)):
        return Cause.NOT_PUSHED
    if evidence.lately or evidence.waiting:
        return Cause.STILL_SETTLING
    rest = difference + evidence.not_pushed + evidence.refused
    if rest > 0:
        return Cause.COUNTED_TWICE if _sums_to(evidence.sent_again, rest) else Cause.EXTRA_OUTSIDE
    return Cause.CANCELLED_OUTSIDE


def _sums_to(values: tuple[Decimal, ...], target: Decimal, *, most: int = 64) -> bool:
    """Whether some of the values add up to the target; with very many values only their whole sum is tried."""
    if len(values) > most:
        return sum(values, Decimal(0)) == target
    reachable = {Decimal(0)}
    for value in values:
        reachable |= {have + value for have in reachable if abs(have + value) <= abs(target) * 2}
        if target in reachable:
            return True
    return False
