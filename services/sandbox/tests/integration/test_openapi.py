"""The control paths keep to their own OpenAPI document, whatever they are sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from chassis.testing import HouseKeys
from sandbox.testing import Driver


def attack(url: str, header: dict[str, str], mode: GenerationMode) -> int:
    """Call every operation of the document many times; the count of operations."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=header)
    schema.config.generation.update(with_security_parameters=False)  # a right key throughout; others: test_access
    count = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()
        has_input = bool(list(operation.iter_parameters())) or bool(operation.body)
        if mode is GenerationMode.NEGATIVE and not has_input:
            continue  # there is nothing to get wrong

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            if case.path == "/_sandbox/clock" and "wait_s" in (case.query or {}):
                case.query["wait_s"] = 0.01  # a long poll that nobody ends
            # an earlier instant is refused, which a schema cannot say; "1" is read as the number that it looks like
            lenient = [positive_data_acceptance, negative_data_rejection]
            case.validate_response(case.call(headers=header, timeout=30), excluded_checks=lenient)

        holds()
        count += 1
    return count


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_no_request_gets_an_answer_that_is_not_documented(
    sandbox: Driver, house_keys: HouseKeys, mode: GenerationMode
) -> None:
    """Nor a 5xx: sound requests and broken ones, by schemathesis."""
    assert await asyncio.to_thread(attack, sandbox.url, house_keys.header, mode) >= 8
