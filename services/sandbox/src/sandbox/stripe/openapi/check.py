"""
Checks requests and answers against Stripe's OpenAPI document.

Requests of v1 come as form fields, so a number is text that reads as one; requests of v2 are JSON. Enums that Stripe
marks as open (`x-stripeBypassValidation`) take any value. Fields newer than the document are listed in `newer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sandbox.stripe.errors import StripeError, invalid, missing, unknown
from sandbox.stripe.openapi import newer
from sandbox.stripe.openapi.document import read_document

Schema = dict[str, Any]
_PREFIX = "#/components/schemas/"
_DECIMAL = re.compile(r"-?\d+(\.\d+)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way in which a value does not hold. `where` is written as Stripe names parameters: `items[0][price]`."""

    kind: Literal["unknown", "missing", "invalid"]
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}"


class _Walk:
    """Holds a value against a schema."""

    def __init__(self, schemas: dict[str, Schema], *, form: bool, strict: bool) -> None:
        self._schemas = schemas
        self._form = form
        self._strict = strict  # a property that the schema does not name is a flaw

    def flaws(self, schema: Schema, value: Any, where: str) -> Iterator[Flaw]:
        """What does not hold, in order of the value's fields."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].removeprefix(_PREFIX)]
        if value is None:
            if not schema.get("nullable", False) and schema and not self._form:
                yield Flaw("invalid", where, "is null and may not be")
            return
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            yield from self._any_of(branches, value, where)
            return
        kind = schema.get("type")
        if kind == "object":
            yield from self._object(schema, value, where)
        elif kind == "array":
            yield from self._array(schema, value, where)
        elif kind is not None:
            yield from self._plain(schema, kind, value, where)

    def _any_of(self, branches: list[Schema], value: Any, where: str) -> Iterator[Flaw]:
        best: list[Flaw] | None = None
        for branch in branches:
            found = list(self.flaws(branch, value, where))
            if not found:
                return
            if best is None or _depth(found) > _depth(best):
                best = found
        yield from best or ()

    def _object(self, schema: Schema, value: Any, where: str) -> Iterator[Flaw]:
        if not isinstance(value, dict):
            yield Flaw("invalid", where, "is not an object")
            return
        properties: dict[str, Schema] = schema.get("properties", {})
        extra = schema.get("additionalProperties")
        newest = newer.RESPONSE_FIELDS.get(str(value.get("object")), frozenset()) if not self._form else frozenset()
        for name, inner in value.items():
            place = f"{where}[{name}]" if where else str(name)
            if name in properties:
                yield from self.flaws(properties[name], inner, place)
            elif isinstance(extra, dict):
                yield from self.flaws(extra, inner, place)
            elif extra is False or (self._strict and properties and name not in newest):
                yield Flaw("unknown", place, "is not in the document")
        for name in schema.get("required", ()):
            if name not in value:
                yield Flaw("missing", f"{where}[{name}]" if where else name, "is required")

    def _array(self, schema: Schema, value: Any, where: str) -> Iterator[Flaw]:
        if not isinstance(value, list):
            yield Flaw("invalid", where, "is not an array")
            return
        for number, item in enumerate(value):
            yield from self.flaws(schema.get("items", {}), item, f"{where}[{number}]")

    def _plain(self, schema: Schema, kind: str, value: Any, where: str) -> Iterator[Flaw]:
        if not (_reads_as(kind, value) if self._form else _is(kind, value)):
            yield Flaw("invalid", where, f"is not a valid {kind}")
            return
        allowed = schema.get("enum")
        if allowed is not None and value not in allowed and not schema.get("x-stripeBypassValidation"):
            yield Flaw("invalid", where, f"must be one of {', '.join(map(str, allowed[:20]))}")
        if "maxLength" in schema and len(str(value)) > schema["maxLength"]:
            yield Flaw("invalid", where, f"must be at most {schema['maxLength']} characters")
        if schema.get("format") == "decimal" and isinstance(value, str) and not _DECIMAL.match(value):
            yield Flaw("invalid", where, "is not a valid decimal")
        if "pattern" in schema and not self._form and not re.search(schema["pattern"], str(value)):
            yield Flaw("invalid", where, "does not have the form that the document asks for")


def _depth(flaws: list[Flaw]) -> int:
    return max(flaw.where.count("[") for flaw in flaws)


def _reads_as(kind: str, value: Any) -> bool:
    if isinstance(value, dict | list):
        return False
    text = str(value)
    if kind == "integer":
        return bool(re.fullmatch(r"-?\d{1,18}", text, re.ASCII))
    if kind == "number":
        return bool(_DECIMAL.match(text))
    return kind != "boolean" or text in ("true", "false")


def _is(kind: str, value: Any) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if kind == "boolean" else str)


class RequestChecker:
    """Holds requests against the document."""

    def __init__(self, document: Schema | None = None) -> None:
        self._document = document if document is not None else read_document()
        self._schemas: dict[str, Schema] = self._document["components"]["schemas"]
        self._shape = cache(self._make_shape)

    def flaws(self, method: str, path: str, params: dict[str, Any]) -> list[str]:
        """What does not hold, in words; empty when all does. `path` as the document writes it: `/v1/prices/{price}`."""
        return [str(flaw) for flaw in self._find(method, path, params)]

    def require(self, method: str, path: str, params: dict[str, Any]) -> None:
        """Raises StripeError as Stripe would for the first thing that does not hold."""
        for flaw in self._find(method, path, params):
            if flaw.kind == "unknown":
                raise unknown(flaw.where)
            if flaw.kind == "missing":
                raise missing(flaw.where)
            raise _refusal(flaw)

    def _find(self, method: str, path: str, params: dict[str, Any]) -> Iterator[Flaw]:
        shape = self._shape(method, path)
        if shape is None:
            yield Flaw("unknown", path, f"{method} is not in the document")
            return
        form = path.startswith("/v1/") or method in ("GET", "DELETE")
        yield from _Walk(self._schemas, form=form, strict=True).flaws(shape, params, "")

    def _make_shape(self, method: str, path: str) -> Schema | None:
        operation = self._document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return None
        content = operation.get("requestBody", {}).get("content", {})
        body: Schema = next((media["schema"] for media in content.values()), {})
        if method == "POST":
            return body
        queried = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
        own = body.get("properties", {})  # what a DELETE may say in its body, the SDK says in the query
        return {
            "type": "object",
            "properties": {**own, **{parameter["name"]: parameter["schema"] for parameter in queried}},
            "required": [parameter["name"] for parameter in queried if parameter.get("required")],
            "additionalProperties": False,
        }


def _refusal(flaw: Flaw) -> StripeError:
    kind = flaw.detail.rpartition(" ")[2]
    codes = {"integer": "parameter_invalid_integer"}
    return invalid(flaw.where, f"Invalid value for {flaw.where}: {flaw.detail}", code=codes.get(kind))


class ResponseChecker:
    """Holds answers against the document."""

    def __init__(self, document: Schema | None = None) -> None:
        self._document = document if document is not None else read_document()
        self._walk = _Walk(self._document["components"]["schemas"], form=False, strict=True)

    def flaws(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What does not hold, in words; empty when all does. Any status but 200 is held against the error schema."""
        operation = self._document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return [f"{method} {path} is not in the document"]
        answer = operation["responses"]["200" if status == 200 else "default"]
        schema = answer["content"]["application/json"]["schema"]
        if status != 200:
            schema = {"$ref": f"{_PREFIX}error"}
        return [str(flaw) for flaw in self._walk.flaws(schema, body, "")]
