"""What keeps a decoded event from the bus."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from event_schemas.wire import ProductEvent
from usage_ingest.domain.flaws import customer_or_none, flaw_in, identifier_or_none
from usage_ingest.domain.limits import bounds_at
from usage_ingest.testing import an_event

RECEIVED_AT = datetime(2026, 3, 2, 10, 0, 10, tzinfo=UTC)


def reason_of(**changes: object) -> str | None:
    event = msgspec.json.decode(json.dumps(an_event(**changes)), type=ProductEvent)
    flaw = flaw_in(event, bounds=bounds_at(RECEIVED_AT), customers={"acme"})
    return None if flaw is None else flaw.reason.value


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("2026-03-02T10:00:10Z", None),
        ("2025-01-26T10:00:10Z", None),  # 400 days to the second
        ("2025-01-26T10:00:09.999999Z", "too_old"),
        ("2026-03-02T10:15:10Z", None),  # 15 minutes to the second
        ("2026-03-02T10:15:10.000001Z", "in_the_future"),
        ("2026-03-02T12:15:10+02:00", None),
        ("2026-03-02T12:15:11+02:00", "in_the_future"),
        ("0001-01-01T00:00:00Z", "too_old"),
        ("0001-01-01T00:00:00+14:00", "too_old"),  # before the year 1 in UTC
        ("9999-12-31T23:59:59.999999Z", "in_the_future"),
        ("9999-12-31T23:59:59-14:00", "in_the_future"),  # after the year 9999 in UTC
    ],
)
def test_time_is_bounded_by_when_it_was_received(time: str, reason: str | None) -> None:
    assert reason_of(time=time) == reason


def test_a_customer_outside_the_register_waits() -> None:
    assert reason_of(customer="stranger") == "unknown_customer"


def test_a_form_that_no_type_can_say_is_malformed_before_anything_else() -> None:
    assert reason_of(customer="stranger", data={"signal": "flagged"}) == "malformed"


@pytest.mark.parametrize("value", ["", " ", "a b", "a\x00", "a\u202eb", "é", "x" * 201, 3, None, ["a"], "\ud800"])
def test_what_is_no_identifier_is_not_kept(value: object) -> None:
    assert identifier_or_none(value) is None


@pytest.mark.parametrize("value", ["", "-a", "a b", "a/b", "x" * 101, 3, None, "é"])
def test_what_is_no_customer_is_not_kept(value: object) -> None:
    assert customer_or_none(value) is None


def test_valid_ones_are_kept() -> None:
    assert identifier_or_none("urn:x/1?") == "urn:x/1?"
    assert customer_or_none("acme.eu:1-2_3") == "acme.eu:1-2_3"
