"""Whatever pydantic finds is told in a sentence of ours: the field, what it must be, no word of the library's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import httpx
import pytest
from fastapi import Body, FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType

from chassis import problems
from event_schemas.contract_v2.file import ContractFile
from event_schemas.contracts import Contract
from event_schemas.sentences import FORMS, MUST_BE, TOLD_APART, place, sentence
from event_schemas.times import Instant

ROOT = Path(__file__).parents[4]
LIBRARY = re.compile(
    r"input|should|value error|assertion|valid (string|integer|number|dictionary|list|tuple|datetime)|unable|parse|"
    r"extra|permitted|field required|pydantic|traceback|Error\b|Exception|tuple|dict\b|\bNone\b|<class|pattern|\{|\}",
    re.IGNORECASE,
)
# What no document of ours can raise: objects of Python, functions, frozen instances.
NOT_OURS = {
    *("no_such_attribute", "needs_python_object", "frozen_field", "frozen_instance", "get_attribute_error"),
    *("default_factory_not_called", "iteration_error", "missing_sentinel_error", "is_instance_of", "is_subclass_of"),
    *("callable_type", "arguments_type", "missing_argument", "unexpected_keyword_argument", "ellipsis_error"),
    *("missing_keyword_only_argument", "unexpected_positional_argument", "missing_positional_only_argument"),
    *("multiple_argument_values", "complex_type", "complex_str_parsing", "fraction_type", "fraction_parsing"),
    *("frozen_dict_type", "ordered_dict_type", "counter_type"),
}


def test_every_kind_of_fault_has_a_sentence_or_cannot_come_up() -> None:
    kinds = set(get_args(ErrorType))

    assert kinds - NOT_OURS - TOLD_APART == kinds & MUST_BE.keys()
    assert not NOT_OURS & MUST_BE.keys()


def test_every_pattern_of_ours_is_in_words() -> None:
    written: set[str] = set()
    for source in ROOT.glob("**/src/**/*.py"):
        if ".venv" not in source.parts:
            text = source.read_text()
            written |= set(re.findall(r"\bpattern=r?\"(.+?)\"\)?[,)\]]", text))
            written |= set(re.findall(r"^[A-Z_]+ = r\"(\^.+\$)\"$", text, re.MULTILINE))

    assert len(written) > 5
    fast = {pattern for pattern in written if pattern.endswith(r"\Z")}  # of msgspec, told by usage_ingest.explain
    assert written - fast - FORMS.keys() == set()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1, le=10)


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


BROKEN: list[tuple[Any, Any]] = [
    (int, "seven"),
    (int, 1.5),
    (int, "9" * 5000),
    (Annotated[int, Field(ge=1)], 0),
    (Annotated[int, Field(gt=1, lt=9, multiple_of=2)], 5),
    (float, "x"),
    (Annotated[float, Field(allow_inf_nan=False)], float("inf")),
    (bool, "perhaps"),
    (str, 7),
    (Annotated[str, Field(min_length=2)], "a"),
    (Annotated[str, Field(max_length=2)], "abc"),
    (Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")], "Ä"),
    (Decimal, "one"),
    (Annotated[Decimal, Field(max_digits=3)], "12345"),
    (Annotated[Decimal, Field(decimal_places=1)], "1.234"),
    (list[int], 3),
    (tuple[int, ...], 3),
    (Annotated[tuple[int, ...], Field(min_length=1)], []),
    (Annotated[list[int], Field(max_length=1)], [1, 2]),
    (dict[str, int], []),
    (Part, 3),
    (Part, {}),
    (Part, {"size": 11}),
    (Part, {"size": 1, "sise": 2}),
    (Colour, "green"),
    (Literal["a"], "b"),
    (Literal["a", "b"], "c"),
    (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "cow"}),
    (Annotated[Cat | Dog, Field(discriminator="kind")], {}),
    (Instant, "yesterday"),
    (Instant, 7),
    (Instant, "2026-02-30T00:00:00Z"),
    (Instant, "2026-13-01T25:00:00Z"),
    (UUID, "x"),
    (None, 3),
]


@pytest.mark.parametrize(("kind", "value"), BROKEN)
def test_a_fault_names_its_field_and_quotes_no_library(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)

    for fault in refused.value.errors():
        told = sentence(fault, name="the_field")
        assert told.startswith("the_field")
        assert not LIBRARY.search(told), told
        assert "another form" not in told, told


def contract(**changes: Any) -> dict[str, Any]:
    document = {
        "customer": "acme",
        "name": "Acme Ltd",
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_email": "billing@acme.example",
        "billing_anchor": "2026-11-01T00:00:00Z",
        "revision": 1,
        "timeline": [{"effective_from": "2026-11-01T00:00:00Z", "policy": {"version": "standard-1"}}],
        "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}],
        "licensed": [{"item": "seat", "quantity": 3, "unit_price": "39"}],
    }
    return {**document, **changes}


def mutations(document: Any, where: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """The document with each part of it taken away, and replaced by each of several things that may not stand there."""
    parts = document.items() if isinstance(document, dict) else enumerate(document)
    for name, part in list(parts):
        for wrong in (None, 3, -1, "", "no such thing!", [], {}, True, 1.5, ["x"], {"x": 1}):
            copy = dict(document) if isinstance(document, dict) else list(document)
            copy[name] = wrong
            yield copy
        if isinstance(document, dict):
            yield {key: value for key, value in document.items() if key != name}
            yield {**document, "surplus": 1}
        if isinstance(part, dict | list):
            for changed in mutations(part, (*where, name)):
                copy = dict(document) if isinstance(document, dict) else list(document)
                copy[name] = changed
                yield copy


def test_no_broken_contract_is_answered_in_the_librarys_words() -> None:
    told = []
    for broken in mutations({"contracts": [contract()]}):
        try:
            ContractFile.model_validate(broken)
        except ValidationError as error:
            told += [sentence(fault, name=place(fault["loc"]) or "the file") for fault in error.errors()]

    assert len(told) > 300
    assert [each for each in told if LIBRARY.search(each) or "another form" in each] == []


async def test_a_refused_request_names_parameter_or_member() -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/typed")
    async def typed(size: Annotated[int, Query(ge=1, le=9)], at: Instant | None = None) -> None: ...

    @app.post("/agreed")
    async def agreed(contract: Annotated[Contract, Body()]) -> None: ...

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [
            await client.get("/typed", params={"size": "many"}),
            await client.get("/typed"),
            await client.get("/typed", params={"size": 3, "at": "soon"}),
            await client.post("/agreed", content=b"{", headers={"Content-Type": "application/json"}),
            await client.post("/agreed"),
            await client.post("/agreed", json=contract(timeline=[])),
            await client.post("/agreed", json=contract(curency="USD")),
            await client.get("/nowhere"),
            await client.delete("/typed"),
        ]

    assert [answer.json()["detail"] for answer in answers] == [
        "size must be a whole number",
        "size is required and missing",
        "at: write an instant as RFC 3339 with an offset, such as 2026-10-01T00:00:00Z",
        "the body is not JSON: look at character 1",
        "the body is required and missing",
        "timeline must not be empty",
        "curency is not a field that is known here: correct its name, or leave it out",
        "/nowhere is not a path of this service: GET /openapi.json lists them",
        "/typed does not take DELETE",
    ]
