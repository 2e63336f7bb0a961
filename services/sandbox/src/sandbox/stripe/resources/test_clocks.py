"""Stripe's test clocks: some customers' own time, which stands still until it is advanced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.errors import StripeError, invalid, missing
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.clock_limits import customers_on, running_on
from sandbox.stripe.resources.customers import delete_customer
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

KIND = "test_helpers.test_clock"
KEPT_S = 30 * 86_400  # a test clock deletes itself after so long, in the account's time
_FURTHEST_YEARS = 2  # in one step, where no subscription sets a nearer bound
_FURTHEST_INTERVALS = 2
_OWNERS = ("test_clock", "customer", "subscription", "invoice")  # parameters that name whose time goes


def clock_of(state: State, method: str, ids: tuple[str, ...], params: Params) -> Body | None:
    """
    The test clock whose time goes for a request: that of the first object on one that its path or parameters name.

    Raises StripeError 429 for a change while that clock advances, as Stripe does.
    """
    if not state.objects[KIND]:
        return None
    clock = next(_clocks(state, ids, params), None)
    if clock is not None and clock["status"] == "advancing" and method != "GET":
        raise StripeError(429, "Test clock advancement underway - cannot perform modifications")
    return clock


def _clocks(state: State, ids: tuple[str, ...], params: Params) -> Iterator[Body]:
    named = [*ids, *(given for name in _OWNERS if isinstance(given := params.get(name), str))]
    for found in (state.find(state.item_owners.get(id_, id_)) for id_ in named):
        clock = found if found is not None and found["object"] == KIND else state.test_clock_of(found)
        if clock is not None and not clock.get("deleted"):
            yield clock


def create_clock(state: State, params: Params) -> Body:
    """POST /v1/test_helpers/test_clocks: a time of its own, in the past or the future, for customers to be made on."""
    p.only(params, "frozen_time", "name")
    frozen = _time(params)
    body: Body = {
        "id": state.new_id(KIND),
        "object": KIND,
        "created": state.account_now,
        "deletes_after": state.account_now + KEPT_S,
        "frozen_time": frozen,
        "livemode": False,
        "name": p.optional(params, "name"),
        "status": "ready",
        "status_details": {},
        "_now": frozen,  # how far the work of an advance has come
    }
    state.put(body)
    state.announce(f"{KIND}.created", body)
    return body


def list_clocks(state: State, params: Params) -> Body:
    """GET /v1/test_helpers/test_clocks."""
    p.only(params, "limit", "starting_after", "ending_before")
    rows = [row for row in state.all(KIND) if not row.get("deleted")]
    return p.page(rows, params, "/v1/test_helpers/test_clocks")


def advance_clock(state: State, id_: str, params: Params) -> Body:
    """
    POST /v1/test_helpers/test_clocks/{id}/advance: begins; the clock is `ready` again once all that is due is done.

    Forward only; at most two intervals of the shortest running subscription, or two years where none runs.
    """
    p.only(params, "frozen_time")
    body = state.get(KIND, id_)
    to = _time(params)
    if to <= body["frozen_time"]:
        raise invalid("frozen_time", "The frozen time must be after the test clock's current frozen time.")
    if to > _furthest(state, body):
        raise invalid(
            "frozen_time",
            "The frozen time cannot be more than two intervals of the shortest subscription of the test clock ahead, "
            "or two years where it has none.",
        )
    body["frozen_time"], body["status"] = to, "advancing"
    body["status_details"] = {"advancing": {"target_frozen_time": to}}
    state.put(body)
    state.announce(f"{KIND}.advancing", body)
    return body


def arrived(state: State, body: Body) -> None:
    """All that was due up to the frozen time is done."""
    body["_now"], body["status"], body["status_details"] = body["frozen_time"], "ready", {}
    state.put(body)
    state.announce(f"{KIND}.ready", body)


def delete_clock(state: State, id_: str, _: Params) -> Body:
    """DELETE /v1/test_helpers/test_clocks/{id}: its customers go with it, and their subscriptions end at once."""
    body = state.get(KIND, id_)
    for customer in customers_on(state, id_):
        delete_customer(state, customer["id"], {})
    body["deleted"] = True
    state.put(body)
    state.announce(f"{KIND}.deleted", body)
    return {"id": id_, "object": KIND, "deleted": True}


def _time(params: Params) -> int:
    given = p.integer(params, "frozen_time")
    if given is None:
        raise missing("frozen_time")
    return given


def _furthest(state: State, body: Body) -> int:
    at: int = body["frozen_time"]
    intervals: list[Any] = [row["_interval"] for row in running_on(state, body["id"])]
    if not intervals:
        return cycle_start(at, _FURTHEST_YEARS, interval="year")
    return min(cycle_start(at, _FURTHEST_INTERVALS, interval=each, count=count) for each, count in intervals)
