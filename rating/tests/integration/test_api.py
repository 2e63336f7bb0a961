"""The HTTP API on a real ledger; and that no request makes it answer what its document does not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from event_schemas.times import iso
from usage_rating.testing import a_contract, a_signal, a_usage_report

pytestmark = pytest.mark.integration

WHOLE = {"from": "2020-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def rating(whole_world: Any) -> Iterator[Any]:
    """One process for all tests of this file, which only read it."""
    process = whole_world.rating()
    process.quiet(whole_world.time.now)
    yield process
    process.stop()


@pytest.fixture
def world(whole_world: Any) -> Any:
    """The world, its process left running between tests."""
    return whole_world


def test_a_customers_usage_tells_charged_reversed_and_net_by_meter_and_period(
    world: Any, rating: Any, customer: str
) -> None:
    now = world.time.now
    earlier = now - timedelta(minutes=10)
    month = earlier.replace(day=1, hour=0, minute=0)
    world.agree(customer, a_contract(customer))

    def told(signal: str, minutes: int, conversation: str, **data: Any) -> tuple[str, str, bytes]:
        at = now - timedelta(minutes=minutes)
        value = a_signal(signal, at, conversation=conversation, customer=customer, received_at=now, **data)
        return customer, conversation, value

    sms = a_usage_report("2.50", earlier, record="sms-1", customer=customer, received_at=now, event_id=f"{customer}-u1")
    world.send(
        told("ai_answer", 9, "kept"),
        told("customer_message", 8, "kept", intent="affirm"),
        told("ai_answer", 9, "returned"),
        told("customer_message", 8, "returned", intent="affirm"),
        told("customer_message", 7, "returned", intent="needs_help"),
        (customer, "sms-1", sms),
    )
    rating.quiet(now)

    usage = rating.get(f"/v1/customers/{customer}/usage", **{"from": iso(month), "to": "2026-12-01T00:00:00Z"}).json()
    only = rating.get(f"/v1/customers/{customer}/usage", meter="sms_segment", **WHOLE).json()

    assert usage["meters"] == [
        {"meter": "resolution", "charged": "2", "reversed": "1", "net": "1", "entries": 3},
        {"meter": "sms_segment", "charged": "2.5", "reversed": "0", "net": "2.5", "entries": 1},
    ]
    assert usage["periods"][0]["start"] == iso(month)
    assert usage["periods"][0]["meters"] == usage["meters"]
    assert [meter["meter"] for meter in only["meters"]] == ["sms_segment"]


def test_a_conversation_tells_its_story_with_the_reason_for_each_entry(world: Any, rating: Any, customer: str) -> None:
    now = world.time.now
    world.agree(customer, a_contract(customer))
    conversation = "urn:case/7"
    world.send(
        *(
            (
                customer,
                conversation,
                a_signal(
                    signal,
                    now + timedelta(seconds=place),
                    conversation=conversation,
                    customer=customer,
                    received_at=now,
                    **data,
                ),
            )
            for place, (signal, data) in enumerate(
                [
                    ("ai_answer", {}),
                    ("customer_message", {"intent": "affirm"}),
                    ("customer_message", {"intent": "human_request"}),
                ]
            )
        )
    )
    rating.quiet(now)

    told = rating.get(f"/v1/conversations/{customer}/{conversation}").json()

    assert (told["status"], told["why"]) == ("not_chargeable", "human_requested")
    assert told["why_in_words"] == "A human was asked for: this conversation can no longer be charged."
    assert [signal["signal"] for signal in told["signals"]] == ["ai_answer", "customer_message", "customer_message"]
    charge, reversal = told["entries"]
    assert (charge["op"], charge["how"], charge["policy_version"]) == ("charge", "confirmed", "test-1")
    assert (reversal["op"], reversal["reason"], reversal["reverses"]) == (
        "reverse",
        "human_requested",
        charge["entry_id"],
    )
    assert any("Charged as resolution" in line["sentence"] for line in told["story"])


def test_what_is_pending_says_why_and_until_when(world: Any, rating: Any, customer: str) -> None:
    now = world.time.now
    world.agree(customer, a_contract(customer))

    def told(conversation: str, **data: Any) -> tuple[str, str, bytes]:
        at = now - timedelta(minutes=1)
        value = a_signal("ai_answer", at, conversation=conversation, customer=customer, received_at=now, **data)
        return customer, conversation, value

    world.send(*(told(f"open-{number}") for number in range(3)))
    world.send(told("settled"))
    affirmed = a_signal(
        "customer_message", now, conversation="settled", customer=customer, received_at=now, intent="affirm"
    )
    world.send((customer, "settled", affirmed))
    rating.quiet(now)

    first = rating.get(f"/v1/customers/{customer}/pending", limit=2).json()
    second = rating.get(f"/v1/customers/{customer}/pending", limit=2, after=first["next"]).json()
    nobody = rating.get("/v1/customers/nobody/pending").json()

    assert [each["conversation"] for each in first["conversations"]] == ["open-0", "open-1"]
    assert ([each["conversation"] for each in second["conversations"]], second["next"]) == (["open-2"], None)
    assert nobody == {"conversations": [], "next": None}
    assert {
        (each["why"], each["why_in_words"], each["next_decision_at"] is not None) for each in first["conversations"]
    } == {("window_open", "The window is still open: nothing is charged before it ends.", True)}


def test_entries_come_a_page_at_a_time_and_none_twice(world: Any, rating: Any, customer: str) -> None:
    now = world.time.now
    world.agree(customer, a_contract(customer))
    names = [f"c{n}" for n in range(7)]
    world.send(
        *(
            (
                customer,
                name,
                a_signal(
                    "outcome_reached", now, conversation=name, customer=customer, received_at=now, outcome_type="sale"
                ),
            )
            for name in names
        )
    )
    rating.quiet(now)

    found, after = [], None
    while True:
        page = rating.get("/v1/entries", customer=customer, limit=3, **WHOLE, **({"after": after} if after else {}))
        found += [entry["subject"] for entry in page.json()["entries"]]
        after = page.json()["next"]
        if after is None:
            break

    assert sorted(found) == names


def test_another_policy_is_tried_page_by_page_and_nothing_is_written(world: Any, rating: Any, customer: str) -> None:
    now = world.time.now
    world.agree(customer, a_contract(customer))
    names = [f"c{number}" for number in range(4)]

    def told(name: str, signal: str, minutes: int, **data: Any) -> tuple[str, str, bytes]:
        at = now - timedelta(minutes=minutes)
        value = a_signal(signal, at, conversation=name, customer=customer, received_at=now, **data)
        return customer, name, value

    world.send(*(told(name, "ai_answer", 9) for name in names))
    world.send(*(told(name, "customer_message", 8, intent="affirm") for name in names[:3]))
    world.send(told("c2", "customer_message", 2, intent="needs_help"))
    rating.quiet(now)
    equations = rating.get("/v1/equations").json()
    order = {"customer": customer, **WHOLE}

    def tried(**more: Any) -> dict[str, Any]:
        answer = rating.post("/v1/what-if", {**order, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    own = tried()
    draft = tried(policy={"version": "draft", "decided_by": "product"})
    rest = tried(after="c0")
    unknown = rating.post("/v1/what-if", {**order, "customer": "nobody"})

    assert (own["conversations"], own["meters"], own["turned"], own["next"]) == (
        4,
        [{"meter": "resolution", "before": 2, "after": 2}],
        [],
        None,
    )
    assert draft["meters"] == [{"meter": "resolution", "before": 2, "after": 0}]
    assert [(turn["units"], turn["before"], turn["after"], turn["example"]) for turn in draft["turned"]] == [
        (-2, "confirmed", "no_answer", "c0")
    ]
    assert (rest["conversations"], rest["meters"][0]["before"]) == (3, 1)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_contract")
    assert rating.get("/v1/equations").json() == equations


def test_both_equations_hold_with_their_terms(rating: Any) -> None:
    answer = rating.get("/v1/equations").json()

    events, conversations = answer["events"], answer["conversations"]
    assert events["holds"]
    assert events["received"] == sum(
        events[name] for name in ("applied", "duplicate", "conflicting", "quarantined", "unread")
    )
    assert conversations["holds"]
    assert len(answer["partitions"]) == 8


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/conversations/acme/none", 404, "unknown_conversation"),
        ("/v1/conversations/acme/with%00null", 422, "invalid_request"),
        ("/v1/conversations/-/c", 422, "invalid_request"),
        ("/v1/customers/acme/usage", 422, "invalid_request"),
        ("/v1/customers/acme/usage?from=2026-01-01T00:00:00&to=2026-02-01T00:00:00Z", 422, "invalid_request"),
        ("/v1/customers/acme/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_range"),
        ("/v1/customers/acme/usage?from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z", 422, "invalid_range"),
        ("/v1/entries?customer=a&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&after=x", 422, "invalid_cursor"),
        ("/v1/entries?customer=a&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&limit=0", 422, "invalid_request"),
        ("/v1/cases?after=99999999999999999999", 422, "invalid_request"),
        ("/quiet?at=yesterday", 422, "invalid_request"),
        ("/v1/unheard-of", 404, "not_found"),
    ],
)
def test_a_refusal_is_a_problem_document_with_a_stable_code(rating: Any, path: str, status: int, code: str) -> None:
    answer = rating.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_long_range_of_periods_is_refused(world: Any, rating: Any, customer: str) -> None:
    world.agree(customer, a_contract(customer))
    rating.quiet(world.time.now)

    answer = rating.get(
        f"/v1/customers/{customer}/usage", **{"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "range_too_long")


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_gets_an_answer_that_is_not_documented(rating: Any, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{rating.url}/openapi.json", headers=rating.header)
    schema.config.generation.update(with_security_parameters=False)  # a right key throughout; others: test_access
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
            continue  # there is nothing to get wrong

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            # a range whose end lies before its beginning is refused, which a schema cannot say
            case.validate_response(case.call(headers=rating.header), excluded_checks=[positive_data_acceptance])

        holds()
