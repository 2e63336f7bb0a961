"""
The short way of POST /v1/billing/meter_events, which has to carry a thousand a second beside all other processes.

The event and what its Idempotency-Key remembers are one row; its answer can be made again from that row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox import form
from sandbox.errors import StripeError, too_many
from sandbox.replies import Reply, Request, failure, other_parameters, refusal
from sandbox.resources import usage

if TYPE_CHECKING:
    from sandbox.front import Front


async def post_meter_event(front: Front, request: Request) -> Reply:
    """Accept one meter event. Raises StripeError for all that Stripe refuses before it has executed anything."""
    state, key = front.state, request.key
    if key is not None:
        event = state.keyed_events.get(key)
        if event is not None and state.now - event.received < 86_400 and key not in front.keys:
            if event.fingerprint != request.fingerprint:
                raise other_parameters(key)
            body = msgspec.json.encode(usage.shown_meter_event(event))
            return Reply(200, body, {"Idempotent-Replayed": "true"})
        remembered = front.remembered(key, request)
        if remembered is not None:
            return remembered
    try:
        params = form.parse(request.body.decode())
    except UnicodeDecodeError:
        raise StripeError(400, "Invalid request: the body is not UTF-8.") from None
    event = usage.read_meter_event(state, params)
    lane = (event.customer, event.event_name)
    if lane in front.lanes:
        raise too_many("resource-specific")
    front.lanes.add(lane)
    if key is not None:
        front.keys.add(key)
    try:
        await front.dawdle(request)
        if front.faults.strike("error_500_before_commit", request.path, customer=event.customer):
            return await front.remember(request, refusal(failure()))
        fails = front.faults.strike("error_500_after_commit", request.path, customer=event.customer)
        if front.faults.strike("drop_meter_event", request.path, customer=event.customer):
            event.state = "dropped"
        if key is not None and fails is None:
            event.key, event.fingerprint = key, request.fingerprint
        try:
            usage.accept_meter_event(state, event)
        except StripeError as error:
            return await front.remember(request, refusal(error))
        if front.faults.strike("extra_meter_event", request.path, customer=event.customer):
            usage.add_phantom(
                state,
                customer=event.customer,
                event_name=event.event_name,
                value=event.value,
                timestamp=event.timestamp,
            )
        if fails is not None:
            return await front.remember(request, refusal(failure()))
        body = msgspec.json.encode(usage.shown_meter_event(event))
        await front.journal.committed()
        return Reply(200, body)
    finally:
        front.lanes.discard(lane)
        if key is not None:
            front.keys.discard(key)
