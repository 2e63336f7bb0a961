"""No request makes the door answer what its document does not say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration


async def test_every_operation_holds_to_its_document_for_good_and_bad_requests(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.move(START + timedelta(days=1))
    await world.rate(a_charge("e1", seq=1, at=START))
    await world.quiet(START + timedelta(days=1))

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        await asyncio.to_thread(attack, world.door_url, mode)

    assert world.door.poll() is None


def attack(url: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not (list(operation.iter_parameters()) or operation.body):
            continue  # there is nothing to get wrong

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            # refused although the schema allows it: a range that is none, an event without a signature
            case.validate_response(case.call(), excluded_checks=[positive_data_acceptance])

        holds()
