"""Trials: free until an instant, with which billing begins."""

from __future__ import annotations

from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.errors import invalid, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.resources.periods import item_period
from sandbox.stripe.state import Body, State

_MOST_DAYS = 730
_DAY_S = 86_400


def read_trial(state: State, params: Params) -> int | None:
    """When the trial of a new subscription ends; None where it has none."""
    behaviour = ((params.get("trial_settings") or {}).get("end_behavior") or {}).get("missing_payment_method")
    if behaviour not in (None, "create_invoice"):
        raise unsupported("trial_settings[end_behavior][missing_payment_method]")
    days, given = p.integer(params, "trial_period_days"), p.optional(params, "trial_end")
    if days is not None and given is not None:
        raise invalid("trial_end", "You may only specify one of `trial_end` and `trial_period_days`.")
    if days is not None:
        if not 0 <= days <= _MOST_DAYS:
            raise invalid("trial_period_days", f"Trials last at most {_MOST_DAYS} days.")
        return state.now + days * _DAY_S if days else None
    return None if given in (None, "now") else _read_end(state, params)


def _read_end(state: State, params: Params) -> int:
    until = p.whole(params, "trial_end", 0)
    if not state.now < until <= cycle_start(state.now, 2, interval="year"):
        raise invalid("trial_end", "The trial must end in the future, within two years.")
    return until


def read_trial_change(state: State, body: Body, params: Params) -> int | None:
    """The instant to which the end of a running trial moves, `now` included; None where it stays."""
    given = p.optional(params, "trial_end")
    if given is None:
        return None
    if body["status"] != "trialing":
        if given == "now":
            return None
        raise unsupported("trial_end of a subscription that is not trialing")
    return state.now if given == "now" else _read_end(state, params)


def move_trial_end(state: State, body: Body, until: int) -> bool:
    """Move a trial's end, and the anchor and the periods with it; whether it is over with that."""
    if body["billing_cycle_anchor"] == body["trial_end"]:
        body["billing_cycle_anchor"] = until
    body["trial_end"] = until
    is_over = until <= state.now
    if is_over:
        body["status"] = "active"
    for item in body["items"]["data"]:
        price = state.objects["price"][item["price"]["id"]]
        item["current_period_start"], item["current_period_end"] = item_period(body, price, state.now)
    return is_over
