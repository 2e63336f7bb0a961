"""Thresholds and limits through the whole of rating: told once under a burst and after any death, taken back, asked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_document, clause
from event_schemas.registry import EVENT_TYPES
from usage_rating.failpoints import GAPS
from usage_rating.testing import a_contract, a_signal, until

pytestmark = pytest.mark.integration

ALERT_GAPS = [gap for gap in GAPS if gap.startswith("alerts-")]
MODEL = next(event.model for event in EVENT_TYPES if event.name == "usage.alert")


def agree(world: Any, customer: str) -> None:
    """Thresholds at 3 and 8 resolutions of a period, no more than 10 of them charged."""
    document = a_document(
        customer=customer,
        alerts=[clause("told", meter="resolution", thresholds=[3, 8])],
        limits=[clause("most", meter="resolution", quantity=10)],
    )
    world.agree(customer, json.dumps({**json.loads(a_contract(customer)), "data": document}).encode())


def resolved(world: Any, customer: str, count: int, name: str = "r") -> list[tuple[str, str, bytes]]:
    """Signals of conversations that are charged at once; all of them happened in the period that runs now."""
    now = world.time.now
    told = []
    for conversation in (f"{name}{number}" for number in range(count)):
        for signal, seconds, data in (
            ("customer_message", 3, {"intent": "question"}),
            ("ai_answer", 2, {}),
            ("customer_message", 1, {"intent": "affirm"}),
        ):
            at = now - timedelta(seconds=seconds)
            value = a_signal(signal, at, conversation=conversation, customer=customer, received_at=now, **data)
            told.append((customer, conversation, value))
    return told


def flagged(world: Any, customer: str, count: int, name: str = "r") -> list[tuple[str, str, bytes]]:
    """Reversals of the first conversations."""
    now = world.time.now
    return [
        (
            customer,
            f"{name}{number}",
            a_signal("flagged", now, conversation=f"{name}{number}", customer=customer, received_at=now, flag="test"),
        )
        for number in range(count)
    ]


def heard(world: Any, customer: str) -> list[tuple[str, int, str, int]]:
    """(kind, units, state, ordinal) on the bus, each id once, in order."""
    found = {}
    for record in world.topic("usage.alerts"):
        if record["subject"] == customer:
            assert MODEL.model_validate(record)
            found.setdefault(record["id"], record["data"])
    return [(data["kind"], data["units"], data["state"], data["ordinal"]) for data in found.values()]


def test_a_burst_is_told_once_and_reversals_take_it_back(world: Any, customer: str) -> None:
    world.time.step(world.time.now + timedelta(hours=1))
    agree(world, customer)
    first, second = world.rating(group=customer), world.rating(group=customer)
    first.quiet(world.time.now)

    world.send(*resolved(world, customer, 60))
    first.quiet(world.time.now)
    assert heard(world, customer) == [
        ("threshold", 3, "reached", 1),
        ("threshold", 8, "reached", 1),
        ("limit", 10, "reached", 1),
    ]
    said = [record["id"] for record in world.topic("usage.alerts") if record["subject"] == customer]
    assert len(said) == len(set(said))  # two processes, and none of them says what the other one has said
    for process in (first, second):  # whichever of them has counted, both answer
        until(lambda p=process: not may_run(p, customer)["may_run"], "each process knows the limit")
    answer = may_run(first, customer)
    assert answer["limits"] == [{"meter": "resolution", "used": "60", "limit": 10, "reached": True}]
    assert not answer["stale"]
    assert may_run(first, customer, meter="copilot")["may_run"]

    world.send(*flagged(world, customer, 55))
    first.quiet(world.time.now)
    assert heard(world, customer)[3:] == [("threshold", 8, "taken_back", 2), ("limit", 10, "taken_back", 2)]
    until(lambda: may_run(first, customer)["may_run"], "below the limit it may run")

    world.send(*resolved(world, customer, 4, "again"))
    first.quiet(world.time.now)
    assert heard(world, customer)[5:] == [("threshold", 8, "reached", 3)]
    listed = first.get("/v1/alerts", customer=customer, limit=2).json()
    assert [(each["units"], each["state"]) for each in listed["alerts"]] == [(3, "reached"), (8, "reached")]
    rest = first.get("/v1/alerts", customer=customer, after=listed["next"]).json()
    assert (len(rest["alerts"]), rest["next"]) == (4, None)
    ledger = world.query("SELECT count(*) FROM ledger WHERE customer = $1 AND op = 'charge'", customer)
    assert ledger[0][0] == 64  # above the limit too: the cap is pricing's


def may_run(process: Any, customer: str, **parameters: str) -> dict[str, Any]:
    answer: dict[str, Any] = process.get(f"/v1/customers/{customer}/may-run", **parameters).json()
    return answer


def test_a_customer_is_counted_from_what_the_ledger_held_before_its_contract_had_a_limit(
    world: Any, customer: str
) -> None:
    rating = world.rating()
    rating.quiet(world.time.now)
    unknown = rating.get(f"/v1/customers/{customer}/may-run")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_contract")
    world.agree(customer, a_contract(customer))
    world.send(*resolved(world, customer, 9))
    rating.quiet(world.time.now)
    assert may_run(rating, customer)["limits"] == []

    envelope = json.loads(a_contract(customer, revision=2))
    world.agree(customer, json.dumps({**envelope, "data": upgraded(envelope["data"])}).encode())
    rating.quiet(world.time.now)

    assert heard(world, customer) == [("threshold", 8, "reached", 1)]
    epochs = world.query("SELECT partition, epoch FROM partitions ORDER BY partition")
    answering = world.rating(DECIDE="false")
    answering.quiet(world.time.now)
    until(lambda: may_run(answering, customer)["as_of"], "a process that decides nothing answers")
    assert world.query("SELECT partition, epoch FROM partitions ORDER BY partition") == epochs  # and takes none over


def upgraded(first: dict[str, Any]) -> dict[str, Any]:
    """Version 1 as version 2, with a threshold."""
    start = first["billing_anchor"]
    change = {"agreed_at": start, "effective_at": start, "actor": "t", "reason": "t", "channel": "self_serve"}
    return a_document(
        customer=first["customer"],
        billing_anchor=start,
        revision=2,
        history=[{"revision": 1, **change}, {"revision": 2, **change}],
        alerts=[clause("told", meter="resolution", thresholds=[8, 12], agreed_in=2)],
    )


@pytest.mark.parametrize("gap", ALERT_GAPS)
def test_dying_in_a_gap_tells_each_crossing_once(world: Any, customer: str, gap: str) -> None:
    agree(world, customer)
    world.send(*resolved(world, customer, 8))

    dying = world.rating(dies_at=gap)
    dying.wait_dead()
    rating = world.rating()
    rating.quiet(world.time.now)

    assert heard(world, customer) == [("threshold", 3, "reached", 1), ("threshold", 8, "reached", 1)]
    until(lambda: may_run(rating, customer)["limits"][0]["used"] == "8", "nothing is counted twice")
