"""Billing meters."""

from __future__ import annotations

from sandbox.stripe.errors import missing, refused
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State


def create_meter(state: State, params: Params) -> Body:
    """POST /v1/billing/meters: one active meter for an event name."""
    p.only(
        params,
        "display_name",
        "event_name",
        "default_aggregation",
        "customer_mapping",
        "value_settings",
        "event_time_window",
    )
    event_name = p.text(params, "event_name", longest=100)
    if any(m["event_name"] == event_name and m["status"] == "active" for m in state.objects["billing.meter"].values()):
        raise refused(f"An active meter already exists for event name {event_name}.", param="event_name")
    formula = (params.get("default_aggregation") or {}).get("formula")
    if formula is None:
        raise missing("default_aggregation[formula]")
    mapping = (params.get("customer_mapping") or {}).get("event_payload_key", "stripe_customer_id")
    body: Body = {
        "id": state.new_id("billing.meter"),
        "object": "billing.meter",
        "created": state.now,
        "customer_mapping": {"event_payload_key": mapping, "type": "by_id"},
        "default_aggregation": {"formula": formula},
        "display_name": p.text(params, "display_name", longest=250),
        "event_name": event_name,
        "event_time_window": p.optional(params, "event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": state.now,
        "value_settings": {"event_payload_key": (params.get("value_settings") or {}).get("event_payload_key", "value")},
    }
    state.put(body)
    state.announce("billing.meter.created", body)
    return body


def list_meters(state: State, params: Params) -> Body:
    """GET /v1/billing/meters."""
    p.only(params, "limit", "starting_after", "ending_before", "status")
    rows = [m for m in state.all("billing.meter") if params.get("status") in (None, m["status"])]
    return p.page(rows, params, "/v1/billing/meters")


def update_meter(state: State, id_: str, params: Params) -> Body:
    """POST /v1/billing/meters/{id}: the display name, and it alone, changes."""
    p.only(params, "display_name")
    body = state.get("billing.meter", id_)
    before = {"display_name": body["display_name"]}
    body["display_name"] = p.optional(params, "display_name") or body["display_name"]
    body["updated"] = state.now
    state.put(body)
    state.announce("billing.meter.updated", body, before)
    return body


def switch_meter(state: State, id_: str, params: Params, *, active: bool) -> Body:
    """POST /v1/billing/meters/{id}/deactivate and reactivate."""
    p.only(params)
    body = state.get("billing.meter", id_)
    wanted = "active" if active else "inactive"
    if body["status"] == wanted:
        raise refused(f"The meter {id_} is already {wanted}.")
    if active and state.meters[body["event_name"]]["status"] == "active":
        raise refused(f"An active meter already exists for event name {body['event_name']}.")
    body["status"] = wanted
    body["status_transitions"] = {"deactivated_at": None if active else state.now}
    body["updated"] = state.now
    state.put(body)
    state.announce(f"billing.meter.{'reactivated' if active else 'deactivated'}", body)
    return body
