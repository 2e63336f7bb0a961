"""The states of a delivery, and which of them still want something done."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """
    Where one intended effect stands.

    waiting_for_contract, waiting_for_charge -> pending -> in_flight -> delivered | refused
    pending -> netted | correction; in_flight -> unclear -> in_flight; delivered -> cancelled | refused
    """

    WAITING_FOR_CONTRACT = "waiting_for_contract"  # no contract of the customer has been applied yet
    WAITING_FOR_CHARGE = "waiting_for_charge"  # a reversal that came before its charge
    PENDING = "pending"  # nothing has been sent
    IN_FLIGHT = "in_flight"  # the intent is stored; the call may or may not have been made
    UNCLEAR = "unclear"  # a call was made and no answer came: it stops its lane
    DELIVERED = "delivered"  # Stripe answered 2xx, or that it knows the identifier already
    REFUSED = "refused"  # Stripe does not count it: refused at once, or named in an error report
    NETTED = "netted"  # charge and reversal met before either was sent, or the charge was refused
    CANCELLED = "cancelled"  # a delivered charge that an adjustment took out again
    CORRECTION = "correction"  # never a meter event: settled outside Stripe's metering


OPEN = frozenset({State.PENDING, State.IN_FLIGHT, State.UNCLEAR})
MAYBE_SENT = frozenset({State.IN_FLIGHT, State.UNCLEAR})


class Correction(StrEnum):
    """Why an entry is a correction and never a meter event."""

    AFTER_FREEZE = "after_freeze"  # recorded when its period was frozen already
    TOO_OLD = "too_old"  # older than Stripe takes (35 days) before it could be sent
    BEFORE_BILLING_ANCHOR = "before_billing_anchor"  # no billed period holds it
    CHARGE_IS_CORRECTION = "charge_is_correction"  # the charge that it reverses never went to Stripe
