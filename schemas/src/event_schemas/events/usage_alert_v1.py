"""`usage.alert`: usage of a meter has reached a threshold or the hard limit of a period, or has fallen below again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from event_schemas.events.envelope import CustomerText, Envelope, Fact, SlugText
from event_schemas.times import Instant


class UsageAlertData(Fact):
    """
    One crossing of `units` by the net usage of the billing period [`period_start`, `period_end`).

    `ordinal` counts the crossings of this customer, meter, period, kind and units: odd ones are `reached`, even ones
    `taken_back`, so that the highest one known says how it stands. `used` is the net at that time, a decimal string;
    `counted_to` is the latest `recorded_at` of the entries in it, None where it was told before any entry.
    """

    customer: CustomerText
    meter: SlugText
    kind: Literal["threshold", "limit"]
    units: Annotated[int, Field(strict=True, ge=0)]
    state: Literal["reached", "taken_back"]
    ordinal: Annotated[int, Field(strict=True, ge=1)]
    used: str
    period_start: Instant
    period_end: Instant
    counted_to: Instant | None = None
    contract_revision: Annotated[int, Field(strict=True, ge=1)]


class UsageAlertEvent(Envelope):
    """`subject` and the record's key are the customer; `id` says which crossing it is, so a reader knows a repeat."""

    type: Literal["usage.alert"]
    data: UsageAlertData
