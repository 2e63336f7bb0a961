"""
The OpenAPI entry of POST /v1/events, written by hand since the hot route is no FastAPI route.

A test calls the route for every answer listed here and holds each answer against its schema.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from chassis.problems import MEDIA_TYPE, ProblemDocument
from event_schemas.events.conversation_signal_v1 import ConversationSignalEvent
from event_schemas.events.resolution_v1 import ResolutionEvent
from event_schemas.events.usage_v1 import UsageEvent
from usage_ingest.domain.limits import BODY_BYTES_MAX, EVENTS_MAX

_REF = "#/components/schemas/{model}"
_EVENT = {"$ref": "#/components/schemas/ProductEvent"}
_BATCH = {"type": "array", "items": _EVENT, "maxItems": EVENTS_MAX}
_DATA = {
    "anyOf": [
        {"$ref": f"#/components/schemas/{name}"} for name in ("ConversationSignalData", "ResolutionData", "UsageData")
    ],
    "description": "in binary mode: the event's data",
}
_COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: dict[str, Any] = {
    "EventResult": {
        "type": "object",
        "description": "What became of one event. `id` and `source` are null where the event has no valid ones.",
        "properties": {
            "id": {"type": ["string", "null"]},
            "source": {"type": ["string", "null"]},
            "status": {"enum": ["accepted", "quarantined", "refused", "not_stored"]},
            "reason": {"type": "string", "description": "a stable code, unless accepted"},
            "field": {"type": "string", "description": "where in the event"},
            "detail": {"type": "string", "description": "a sentence for people"},
        },
        "required": ["id", "source", "status"],
        "additionalProperties": False,
    },
    "IntakeAnswer": {
        "type": "object",
        "description": "One result for each event, in the order of the request.",
        "properties": {
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/EventResult"}},
            "accepted": _COUNT,
            "quarantined": _COUNT,
            "refused": _COUNT,
        },
        "required": ["results", "accepted", "quarantined", "refused"],
        "additionalProperties": False,
    },
    "IntakeProblem": {
        "allOf": [{"$ref": "#/components/schemas/ProblemDocument"}],
        "type": "object",
        "description": "A refusal; with results where the events were looked at.",
        "properties": {
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/EventResult"}},
            "accepted": _COUNT,
            "quarantined": _COUNT,
            "refused": _COUNT,
            "not_stored": _COUNT,
        },
    },
}

_BINARY_HEADERS = [
    {
        "name": f"ce-{name}",
        "in": "header",
        "required": False,
        "description": f"binary mode: the attribute `{name}`, percent-encoded",
        "schema": {"type": "string"},
    }
    for name in ("specversion", "id", "source", "type", "subject", "time", "customer")
]

_REFUSALS = {
    400: "The body is no JSON, of the wrong shape, nested too deep, or cut off, or a `ce-` header is no text; "
    "nothing was stored",
    401: "No valid key",
    403: "The key may send none of these events; nothing was stored",
    408: "The body did not arrive in time; nothing was stored",
    413: f"More than {EVENTS_MAX} events or {BODY_BYTES_MAX} bytes, or more than the key's burst; nothing was stored",
    415: "Not a content type, charset or coding that is taken",
    429: "The key's quota is used up for now; nothing was stored. Retry-After says when to send again",
    503: "Some events could not be stored, or the service is starting or overloaded. Sending all again is safe",
}


_RETRY_AFTER = {
    "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}, "required": True}
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"const": "Bearer"}, "required": True}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


def _refusal(status: int, description: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="IntakeProblem")}}}
    return {"description": description, "headers": _HEADERS.get(status, {}), "content": content}


OPERATION: dict[str, Any] = {
    "operationId": "send_events",
    "tags": ["events"],
    "summary": "Send events",
    "description": (
        f"Takes one CloudEvent or a batch: at most {EVENTS_MAX} events and {BODY_BYTES_MAX} bytes. 202 is answered "
        "once every event is stored: on the bus (`accepted`) or in the quarantine (`quarantined`), each with its "
        "result. Events outside the key's scope are `refused` and not stored. An empty batch is valid. Sending the "
        "same event again is safe: it counts once. An event may also come in CloudEvents' binary mode: its attributes "
        "as `ce-` headers, percent-encoded, its `data` alone as a body of type application/json; a header "
        "`ce-specversion` or `ce-id` beside that type says so."
    ),
    "security": [{"bearer": []}],
    "parameters": _BINARY_HEADERS,
    "x-guarded-by": "a sender's key, with its sources, customers and quota",
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": _EVENT},
            "application/cloudevents-batch+json": {"schema": _BATCH},
            "application/json": {"schema": {"oneOf": [_EVENT, _BATCH, _DATA]}},
        },
    },
    "responses": {
        "202": {
            "description": "Everything that is allowed is stored; see each result",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/IntakeAnswer"}}},
        },
        **{str(status): _refusal(status, description) for status, description in _REFUSALS.items()},
    },
}


def install(app: FastAPI) -> None:
    """Add the hot route to the app's OpenAPI document."""
    generated = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None or "/v1/events" not in app.openapi_schema["paths"]:
            schema = generated()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
            schemas.update(SCHEMAS)
            schemas["ProductEvent"] = {"oneOf": _event_schemas(schemas)}
            schema["paths"]["/v1/events"] = {"post": OPERATION}
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign]


def _event_schemas(schemas: dict[str, Any]) -> list[dict[str, str]]:
    references = []
    for model in (ConversationSignalEvent, ResolutionEvent, UsageEvent):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
        references.append({"$ref": _REF.format(model=model.__name__)})
    return references
