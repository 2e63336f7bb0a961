"""Meter events, adjustments and summaries."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from invoicing_sync.stripe_door.client import Client, Row
from invoicing_sync.stripe_door.convert import from_wire_summary, seconds, to_wire_meter_event
from invoicing_sync.stripe_door.errors import Answered
from invoicing_sync.stripe_door.wire import MeterEvent, Summary

Window = Literal["hour", "day"]


class Usage:
    """What a customer used, in and out. Both sends are one call each: the sender decides what comes after."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send_meter_event(self, event: MeterEvent, *, key: str) -> Answered:
        """`POST /v1/billing/meter_events`: Stripe counts an identifier once within 24 h at least."""
        params = to_wire_meter_event(event)
        return await self._send("meter_event", "/v1/billing/meter_events", params, key)

    async def cancel_meter_event(self, event_name: str, identifier: str, *, key: str) -> Answered:
        """`POST /v1/billing/meter_event_adjustments`: only events that Stripe received in the last 24 h."""
        params = {"event_name": event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        return await self._send("adjustment", "/v1/billing/meter_event_adjustments", params, key)

    async def _send(self, name: str, path: str, params: Row, key: str) -> Answered:
        return await self._client.once(name, lambda: self._client.request("post", path, params, key=key))

    async def total(self, meter_id: str, stripe_customer: str, start: datetime, end: datetime) -> Decimal:
        """Stripe's sum in [start, end), both whole minutes; eventually consistent."""
        return sum((s.value for s in await self._summaries(meter_id, stripe_customer, start, end, None)), Decimal(0))

    async def by_window(
        self, meter_id: str, stripe_customer: str, start: datetime, end: datetime, window: Window
    ) -> dict[datetime, Decimal]:
        """Stripe's sums by UTC hour or day in [start, end), aligned; windows without usage may be left out."""
        found = await self._summaries(meter_id, stripe_customer, start, end, window)
        return {summary.start: summary.value for summary in found}

    async def _summaries(
        self, meter_id: str, stripe_customer: str, start: datetime, end: datetime, window: Window | None
    ) -> list[Summary]:
        path = f"/v1/billing/meters/{quote(meter_id, safe='')}/event_summaries"
        params: Row = {
            "customer": stripe_customer,
            "start_time": seconds(start),
            "end_time": seconds(end),
            "limit": 100,
        }
        if window is not None:
            params["value_grouping_window"] = window
        return [from_wire_summary(row) async for row in self._client.rows("summaries", path, params)]
