"""
The short way of POST /v1/billing/meter_events, which has to carry a thousand a second beside all other processes.

The event and what its Idempotency-Key remembers are one row; its answer can be made again from that row.
"""

from __future__ import annotations

import msgspec

from sandbox.stripe import form
from sandbox.stripe.desk import Desk
from sandbox.stripe.errors import StripeError, refused, too_many
from sandbox.stripe.replies import Reply, Request, failure, other_parameters, refusal
from sandbox.stripe.resources import usage


async def post_meter_event(desk: Desk, request: Request) -> Reply:
    """Accept one meter event. Raises StripeError for all that Stripe refuses before it has executed anything."""
    state, key = desk.state, request.key
    if key is not None:
        event = state.keyed_events.get(key)
        if event is not None and state.account_now - event.received < 86_400 and key not in desk.keys:
            if event.fingerprint != request.fingerprint:
                raise other_parameters(key)
            body = msgspec.json.encode(usage.shown_meter_event(event))
            return Reply(200, body, {"Idempotent-Replayed": "true"})
        remembered = desk.remembered(key, request)
        if remembered is not None:
            return remembered
    try:
        params = form.parse(request.body.decode())
    except UnicodeDecodeError:
        raise StripeError(400, "Invalid request: the body is not UTF-8.") from None
    event = usage.read_meter_event(state, params)
    lane = (event.customer, event.event_name)
    if lane in desk.lanes:
        raise too_many("resource-specific")
    desk.lanes.add(lane)
    if key is not None:
        desk.keys.add(key)
    try:
        await desk.dawdle(request)
        refuses = desk.faults.refuse(request.method, request.path, params)
        if refuses is not None:
            error = refused(refuses.message, code=refuses.code, param=refuses.param)
            return await desk.remember(request, refusal(error))
        if desk.faults.strike("error_500_before_commit", request.path, customer=event.customer):
            return await desk.remember(request, refusal(failure()))
        fails = desk.faults.strike("error_500_after_commit", request.path, customer=event.customer)
        if desk.faults.strike("drop_meter_event", request.path, customer=event.customer):
            event.state = "dropped"
        if key is not None and fails is None:
            event.key, event.fingerprint = key, request.fingerprint
        try:
            usage.accept_meter_event(state, event)
        except StripeError as error:
            return await desk.remember(request, refusal(error))
        if desk.faults.strike("extra_meter_event", request.path, customer=event.customer):
            usage.add_phantom(
                state,
                customer=event.customer,
                event_name=event.event_name,
                value=event.value,
                timestamp=event.timestamp,
            )
        if fails is not None:
            return await desk.remember(request, refusal(failure()))
        body = msgspec.json.encode(usage.shown_meter_event(event))
        await desk.journal.committed()
        return Reply(200, body)
    finally:
        desk.lanes.discard(lane)
        if key is not None:
            desk.keys.discard(key)
