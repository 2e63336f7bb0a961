"""What a new subscription says of time: when it begins, and from when its months count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from event_schemas.values import Currency
from invoicing_sync.contracts.domain.plan.operations import MakeSubscription, NewItem
from invoicing_sync.contracts.domain.plan.prices import StripePrice, StripeTier
from invoicing_sync.stripe_door.planned_objects import to_wire_new_subscription

OCTOBER, DECEMBER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
SIXTH = DECEMBER + timedelta(days=5)
SEAT = StripePrice("advance", "seat", Currency.USD, "per_unit", (StripeTier(None, Decimal(39)),))
TIMES = ("backdate_start_date", "billing_cycle_anchor", "trial_end", "proration_behavior")


def said(
    now: datetime, *, anchor: datetime, begins: datetime | None = None, trial_end: datetime | None = None
) -> dict[str, Any]:
    what = MakeSubscription((NewItem("seat", SEAT, 3, anchor),), anchor, begins, trial_end, 30)
    prices = {SEAT.lookup_key: "price_1"}
    params = to_wire_new_subscription(
        what, customer="acme", stripe_customer="cus_1", currency=Currency.USD, prices=prices, now=now
    )
    return {name: params[name] for name in TIMES if name in params}


def test_behind_its_anchor_it_begins_with_the_running_month_and_counts_from_that_months_end() -> None:
    """Without an anchor Stripe would count months from the sixth, and no invoice would be of a billing day."""
    found = said(SIXTH, anchor=OCTOBER, begins=DECEMBER)

    assert found == {
        "backdate_start_date": 1796083200,  # 1 December
        "billing_cycle_anchor": 1798761600,  # 1 January
        "proration_behavior": "none",
    }


def test_ahead_of_its_anchor_at_it_and_on_trial() -> None:
    ahead, at, trial = (
        said(SIXTH, anchor=DECEMBER + timedelta(days=14)),
        said(DECEMBER, anchor=DECEMBER),
        said(SIXTH, anchor=DECEMBER + timedelta(days=14), trial_end=DECEMBER + timedelta(days=14)),
    )

    assert ahead == {"billing_cycle_anchor": 1797292800, "proration_behavior": "none"}
    assert at == {}
    assert trial == {"trial_end": 1797292800, "proration_behavior": "none"}
