"""Meter events, their adjustments and summaries, and the asynchronous counting between them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.stripe.domain.usage import (
    CANCELLABLE_S,
    FURTHEST_AHEAD_S,
    FURTHEST_BACK_S,
    REMEMBERED_S,
    MeterEvent,
    Tally,
    value_flaw,
)
from sandbox.stripe.errors import StripeError, invalid, missing, unknown
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State
from sandbox.stripe.state import timestamp as instant

WINDOW_S = 10  # error reports cover windows of this length, as in Stripe's own example
SAMPLES = 5
_EVENT_PARAMETERS = frozenset({"event_name", "payload", "identifier", "timestamp", "expand"})


def read_meter_event(state: State, params: Params) -> MeterEvent:
    """
    What a POST /v1/billing/meter_events asks for, checked as far as Stripe checks before it answers.

    An unknown event name or customer is accepted, as at Stripe, and shows only in an error report.
    """
    for name in params:
        if name not in _EVENT_PARAMETERS:
            raise unknown(name)
    event_name = p.text(params, "event_name", longest=100)
    payload = params.get("payload")
    if not isinstance(payload, dict) or not payload:
        raise missing("payload")
    meter = state.meters.get(event_name)
    customer, value = _read_payload(payload, meter)
    if state.switches.decimal_values == "refused" and "." in value:
        raise StripeError(
            400, "The payload's value must be a whole number.", code="meter_event_invalid_value", param="payload"
        )
    now = _judged_at(state, customer)
    timestamp = p.whole(params, "timestamp", now)
    if timestamp < now - FURTHEST_BACK_S:
        raise StripeError(
            400, "Timestamp must be within the past 35 days.", code="timestamp_too_far_in_past", param="timestamp"
        )
    if timestamp > now + FURTHEST_AHEAD_S:
        raise StripeError(
            400,
            "Timestamp must not be more than 5 minutes in the future.",
            code="timestamp_in_future",
            param="timestamp",
        )
    identifier = p.optional(params, "identifier") or str(uuid.uuid4())
    if len(identifier) > 100:
        raise invalid("identifier", "Invalid string: identifier must be at most 100 characters")
    return MeterEvent(
        0,
        identifier,
        event_name,
        customer,
        Decimal(value),
        timestamp,
        state.account_now,
        payload=msgspec.json.encode(payload).decode(),
    )


def _judged_at(state: State, customer: str) -> int:
    """The time by which an event's limits are judged."""
    if state.switches.usage_limits == "real_time":
        return state.account_now
    with state.by_clock(state.test_clock_of(state.objects["customer"].get(customer))):
        return state.now


def accept_meter_event(state: State, event: MeterEvent) -> None:
    """Keep an event that is to be counted soon. Refuses an identifier that is remembered."""
    known = state.identifiers.get(event.identifier)
    if known is not None and state.account_now - known.received < REMEMBERED_S:
        state.refused_duplicates += 1
        named = state.switches.known_identifier == "named"
        raise StripeError(
            400,
            f"An event already exists with identifier {event.identifier}." if named else "Invalid meter event.",
            headers={"Stripe-Should-Retry": "false"},
            stored=True,
        )
    event.number = state.next_number()
    state.accepted += 1
    state.identifiers[event.identifier] = event
    if event.key is not None:
        state.keyed_events[event.key] = event
    if event.state == "accepted":
        state.waiting.append(event)
    state.keep_event(event)


def shown_meter_event(event: MeterEvent) -> Body:
    """The answer to a meter event; the same each time it is made."""
    return {
        "object": "billing.meter_event",
        "created": event.received,
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": False,
        "payload": msgspec.json.decode(event.payload),
        "timestamp": event.timestamp,
    }


def add_phantom(state: State, *, customer: str, event_name: str, value: Decimal, timestamp: int) -> MeterEvent:
    """A counted event that nobody sent: the fault `extra_meter_event`."""
    payload = msgspec.json.encode({"stripe_customer_id": customer, "value": str(value)}).decode()
    event = MeterEvent(0, f"phantom-{uuid.uuid4()}", event_name, customer, value, timestamp, state.account_now, payload)
    accept_meter_event(state, event)
    return event


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


def count_waiting(state: State) -> list[tuple[str | None, str, MeterEvent]]:
    """Count the accepted events. Returns those that cannot be counted, with their meter (if any) and code."""
    waiting, state.waiting = state.waiting, []
    refused: list[tuple[str | None, str, MeterEvent]] = []
    for event in waiting:
        meter = state.meters.get(event.event_name)
        code = _refusal(state, event, meter)
        if code is None:
            event.state = "counted"
            state.tally(event.customer, event.event_name).add(event)
        else:
            event.state = f"refused:{code}"
            refused.append((meter["id"] if meter else None, code, event))
            state.keep_event(event)
    return refused


def _refusal(state: State, event: MeterEvent, meter: Body | None) -> str | None:
    if meter is None:
        return "no_meter"
    if meter["status"] != "active":
        return "archived_meter"
    customer = state.objects["customer"].get(event.customer)
    if customer is None or customer.get("deleted"):
        return "meter_event_customer_not_found"
    return None


_MESSAGES = {
    "no_meter": "No meter was found for the event name {event.event_name}.",
    "archived_meter": "The meter for the event name {event.event_name} is archived.",
    "meter_event_customer_not_found": "The customer {event.customer} was not found.",
}


