"""The metadata catalogue: which records there are, and their OpenAPI document and JSON Schema, from the catalogue."""

from __future__ import annotations

from typing import Any

from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.records.types import Field, RecordType

_SHAPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number", "format": "double"},
    "integer": {"type": "integer", "format": "int64"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
}
_REFERENCE = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "externalId", "refName")}}


def catalogue(base: str, names: list[str]) -> dict[str, Any]:
    """The list of record types, each with where its descriptions are."""
    return {"items": [{"name": name, "links": _links(base, name)} for name in names]}


def _links(base: str, name: str) -> list[dict[str, str]]:
    kinds = ("application/json", "application/swagger+json", "application/schema+json")
    return [{"rel": "alternate", "href": f"{base}/metadata-catalog/{name}", "mediaType": kind} for kind in kinds]


def _field_schema(field: Field) -> dict[str, Any]:
    shape = _REFERENCE if field.kind in ("ref", "enum") else _SHAPES[field.kind]
    length = {"maxLength": field.most} if field.kind == "text" else {}
    return {"title": field.label, "nullable": True, **shape, **length, **({"readOnly": True} if field.computed else {})}


def schema(kind: RecordType) -> dict[str, Any]:
    """One record's JSON Schema."""
    properties: dict[str, Any] = {"id": {"type": "string", "readOnly": True}}
    properties |= {name: _field_schema(field) for name, field in kind.fields.items()}
    for name, sublist in kind.sublists.items():
        line = {"type": "object", "properties": {key: _field_schema(one) for key, one in sublist.fields.items()}}
        properties[name] = {"type": "object", "properties": {"items": {"type": "array", "items": line}}}
    return {"type": "object", "title": kind.label, "properties": properties}


def openapi(base: str, names: list[str]) -> dict[str, Any]:
    """An OpenAPI document of some record types."""
    paths: dict[str, Any] = {}
    for name in names:
        body = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
        done = {"responses": {"204": {"description": "No Content"}}}
        shown = {"responses": {"200": {"description": "OK", **body}}}
        writes = {} if RECORDS[name].setup else {"post": {"requestBody": body, **done}}
        changes = {verb: {"requestBody": body, **done} for verb in ("patch", "put")} | {"delete": done}
        paths[f"/{name}"] = {"get": shown, **writes}
        paths[f"/{name}/{{id}}"] = {"get": shown, **({} if RECORDS[name].setup else changes)}
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"schemas": {name: schema(RECORDS[name]) for name in names}},
    }
