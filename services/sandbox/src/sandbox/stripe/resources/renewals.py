"""What business time brings about on a subscription: periods end and begin, and it ends itself."""

from __future__ import annotations

from sandbox.stripe.resources.openings import open_cycle_invoice, open_last_invoice
from sandbox.stripe.resources.periods import item_period, next_due, period_of
from sandbox.stripe.resources.prorations import give_all_back
from sandbox.stripe.state import Body, State


def renew(state: State, body: Body) -> None:
    """
    Business time stands at `next_due`: the subscription ends, or the items whose period ends begin another.

    All items that are due share one draft. Three days before a trial's end only an event tells of it.
    """
    at = next_due(body)
    if body["status"] == "trialing" and at < min(body["trial_end"], body["cancel_at"] or body["trial_end"]):
        body["_warned"] = True
        state.put(body)
        state.announce("customer.subscription.trial_will_end", body)
        return
    if body["cancel_at"] is not None and body["cancel_at"] <= at:
        if body.get("_cancel_prorates"):
            give_all_back(state, body)
        open_last_invoice(state, body)
        end(state, body)
        return
    before: Body = {"items": {"data": [dict(item) for item in body["items"]["data"]]}}
    after_trial = body["status"] == "trialing"
    if after_trial:
        before["status"], body["status"] = "trialing", "active"
    ended = {item["id"]: period_of(item) for item in body["items"]["data"] if item["current_period_end"] == at}
    for item in body["items"]["data"]:
        if item["id"] in ended:
            price = state.objects["price"][item["price"]["id"]]
            item["current_period_start"], item["current_period_end"] = item_period(body, price, at)
            item["billed_until"] = item["current_period_end"] if "quantity" in item else at
    open_cycle_invoice(state, body, ended, after_trial=after_trial)
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
