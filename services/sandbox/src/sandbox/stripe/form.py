"""Stripe's form encoding: `items[0][price]=…` to nested values, as its servers read it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import StripeError

_DEEPEST = 12  # deeper than any parameter that Stripe documents
_PARTS = re.compile(r"\[([^\[\]]*)\]")


def parse(body: str) -> dict[str, Any]:
    """
    Nested parameters. A map whose keys are all whole numbers, or empty, is a list.

    Raises:
        StripeError: the encoding is broken.
    """
    result: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        if "\x00" in value or "\x00" in name:
            raise StripeError(400, "Invalid request: a parameter holds the character NUL.")
        head, bracket, _ = name.partition("[")
        path = [head, *_PARTS.findall(name[len(head) :])] if bracket else [head]
        if len(path) > _DEEPEST:
            raise StripeError(400, f"Invalid request: parameters are nested more than {_DEEPEST} deep.")
        _put(result, path, value)
    return {key: _lists(value) for key, value in result.items()}


def _put(target: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        if part == "":
            part = str(len(target))
        target = target.setdefault(part, {})
        if not isinstance(target, dict):
            raise StripeError(400, "Invalid request: a parameter is both a value and a map.")
    last = path[-1]
    target[str(len(target)) if last == "" else last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
