"""Records of the log become signals and reports; what cannot be decoded is named by its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from usage_rating.arrivals import Arrivals
from usage_rating.domain.signal import Report, Signal
from usage_rating.testing import a_signal, a_usage_report

AT = datetime(2026, 3, 2, 10, 0, 8, 250_000, UTC)
MICROS = 1_772_445_608_250_000


@dataclass
class Record:
    offset: int
    value: bytes | None


def taken(*values: bytes | None) -> Arrivals:
    arrivals = Arrivals()
    arrivals.add(3, [Record(40 + place, value) for place, value in enumerate(values)])
    return arrivals


def test_a_message_keeps_its_intent_and_its_instant_to_the_microsecond() -> None:
    value = a_signal(
        "customer_message", AT, conversation="c", customer="acme", received_at=AT, event_id="e1", intent="thanks"
    )

    arrivals = taken(value)

    signal = Signal(MICROS, 3, "urn:test:helpdesk", "e1", "thanks", "", "chat", "", MICROS)
    assert dict(arrivals.signals) == {("acme", "c"): [signal]}
    assert arrivals.partition_of == {("acme", "c"): 3}


@pytest.mark.parametrize(
    ("signal", "data", "detail"),
    [
        ("flagged", {"flag": "spam"}, "spam"),
        ("cleared", {}, ""),
        ("merged_into", {"into": "other"}, "other"),
        ("ai_answer", {}, ""),
    ],
)
def test_the_detail_is_what_the_type_needs(signal: str, data: dict[str, str], detail: str) -> None:
    arrivals = taken(a_signal(signal, AT, conversation="c", customer="acme", received_at=AT, **data))

    assert arrivals.signals["acme", "c"][0].detail == detail


def test_a_usage_report_is_kept_by_customer_meter_and_record() -> None:
    value = a_usage_report(
        "2.5",
        AT,
        record="sms-1",
        customer="acme",
        received_at=AT,
        event_id="u2",
        corrects={"source": "urn:a", "id": "u1"},
    )

    arrivals = taken(value)

    report = Report(MICROS, "urn:test:helpdesk", "u2", "2.5", ("urn:a", "u1"), "", MICROS)
    assert dict(arrivals.reports) == {("acme", "sms_segment", "sms-1"): [report]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'{"specversion":"1.0","type":"unheard.of"}',
        b'{"specversion":"1.0","type":"usage","id":"u"}',
        a_signal("ai_answer", AT, conversation="c", customer="acme", received_at=AT).replace(b"receivedat", b"other"),
        a_signal("ai_answer", AT, conversation="c", customer="acme", received_at=AT).replace(b"chat", b"pigeon"),
    ],
)
def test_what_cannot_be_decoded_is_named_by_its_place_and_spoils_nothing_else(value: bytes | None) -> None:
    good = a_signal("ai_answer", AT, conversation="c", customer="acme", received_at=AT)

    arrivals = taken(good, value, good)

    assert [(bad.partition, bad.offset) for bad in arrivals.unreadable] == [(3, 41)]
    assert len(arrivals.signals["acme", "c"]) == 2
    reach = arrivals.reach[3]
    assert (reach.first_offset, reach.next_offset, reach.quarantined) == (40, 43, 1)


def test_the_reason_never_repeats_the_content() -> None:
    secret = a_signal("ai_answer", AT, conversation="c", customer="acme", received_at=AT).replace(b"chat", b"secret")

    arrivals = taken(secret)

    assert "secret" not in arrivals.unreadable[0].detail


def test_a_batch_reaches_to_the_latest_reception_it_holds() -> None:
    later = AT.replace(second=30)
    arrivals = taken(
        a_signal("ai_answer", AT, conversation="c", customer="acme", received_at=later),
        a_signal("ai_answer", AT, conversation="d", customer="acme", received_at=AT),
    )

    assert arrivals.reach[3].received_at == 1_772_445_630_250_000
