"""No request makes the door answer what its document does not say."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration


async def test_every_operation_holds_to_its_document_for_good_and_bad_requests(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.move(START + timedelta(days=1))
    await world.rate(a_charge("e1", seq=1, at=START))
    await world.quiet(START + timedelta(days=1))

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        await asyncio.to_thread(attack, world.door_url, world.keys.header, mode)

    assert world.door.poll() is None


async def test_the_running_period_shows_counts_and_the_invoice_that_it_would_be(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract(free_meters=["voice_outcome"]))
    await world.move(START + timedelta(days=1))
    charge = a_charge("e1", seq=1, at=START + timedelta(hours=1))
    await world.rate(
        charge,
        a_reversal("e2", charge, seq=2, recorded_at=START + timedelta(hours=2)),
        a_charge("e3", seq=3, at=START + timedelta(hours=3)),
        a_charge("e4", seq=4, at=START + timedelta(hours=3), meter="voice_outcome"),
    )
    await world.quiet(START + timedelta(days=1))

    found = await world.ask("/v1/customers/acme/running")
    unknown = await world.http.get(f"{world.door_url}/v1/customers/nobody/running")

    assert (found["number"], found["start"], found["end"]) == (0, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
    assert [(m["meter"], m["charges"], m["reversals"], m["net"], m["billing"]) for m in found["meters"]] == [
        ("resolution", 2, 1, "1", "priced"),
        ("voice_outcome", 1, 0, "1", "free"),
    ]
    assert {(line["kind"], line["item"], line["quantity"], line["amount_minor"]) for line in found["expected"]} == {
        ("usage", "resolution", "1", 99),
        ("advance", "essential_seat", "3", 11_700),
    }
    assert next(line["why"] for line in found["expected"] if line["kind"] == "usage") == {
        "clause": "metered.resolution",
        "quantity": "2 charged for resolution in 2026-10-01 to 2026-11-01, less 1 reversed",
        "price_version": "contract revision 1",
        "formula": "1 × 0.99",
        "exact": "0.99",
        "rounding": "exact",
    }
    assert (found["usage_minor"], found["advance_minor"], found["total_minor"]) == (99, 11_700, 11_799)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_contract")


async def test_contracts_come_by_customer_and_one_is_shown_whole(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract("acme"), a_contract("beta", currency="EUR"), a_contract("gamma"))
    await world.move(START + timedelta(days=1))

    first = await world.ask("/v1/contracts", limit=2)
    second = await world.ask("/v1/contracts", limit=2, after=first["next"])
    one = await world.ask("/v1/contracts/beta")

    assert [(c["customer"], c["currency"], c["applied_revision"]) for c in first["contracts"]] == [
        ("acme", "USD", 1),
        ("beta", "EUR", 1),
    ]
    assert ([c["customer"] for c in second["contracts"]], second["next"]) == (["gamma"], None)
    assert one["document"]["licensed"] == [{"item": "essential_seat", "quantity": 3, "unit_price": "39"}]


async def test_a_reason_that_cannot_be_kept_is_refused_with_its_field(world: Any) -> None:
    """A NUL is no blank to a pattern, and PostgreSQL stores none; half a surrogate pair is no text in UTF-8."""
    await world.start_door()
    header = {**world.keys.header, "Content-Type": "application/json"}

    for reason in ("   ", "a\0b", "\0\0\0", "\ud800\ud800\ud800"):
        body = json.dumps({"reason": reason})
        answer = await world.http.post(f"{world.door_url}/v1/cases/1/close", content=body, headers=header)
        assert (answer.status_code, answer.json()["field"]) == (422, "body.reason")


def attack(url: str, header: dict[str, str], mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=header)
    schema.config.generation.update(with_security_parameters=False)  # a right key throughout; others: test_access
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not (list(operation.iter_parameters()) or operation.body):
            continue  # there is nothing to get wrong

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            # refused although the schema allows it: a range that is none, an event without a signature
            case.validate_response(case.call(headers=header), excluded_checks=[positive_data_acceptance])

        holds()


async def test_every_entry_of_a_span_is_priced_free_or_unpriced(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract(free_meters=["voice_outcome"]))
    await world.move(START + timedelta(days=1))
    at = START + timedelta(hours=3)
    await world.rate(
        *(a_charge(f"p{n}", seq=n, at=at) for n in (1, 2, 3)),
        *(a_charge(f"f{n}", seq=n, at=at, meter="voice_outcome") for n in (4, 5)),
        a_charge("u6", seq=6, at=at, meter="qualification"),
        a_charge("w7", seq=7, at=at, customer="nobody"),
        a_charge("early", seq=8, at=START - timedelta(days=2)),
    )
    await world.quiet(START + timedelta(days=1))

    span = {"from": (START - timedelta(days=3)).isoformat(), "to": (START + timedelta(days=1)).isoformat()}
    found = await world.ask("/v1/charges", **span)
    refused = await world.http.get(f"{world.door_url}/v1/charges", params={"from": span["to"], "to": span["from"]})

    counts = {name: found[name] for name in ("priced", "free", "unpriced", "corrections", "without_contract")}
    assert counts == {"priced": 3, "free": 2, "unpriced": 1, "corrections": 1, "without_contract": 1}
    assert (found["entries"], found["holds"], found["from"]) == (8, True, "2026-09-28T00:00:00Z")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_range")