def report_refused(state: State, refused: list[tuple[str | None, str, MeterEvent]]) -> None:
    """Tell of refused events by thin events: one for each meter and 10 s window, with samples only."""
    groups: dict[tuple[str | None, int], list[tuple[str, MeterEvent]]] = {}
    for meter_id, code, event in refused:
        groups.setdefault((meter_id, event.received // WINDOW_S), []).append((code, event))
    for (meter_id, window), found in groups.items():
        data = _report(window * WINDOW_S, found)
        if meter_id is None:
            state.announce_thin("v1.billing.meter.no_meter_found", data, None)
        else:
            related = {"id": meter_id, "type": "billing.meter", "url": f"/v1/billing/meters/{meter_id}"}
            state.announce_thin("v1.billing.meter.error_report_triggered", data, related)


def _report(start: int, found: list[tuple[str, MeterEvent]]) -> Body:
    by_code: dict[str, list[MeterEvent]] = {}
    for code, event in found:
        by_code.setdefault(code, []).append(event)
    return {
        "developer_message_summary": f"There {'is' if len(found) == 1 else 'are'} {len(found)} invalid event(s)",
        "validation_start": instant(start),
        "validation_end": instant(start + WINDOW_S),
        "reason": {
            "error_count": len(found),
            "error_types": [
                {
                    "code": code,
                    "error_count": len(events),
                    "sample_errors": [
                        {
                            "error_message": _MESSAGES[code].format(event=event),
                            "request": {"identifier": event.identifier},
                        }
                        for event in events[:SAMPLES]
                    ],
                }
                for code, events in by_code.items()
            ],
        },
    }


def discount(state: State, event: MeterEvent, to: str) -> None:
    """Count an event no longer. A finalised invoice does not change."""
    state.tally(event.customer, event.event_name).remove(event)
    if event in state.waiting:
        state.waiting.remove(event)
    event.state = to
    state.keep_event(event)


def create_adjustment(state: State, params: Params) -> Body:
    """POST /v1/billing/meter_event_adjustments: cancels one event that was received less than a day ago."""
    p.only(params, "event_name", "type", "cancel")
    event_name = p.text(params, "event_name", longest=100)
    p.one_of(params, "type", ("cancel",))
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier:
        raise missing("cancel[identifier]")
    event = state.identifiers.get(identifier)
    gone = state.switches.second_cancel == "not_found" and event is not None and event.state == "cancelled"
    if event is None or event.event_name != event_name or gone:
        raise StripeError(
            404, f"No event found with identifier {identifier}.", code="resource_missing", param="cancel[identifier]"
        )
    if state.account_now - event.received >= CANCELLABLE_S:
        raise StripeError(
            400, "You can only cancel events that were received in the last 24 hours.", param="cancel[identifier]"
        )
    if event.state == "cancelled":
        raise StripeError(400, f"The event {identifier} has already been cancelled.", param="cancel[identifier]")
    discount(state, event, "cancelled")
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": event_name,
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }


def list_summaries(state: State, id_: str, params: Params) -> Body:
    """GET /v1/billing/meters/{id}/event_summaries: sums on whole minutes, or by UTC hour or day."""
    p.only(
        params,
        "customer",
        "start_time",
        "end_time",
        "value_grouping_window",
        "limit",
        "starting_after",
        "ending_before",
    )
    meter = state.get("billing.meter", id_)
    customer = p.text(params, "customer")
    start, end = p.integer(params, "start_time"), p.integer(params, "end_time")
    if start is None or end is None:
        raise missing("start_time" if start is None else "end_time")
    window = params.get("value_grouping_window")
    grain = {"hour": 3600, "day": 86_400, None: 60}.get(window)
    if grain is None:
        raise invalid("value_grouping_window", "Invalid value_grouping_window: must be one of hour, day")
    for name, bound in (("start_time", start), ("end_time", end)):
        if bound % grain:
            raise invalid(name, f"{name} must be aligned with {window or 'minute'} boundaries")
    if start >= end:
        raise invalid("end_time", "end_time must be after start_time")
    state.get("customer", customer, param="customer")
    tally = state.tally(customer, meter["event_name"])
    bounds = [(start, end)] if window is None else [(at, at + grain) for at in _grains(tally, start, end, grain)]
    formula, own_window = meter["default_aggregation"]["formula"], meter["event_time_window"]
    rows = [
        _summary(meter["id"], customer, low, high, tally.aggregate(low, high, formula=formula, window=own_window))
        for low, high in bounds
    ]
    return p.page(reversed(rows), params, f"/v1/billing/meters/{id_}/event_summaries")


def _grains(tally: Tally, start: int, end: int, grain: int) -> list[int]:
    """The starts of the windows that hold any event, in order; Stripe gives no rows for empty ones."""
    return sorted({event.timestamp // grain * grain for event in tally.events(start, end)})


def _summary(meter: str, customer: str, start: int, end: int, total: Decimal) -> Body:
    value = int(total) if total == total.to_integral_value() else float(total)  # Stripe's field is a JSON number
    return {
        "id": f"mtrusg_{meter[-6:]}_{customer[-8:]}_{start}_{end}",
        "object": "billing.meter_event_summary",
        "aggregated_value": value,
        "end_time": end,
        "livemode": False,
        "meter": meter,
        "start_time": start,
    }
