"""The compatibility check is seen to fail on each kind of break, and lets optional additions pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from event_schemas.compatibility import breaks
from event_schemas.generation import json_schema
from event_schemas.registry import EVENT_TYPES

OLD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "maxLength": 10, "pattern": "^a"},
        "kind": {"enum": ["x", "y"]},
        "count": {"type": "integer", "minimum": 1},
        "fixed": {"const": "1.0"},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "inner": {"$ref": "#/$defs/Inner"},
    },
    "$defs": {"Inner": {"type": "object", "properties": {"deep": {"type": "string"}}}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """OLD with one value set, or removed (None)."""
    new = copy.deepcopy(OLD)
    *parents, last = path.split("/")
    target: Any = new
    for name in parents:
        target = target[name]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return new


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("properties/count", None, "$.count"),
        ("required", ["id", "kind", "count"], "$.count"),
        ("required", ["id"], "$.kind"),
        ("properties/id/maxLength", 5, "$.id"),
        ("properties/id/pattern", "^b", "$.id"),
        ("properties/count/minimum", 2, "$.count"),
        ("properties/count/type", "string", "$.count"),
        ("properties/kind/enum", ["x"], "$.kind"),
        ("properties/kind/enum", ["x", "y", "z"], "$.kind"),
        ("properties/fixed/const", "2.0", "$.fixed"),
        ("properties/either/anyOf", [{"type": "string"}], "$.either"),
        ("$defs/Inner/properties/deep/type", "integer", "$.inner.deep"),
        ("additionalProperties", False, "$"),
    ],
)
def test_a_break_is_found_where_it_is(path: str, value: Any, place: str) -> None:
    found = breaks(OLD, changed(path, value))

    assert [one.place for one in found] == [place]
    assert found[0].deploy_first


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/extra", {"type": "string"}),
        ("$defs/Inner/properties/extra", {"type": "string"}),
        ("properties/id/maxLength", 20),
        ("properties/count/minimum", 0),
        ("description", "words"),
    ],
)
def test_an_optional_addition_or_a_wider_bound_passes(path: str, value: Any) -> None:
    assert breaks(OLD, changed(path, value)) == []


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.name)
def test_a_schema_does_not_break_itself(event: Any) -> None:
    schema = json_schema(event)

    assert breaks(schema, schema) == []
