"""`expand[]`: ids in an answer replaced by the objects that they name, at most four levels deep."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import shapes
from sandbox.stripe.errors import StripeError
from sandbox.stripe.state import Body, State

_INCLUDED = {("price", "tiers"), ("coupon", "applies_to")}  # fields that are there only when they are asked for
_DEEPEST = 4


def expand(state: State, body: Body, params: dict[str, Any]) -> Body:
    """The answer with what was asked for expanded; a new object, the kept ones stay as they are."""
    wanted = params.get("expand")
    if not wanted:
        return body
    for path in wanted:
        parts = str(path).split(".")
        if len(parts) > _DEEPEST:
            raise StripeError(
                400, f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}", param="expand"
            )
        body = _expand(state, body, parts, str(path))
    return body


def _expand(state: State, value: Any, parts: list[str], path: str) -> Any:
    if isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            value = [_named(state, item, path) for item in value]
        return [_expand(state, item, parts, path) for item in value]
    if not parts or value is None:
        return value
    if not isinstance(value, dict):
        raise _cannot(path)
    name, rest = parts[0], parts[1:]
    if (value.get("object"), name) in _INCLUDED:
        kept = state.objects[value["object"]][value["id"]]
        return {**value, name: kept[name]} if name in kept else value
    if name not in value:
        raise _cannot(path)
    inner = value[name]
    if isinstance(inner, str):
        inner = _named(state, inner, path)
    return {**value, name: _expand(state, inner, rest, path)}


def _named(state: State, id_: str, path: str) -> Any:
    found = state.find(id_)
    if found is None:
        raise _cannot(path)
    return shapes.shown(state, found)


def _cannot(path: str) -> StripeError:
    return StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
