"""What the OpenAPI document says about keys, added to every operation in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from chassis.access_rules import GuardedRoute, routes_of
from chassis.problems import MEDIA_TYPE, ProblemDocument

SCHEME = "bearer"
_ABOUT = "Bearer stl_...: a key of the house, made by `settled keys create` or `python -m chassis keys create`"
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
_RESPONSES: dict[str, dict[str, Any]] = {
    "Unauthorized": {
        "description": "No valid key",
        "headers": {"WWW-Authenticate": {"schema": {"const": "Bearer"}, "required": True}},
        "content": _PROBLEM,
    },
    "Forbidden": {"description": "The key's scope is too small", "content": _PROBLEM},
}


def install(app: FastAPI) -> None:
    """Have the app's document name for each operation the scope that it asks for, or what guards it otherwise."""
    generated = app.openapi

    def document() -> dict[str, Any]:
        schema = generated()
        components = schema.setdefault("components", {})
        if "securitySchemes" not in components:
            _describe(schema, components, routes_of(app))
        return schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _describe(schema: dict[str, Any], components: dict[str, Any], routes: Iterable[GuardedRoute]) -> None:
    components["securitySchemes"] = {SCHEME: {"type": "http", "scheme": "bearer", "description": _ABOUT}}
    components.setdefault("schemas", {}).setdefault("ProblemDocument", ProblemDocument.model_json_schema())
    components.setdefault("responses", {}).update(_RESPONSES)
    for route in routes:
        operations = schema["paths"].get(route.template, {})
        for method in route.methods:
            if method.lower() in operations:
                _guard(operations[method.lower()], route, method)


def _guard(operation: dict[str, Any], route: GuardedRoute, method: str) -> None:
    if route.rule.otherwise:
        operation["security"] = []
        operation["x-guarded-by"] = route.rule.otherwise
        return
    operation["security"] = [{SCHEME: []}]
    operation["x-scope"] = str(route.rule.scope_for(method))
    for status, name in (("401", "Unauthorized"), ("403", "Forbidden")):
        operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
