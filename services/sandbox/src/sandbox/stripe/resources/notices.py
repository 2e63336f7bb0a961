"""Events, webhook endpoints and thin event destinations."""

from __future__ import annotations

import base64
import json
import operator
import secrets
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import API_VERSION, Body, State, parse_timestamp, timestamp

KEPT_S = 30 * 86_400  # events are listed for 30 days
_COMPARED = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def list_events(state: State, params: Params) -> Body:
    """GET /v1/events: those of the last 30 days."""
    p.only(params, "limit", "starting_after", "ending_before", "type", "types", "created", "delivery_success")
    rows: list[Any] = list(p.created_filter(state.all("event"), params))
    if "type" in params:
        rows = [row for row in rows if fnmatchcase(row["type"], params["type"])]
    if "types" in params:
        rows = [row for row in rows if row["type"] in params["types"]]
    rows = [row for row in rows if row["created"] > state.account_now - KEPT_S]
    if "delivery_success" in params:
        wanted = params["delivery_success"] == "true"
        rows = [row for row in rows if _delivered(state, row["id"]) == wanted]
    return p.page(rows, params, "/v1/events")


def _delivered(state: State, event_id: str) -> bool:
    """Whether every webhook of the event was answered 2xx; one that was given up counts against it."""
    return not state.pending.get(event_id) and event_id not in state.given_up


def create_endpoint(state: State, params: Params) -> Body:
    """POST /v1/webhook_endpoints: the answer alone carries the secret."""
    p.only(params, "url", "enabled_events", "description", "metadata", "api_version")
    enabled = params.get("enabled_events")
    if not isinstance(enabled, list) or not enabled:
        raise missing("enabled_events")
    body: Body = {
        "id": state.new_id("webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": p.optional(params, "api_version") or API_VERSION,
        "application": None,
        "created": state.now,
        "description": p.optional(params, "description"),
        "enabled_events": enabled,
        "livemode": False,
        "metadata": p.metadata(params),
        "status": "enabled",
        "url": p.text(params, "url"),
        "secret": f"whsec_{secrets.token_hex(24)}",
    }
    state.put(body)
    return body


def list_endpoints(state: State, params: Params) -> Body:
    """GET /v1/webhook_endpoints."""
    p.only(params, "limit", "starting_after", "ending_before")
    rows = [row for row in state.all("webhook_endpoint") if not row.get("deleted")]
    return p.page(rows, params, "/v1/webhook_endpoints")


def delete_endpoint(state: State, id_: str, _: Params) -> Body:
    """DELETE /v1/webhook_endpoints/{id}."""
    body = state.get("webhook_endpoint", id_)
    body["deleted"] = True
    state.put(body)
    return {"id": id_, "object": "webhook_endpoint", "deleted": True}


def create_destination(state: State, params: Params) -> Body:
    """POST /v2/core/event_destinations: a webhook endpoint for thin events."""
    if params.get("type") != "webhook_endpoint" or params.get("event_payload") != "thin":
        raise invalid("type", "This sandbox delivers thin events to webhook endpoints.")
    url = (params.get("webhook_endpoint") or {}).get("url")
    if not url:
        raise missing("webhook_endpoint.url")
    stamp = timestamp(state.now)
    body: Body = {
        "id": state.new_id("v2.core.event_destination"),
        "object": "v2.core.event_destination",
        "created": stamp,
        "updated": stamp,
        "description": params.get("description", ""),
        "enabled_events": params["enabled_events"],
        "event_payload": "thin",
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "name": params.get("name", ""),
        "status": "enabled",
        "type": "webhook_endpoint",
        "events_from": ["@self"],
        "webhook_endpoint": {"url": url, "signing_secret": f"whsec_{secrets.token_hex(24)}"},
    }
    state.put(body)
    return body


def list_destinations(state: State, _: Params) -> Body:
    """GET /v2/core/event_destinations."""
    rows = [row for row in state.all("v2.core.event_destination") if not row.get("deleted")]
    return {"data": rows, "next_page_url": None, "previous_page_url": None}


def delete_destination(state: State, id_: str, _: Params) -> Body:
    """DELETE /v2/core/event_destinations/{id}."""
    body = state.get("v2.core.event_destination", id_)
    body["deleted"] = True
    state.put(body)
    return {"id": id_, "object": "v2.core.event_destination"}


def list_thin_events(state: State, params: Params) -> Body:
    """GET /v2/core/events: newest first. A page's token carries what was asked for and how many events to pass over."""
    p.only(params, "limit", "page", "object_id", "types", "created")
    first, wanted = _place(params["page"]) if "page" in params else (0, params)
    rows = [row for row in state.all("v2.core.event") if parse_timestamp(row["created"]) > state.account_now - KEPT_S]
    if "created" in wanted:
        rows = list(_made_in(rows, wanted["created"]))
    if "types" in wanted:
        rows = [row for row in rows if row["type"] in wanted["types"]]
    if "object_id" in wanted:
        rows = [row for row in rows if row.get("related_object", {}).get("id") == wanted["object_id"]]
    limit = p.whole(params, "limit", 20)
    if not 1 <= limit <= 100:
        raise invalid("limit", "limit must be between 1 and 100")
    following = None
    if first + limit < len(rows):
        place = [first + limit, {name: wanted[name] for name in wanted if name not in ("page", "limit")}]
        token = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        following = f"/v2/core/events?limit={limit}&page={token}"
    return {"data": rows[first : first + limit], "next_page_url": following, "previous_page_url": None}


def _place(token: str) -> tuple[int, Params]:
    try:
        first, wanted = json.loads(base64.urlsafe_b64decode(token))
        return int(first), dict(wanted)
    except (ValueError, TypeError):
        raise invalid("page", "Invalid page token") from None


def _made_in(rows: Iterable[Body], created: Any) -> Iterator[Body]:
    try:
        bounds = [(_COMPARED[name], parse_timestamp(text)) for name, text in created.items()]
    except (KeyError, ValueError, TypeError, AttributeError):
        raise invalid("created", "created takes gt, gte, lt and lte, each an RFC 3339 instant") from None
    return (row for row in rows if all(holds(parse_timestamp(row["created"]), bound) for holds, bound in bounds))


def thin_notice(event: Body) -> Body:
    """What a webhook carries of a thin event: no data."""
    return {key: value for key, value in event.items() if key != "data"}
