"""Meter events, their adjustments and summaries, and the asynchronous counting between them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.domain.usage import (
    CANCELLABLE_S,
    FURTHEST_AHEAD_S,
    FURTHEST_BACK_S,
    REMEMBERED_S,
    MeterEvent,
    value_flaw,
)
from sandbox.errors import StripeError, invalid, missing
from sandbox.resources import params as p
from sandbox.resources.params import Params
from sandbox.state import Body, State


def create_meter_event(state: State, params: Params) -> Body:
    """
    POST /v1/billing/meter_events: accepted, to be counted soon.

    An unknown event name or customer is accepted too, as at Stripe, and shows only in an error report.
    """
    p.only(params, "event_name", "payload", "identifier", "timestamp")
    event_name = p.text(params, "event_name", longest=100)
    payload = params.get("payload")
    if not isinstance(payload, dict) or not payload:
        raise missing("payload")
    meter = _meter_of(state, event_name)
    customer, value = _read_payload(payload, meter)
    timestamp = p.integer(params, "timestamp", state.now)
    assert timestamp is not None
    if timestamp < state.now - FURTHEST_BACK_S:
        raise StripeError(
            400, "Timestamp must be within the past 35 days.", code="timestamp_too_far_in_past", param="timestamp"
        )
    if timestamp > state.now + FURTHEST_AHEAD_S:
        raise StripeError(
            400, "Timestamp must not be more than 5 minutes in the future.", code="timestamp_in_future",
            param="timestamp",
        )  # fmt: skip
    identifier = p.optional(params, "identifier") or f"auto_{state.next_number()}"
    if len(identifier) > 100:
        raise invalid("identifier", "Invalid identifier: must be at most 100 characters")
    known = state.identifiers.get(identifier)
    if known is not None and state.now - known.received < REMEMBERED_S:
        raise StripeError(
            400,
            f"An event already exists with identifier {identifier}.",
            headers={"Stripe-Should-Retry": "false"},
        )
    event = MeterEvent(state.next_number(), identifier, event_name, customer, Decimal(value), timestamp, state.now)
    state.identifiers[identifier] = event
    state.waiting.append(event)
    state.keep_event(event)
    return {
        "object": "billing.meter_event", "created": state.now, "event_name": event_name, "identifier": identifier,
        "livemode": False, "payload": payload, "timestamp": timestamp,
    }  # fmt: skip


def _meter_of(state: State, event_name: str) -> Body | None:
    for meter in state.objects["billing.meter"].values():
        if meter["event_name"] == event_name and meter["status"] == "active":
            return meter
    return None


def _read_payload(payload: dict[str, Any], meter: Body | None) -> tuple[str, str]:
    customer_key = meter["customer_mapping"]["event_payload_key"] if meter else "stripe_customer_id"
    value_key = meter["value_settings"]["event_payload_key"] if meter else "value"
    customer, value = payload.get(customer_key), payload.get(value_key)
    if not isinstance(customer, str) or not customer:
        raise missing(f"payload[{customer_key}]")
    if not isinstance(value, str) or not value:
        raise missing(f"payload[{value_key}]")
    flaw = value_flaw(value)
    if flaw is not None:
        raise StripeError(400, "The payload's value is not a number that can be metered.", code=flaw, param="payload")
    return customer, value


def count_waiting(state: State) -> None:
    """Count the accepted events, and report those that cannot be counted by thin events, one for each meter."""
    waiting, state.waiting = state.waiting, []
    refused: dict[tuple[str | None, str], list[MeterEvent]] = {}
    for event in waiting:
        meter = _meter_of(state, event.event_name)
        code = _refusal(state, event, meter)
        if code is None:
            event.state = "counted"
            state.tally(event.customer, event.event_name).events.append(event)
        else:
            event.state = f"refused:{code}"
            refused.setdefault((meter["id"] if meter else None, code), []).append(event)
        state.keep_event(event)
    for (meter_id, code), events in refused.items():
        _report(state, meter_id, code, events)


def _refusal(state: State, event: MeterEvent, meter: Body | None) -> str | None:
    if meter is None:
        return "no_meter"
    customer = state.objects["customer"].get(event.customer)
    if customer is None or customer.get("deleted"):
        return "meter_event_customer_not_found"
    return None


def _report(state: State, meter_id: str | None, code: str, events: list[MeterEvent]) -> None:
    now = datetime.fromtimestamp(state.now, UTC).isoformat().replace("+00:00", ".000Z")
    data = {
        "developer_message_summary": f"There were {len(events)} invalid events.",
        "validation_start": now,
        "validation_end": now,
        "reason": {
            "error_count": len(events),
            "error_types": [
                {
                    "code": code,
                    "error_count": len(events),
                    "sample_errors": [
                        {"error_message": f"Meter event refused: {code}", "request": {"identifier": event.identifier}}
                        for event in events[:5]
                    ],
                }
            ],
        },
    }
    if meter_id is None:
        state.announce_thin("v1.billing.meter.no_meter_found", data, None)
    else:
        related = {"id": meter_id, "type": "billing.meter", "url": f"/v1/billing/meters/{meter_id}"}
        state.announce_thin("v1.billing.meter.error_report_triggered", data, related)


def create_adjustment(state: State, params: Params) -> Body:
    """POST /v1/billing/meter_event_adjustments: cancels one event that was received less than a day ago."""
    p.only(params, "event_name", "type", "cancel")
    event_name = p.text(params, "event_name", longest=100)
    p.one_of(params, "type", ("cancel",))
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier:
        raise missing("cancel[identifier]")
    event = state.identifiers.get(identifier)
    if event is None or event.event_name != event_name:
        raise StripeError(400, f"No event found with identifier {identifier}.", param="cancel[identifier]")
    if state.now - event.received >= CANCELLABLE_S:
        raise StripeError(
            400, "You can only cancel events that were received in the last 24 hours.", param="cancel[identifier]"
        )
    if event.state == "cancelled":
        raise StripeError(400, f"The event {identifier} has already been cancelled.", param="cancel[identifier]")
    event.state = "cancelled"
    state.keep_event(event)
    if event in state.waiting:
        state.waiting.remove(event)
    return {
        "object": "billing.meter_event_adjustment", "cancel": {"identifier": identifier}, "event_name": event_name,
        "livemode": False, "status": "pending", "type": "cancel",
    }  # fmt: skip


def list_summaries(state: State, id_: str, params: Params) -> Body:
    """GET /v1/billing/meters/{id}/event_summaries: sums on whole minutes, or by UTC hour or day."""
    p.only(
        params, "customer", "start_time", "end_time", "value_grouping_window", "limit", "starting_after",
        "ending_before",
    )  # fmt: skip
    meter = state.get("billing.meter", id_)
    customer = p.text(params, "customer")
    start, end = p.integer(params, "start_time"), p.integer(params, "end_time")
    if start is None or end is None:
        raise missing("start_time" if start is None else "end_time")
    window = params.get("value_grouping_window")
    grain = {"hour": 3600, "day": 86_400, None: 60}.get(window)
    if grain is None:
        raise invalid("value_grouping_window", "Invalid value_grouping_window: must be one of hour, day")
    for name, instant in (("start_time", start), ("end_time", end)):
        if instant % grain:
            raise invalid(name, f"{name} must be aligned with {window or 'minute'} boundaries")
    tally = state.tally(customer, meter["event_name"])
    bounds = [(start, end)] if window is None else [(at, at + grain) for at in range(start, end, grain)]
    rows = []
    for low, high in bounds:
        counted = [e for e in tally.events if low <= e.timestamp < high and e.state == "counted"]
        if counted or window is None:
            rows.append(_summary(meter["id"], customer, low, high, sum((e.value for e in counted), Decimal(0))))
    return p.page(reversed(rows), params, f"/v1/billing/meters/{id_}/event_summaries")


def _summary(meter: str, customer: str, start: int, end: int, total: Decimal) -> Body:
    value = int(total) if total == total.to_integral_value() else float(total)  # Stripe's field is a JSON number
    return {
        "id": f"mtrusg_{meter[-6:]}_{customer[-8:]}_{start}_{end}", "object": "billing.meter_event_summary",
        "aggregated_value": value, "end_time": end, "livemode": False, "meter": meter, "start_time": start,
    }  # fmt: skip
