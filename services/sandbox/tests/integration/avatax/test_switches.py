"""The switches both ways: what no text of Avalara's decides, a client can be tried on either."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.avatax.testing import BERLIN, PARIS, Driver, a_document, a_line

CREATE = "/transactions/create"
PATH = "/companies/SETTLED-US/transactions/in_1"
GERMAN = {"companyCode": "SETTLED-DE", "currencyCode": "EUR", "ship_from": BERLIN, "to": PARIS}


async def outcome(avatax: Driver, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """The number of a refusal, or the document."""
    answer = await avatax.raw(method, path, body, **options)
    return answer.json()["error"]["details"][0]["number"] if answer.status_code >= 400 else answer.json()["status"]


async def unknown_field(avatax: Driver) -> Any:
    return await outcome(avatax, "POST", CREATE, {**a_document(), "unknown": 1})


async def consumer(avatax: Driver) -> Any:
    return (await avatax.create(**GERMAN))["totalTax"]


async def committed(avatax: Driver) -> Any:
    await avatax.create(commit=True)
    return await outcome(avatax, "POST", CREATE, a_document())


async def voided(avatax: Driver) -> Any:
    await avatax.create()
    await avatax.on("in_1", "void", {"code": "DocVoided"})
    return await outcome(avatax, "POST", CREATE, a_document())


async def twice(avatax: Driver) -> Any:
    await avatax.create(commit=True)
    return await outcome(avatax, "POST", f"{PATH}/commit", {"commit": True})


async def adjusted(avatax: Driver) -> Any:
    await avatax.create(commit=True)
    return await outcome(avatax, "POST", "/transactions/createoradjust", {"createTransactionModel": a_document()})


async def adjusted_saved(avatax: Driver) -> Any:
    await avatax.create()
    model = {"createTransactionModel": a_document()}
    return (await avatax.ok("POST", "/transactions/createoradjust", model))["version"]


async def tax_code(avatax: Driver) -> Any:
    return await outcome(avatax, "POST", CREATE, a_document(a_line(100, taxCode="OWN")))


async def refunded_twice(avatax: Driver) -> Any:
    await avatax.create(commit=True)
    order = {"refundDate": "2026-10-20", "refundType": "Percentage", "refundPercentage": 60}
    await avatax.on("in_1", "refund", order)
    return await outcome(avatax, "POST", f"{PATH}/refund", order)


async def forced(avatax: Driver) -> Any:
    await avatax.raw("POST", CREATE, a_document(), params={"$include": "ForceTimeout"})
    return len(await avatax.control("GET", "dump"))


async def retry_after(avatax: Driver) -> Any:
    await avatax.fault("rate_limit_429", count=1)
    return (await avatax.raw("GET", PATH)).headers.get("retry-after")


async def zero_rated(avatax: Driver) -> Any:
    body = await avatax.create(businessIdentificationNo="FR1", **GERMAN)
    assert body["lines"][0]["details"][0]["exemptAmount"] == body["totalExempt"]
    return body["totalTaxable"], body["totalExempt"]


@pytest.mark.parametrize(
    ("switch", "asked", "answers"),
    [
        ("unknown_fields", unknown_field, {"refused": 70, "ignored": "Saved"}),
        ("eu_consumers", consumer, {"destination": 20, "nexus": 19}),
        ("committed_code", committed, {"doc_status": 300, "conflict": 303}),
        ("voided_code", voided, {"reused": "Saved", "taken": 300}),
        ("commit_refusal", twice, {"1309": 1309, "1314": 1314}),
        ("adjust_status", adjusted, {"by_flag": "Saved", "stays_committed": "Committed"}),
        ("adjust_saved", adjusted_saved, {"new_version": 2, "overwritten": 1}),
        ("unknown_tax_code", tax_code, {"refused": 300, "goods": "Saved"}),
        ("over_refund", refunded_twice, {"allowed": "Committed", "refused": 300}),
        ("forced_timeout", forced, {"not_recorded": 0, "recorded": 1}),
        ("retry_after", retry_after, {"sent": "1", "left_out": None}),
        ("zero_rated", zero_rated, {"taxable": (100, 0), "exempt": (0, 100)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_switch_makes_the_difference(avatax: Driver, switch: str, asked: Any, answers: Any) -> None:
    """The first answer is the default."""
    held = await avatax.control("GET", "answers")
    assert held[switch] == next(iter(answers))
    for answer, expected in answers.items():
        await avatax.control("POST", "reset")
        await avatax.control("POST", "answers", **{switch: answer})

        assert await asked(avatax) == expected
    await avatax.control("POST", "reset")


async def test_every_switch_is_tried(avatax: Driver) -> None:
    """And an unknown one is refused with the list."""
    marks = getattr(test_each_switch_makes_the_difference, "pytestmark", [])
    tried = {row[0] for mark in marks for row in mark.args[1]}
    wrong = await avatax.http.post("/_sandbox/answers", json={"zero_rated": "maybe"})

    assert tried == set(await avatax.control("GET", "answers"))
    assert wrong.status_code == 400
    assert "taxable or exempt" in wrong.text


async def test_goods_tax_where_the_code_is_unknown(avatax: Driver) -> None:
    """Like P0000000, so Irvine's 7.75 %."""
    await avatax.control("POST", "answers", unknown_tax_code="goods")
    irvine = {"country": "US", "region": "CA", "postalCode": "92614"}
    body = await avatax.create(lines=[a_line(100, taxCode="OWN")], addresses={"singleLocation": irvine})
    await avatax.control("POST", "reset")

    assert body["totalTax"] == Decimal("7.75")
