"""`stripe.event`: an event of Stripe, its signature verified, as a hint for the bridges."""

from __future__ import annotations

from typing import Any, Literal

from event_schemas.events.envelope import Envelope, Fact
from event_schemas.times import Instant


class StripeEventData(Fact):
    """`object` is Stripe's snapshot at `created`; a reader acts on the object's current state."""

    stripe_type: str
    object_type: str
    object_id: str
    api_version: str
    livemode: bool
    created: Instant
    object: dict[str, Any]
    door: str | None = None  # DOOR_NAME of the door that wrote it, one for each account; None: the one without a name


class StripeEventEvent(Envelope):
    """`id` is Stripe's event id; `subject` is the object's id."""

    type: Literal["stripe.event"]
    data: StripeEventData
