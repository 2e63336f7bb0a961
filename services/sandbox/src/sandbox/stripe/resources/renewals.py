"""What business time brings about on a subscription: periods end and begin, and it ends itself."""

from __future__ import annotations

from sandbox.stripe.resources.openings import open_cycle_invoice, open_last_invoice
from sandbox.stripe.resources.periods import item_period, next_due, period_of
from sandbox.stripe.state import Body, State


def renew(state: State, body: Body) -> None:
    """
    Business time stands at `next_due`: the subscription ends, or the items whose period ends begin another.

    All items that are due share one draft.
    """
    at = next_due(body)
    if body["cancel_at"] is not None and body["cancel_at"] <= at:
        open_last_invoice(state, body)
        end(state, body)
        return
    before = {"items": {"data": [dict(item) for item in body["items"]["data"]]}}
    ended = {item["id"]: period_of(item) for item in body["items"]["data"] if item["current_period_end"] == at}
    for item in body["items"]["data"]:
        if item["id"] in ended:
            price = state.objects["price"][item["price"]["id"]]
            item["current_period_start"], item["current_period_end"] = item_period(body, price, at)
            item["billed_until"] = item["current_period_end"] if "quantity" in item else at
    open_cycle_invoice(state, body, ended)
    state.put(body)
    state.announce("customer.subscription.updated", body, before)


def end(state: State, body: Body) -> None:
    """The subscription ends at once."""
    body["status"] = "canceled"
    body["canceled_at"] = body["canceled_at"] or state.now
    body["ended_at"] = state.now
    body["cancellation_details"] = {"comment": None, "feedback": None, "reason": "cancellation_requested"}
    state.put(body)
    state.announce("customer.subscription.deleted", body)
