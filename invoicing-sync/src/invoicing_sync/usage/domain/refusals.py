"""
Which numbered assumptions about Stripe the refusal of a usage call speaks against; see assumptions/domain/catalogue.py.

`in_doubt`: an earlier call for the same effect had no answer, or a 5xx, so Stripe may have carried it out.
"""

from __future__ import annotations

from decimal import Decimal

INVALID_VALUE = "meter_event_invalid_value"
# Refusals with a reason of their own, which say nothing of what Stripe knew before. Source: the SDK's list of codes.
_OWN_REASON = frozenset(
    {
        INVALID_VALUE,
        "archived_meter",
        "meter_event_customer_not_found",
        "meter_event_dimension_count_too_high",
        "meter_event_no_customer_defined",
        "meter_event_value_not_found",
        "meter_event_value_too_many_digits",
        "missing_dimension_payload_keys",
        "no_meter",
        "timestamp_in_future",
        "timestamp_too_far_in_past",
    }
)


def of_event(code: str, value: Decimal, *, in_doubt: bool) -> tuple[str, ...]:
    """
    A meter event was refused, and not as one that Stripe has already.

    A value with decimals that is called invalid: A22. One that may have been counted before, and no reason of its own:
    A19, since what is known already is expected to be called so.
    """
    if code == INVALID_VALUE and value != value.to_integral_value():
        return ("A22",)
    return ("A19",) if in_doubt and code not in _OWN_REASON else ()


def of_cancelling(code: str, *, in_doubt: bool) -> tuple[str, ...]:
    """
    An adjustment was refused, and not as one that was made already.

    The event was delivered, so where Stripe does not find it any more the earlier call has cancelled it: A21, and the
    adjustment is taken as made. Any other refusal, such as that of an event older than a day, does not say so.
    """
    return ("A21",) if in_doubt and code == "resource_missing" else ()
