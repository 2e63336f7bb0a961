"""What a test clock holds at most: three customers, each with three subscriptions."""

from __future__ import annotations

from sandbox.stripe.errors import refused
from sandbox.stripe.state import Body, State

MOST_CUSTOMERS = 3
MOST_SUBSCRIPTIONS = 3


def customers_on(state: State, clock: str) -> list[Body]:
    """The customers of a test clock that are not deleted."""
    rows = state.objects["customer"].values()
    return [row for row in rows if row["test_clock"] == clock and not row.get("deleted")]


def running_on(state: State, clock: str) -> list[Body]:
    """The subscriptions of a test clock that have not ended."""
    rows = state.objects["subscription"].values()
    return [row for row in rows if row["test_clock"] == clock and row["status"] != "canceled"]


def take_customer(state: State, clock: str) -> None:
    """Refuse a customer for whom a test clock has no place, or whose test clock does not exist."""
    state.get("test_helpers.test_clock", clock, param="test_clock")
    if len(customers_on(state, clock)) >= MOST_CUSTOMERS:
        raise refused(f"A test clock takes at most {MOST_CUSTOMERS} customers.", param="test_clock")


def take_subscription(state: State, customer: Body) -> None:
    """Refuse a subscription for which a customer on a test clock has no place."""
    if customer["test_clock"] is None:
        return
    held = [row for row in running_on(state, customer["test_clock"]) if row["customer"] == customer["id"]]
    if len(held) >= MOST_SUBSCRIPTIONS:
        raise refused(f"A customer on a test clock takes at most {MOST_SUBSCRIPTIONS} subscriptions.", param="customer")
