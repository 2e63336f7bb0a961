"""Builders that tests import: events as usage-ingest writes them, contracts as they stand on the bus."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from event_schemas.times import iso
from usage_rating.domain.policy import HOUR, ContractTimeline, Policy

SOURCE = "urn:test:helpdesk"


def a_signal(
    signal: str,
    at: datetime,
    *,
    conversation: str,
    customer: str,
    received_at: datetime,
    event_id: str | None = None,
    **data: Any,
) -> bytes:
    """A `conversation.signal` as it lies on `events.accepted`; its id names conversation, signal and time."""
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "conversation.signal",
            "id": event_id or f"{conversation}/{signal}/{at.timestamp()}",
            "source": SOURCE,
            "subject": conversation,
            "time": iso(at),
            "customer": customer,
            "datacontenttype": "application/json",
            "receivedat": iso(received_at),
            "data": {"signal": signal, "channel": "chat", **data},
        }
    ).encode()


def a_usage_report(
    quantity: str, at: datetime, *, record: str, customer: str, received_at: datetime, event_id: str, **data: Any
) -> bytes:
    """A `usage` event of meter sms_segment as it lies on `events.accepted`."""
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "usage",
            "id": event_id,
            "source": SOURCE,
            "subject": record,
            "time": iso(at),
            "customer": customer,
            "receivedat": iso(received_at),
            "data": {"meter": "sms_segment", "quantity": quantity, **data},
        }
    ).encode()


def a_contract(customer: str, *, revision: int = 1, **policy: Any) -> bytes:
    """A contract in force since 2020, as it lies on topic `contracts`."""
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "contract",
            "id": f"{customer}/{revision}",
            "source": "urn:test:contracts",
            "subject": customer,
            "time": "2020-01-01T00:00:00Z",
            "data": {
                "customer": customer,
                "name": customer,
                "issuer": "settled-us",
                "channel": "self_serve",
                "currency": "USD",
                "billing_anchor": "2020-01-01T00:00:00Z",
                "revision": revision,
                "timeline": [
                    {"effective_from": "2020-01-01T00:00:00Z", "policy": {"version": f"test-{revision}", **policy}}
                ],
            },
        }
    ).encode()


def a_timeline(*, hours: int = 24, **policy: Any) -> ContractTimeline:
    """A contract's policies as the rules see them: one, in force for ever."""
    return ContractTimeline((0,), (Policy(version="test-1", window={"default": hours * HOUR}, **policy),))


def until(condition: Callable[[], bool], what: str, within_s: float = 60) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}")
        time.sleep(0.05)
