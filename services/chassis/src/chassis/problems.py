"""Refusals as RFC 9457 problem documents: a stable code, a sentence a stranger understands, and the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from event_schemas.sentences import place, sentence

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(BaseModel):
    """The body of every refusal. `type` is `urn:settled:problem:<code>`."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None


class Problem(Exception):
    """A refusal on its way to the caller."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        """The problem document as an HTTP response."""
        body = {
            "type": f"urn:settled:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **({"field": self.field} if self.field else {}),
            **self.members,
        }
        return JSONResponse(body, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every refusal of the app, its own and the framework's, a problem document."""

    @app.exception_handler(Problem)
    async def own(_: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return Problem(422, "invalid_request", _told(first), field=field).response()

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        code, detail = {
            404: ("not_found", f"{request.url.path} is not a path of this service: GET /openapi.json lists them"),
            405: ("method_not_allowed", f"{request.url.path} does not take {request.method}"),
        }.get(error.status_code, ("refused", str(error.detail)))
        headers = dict(error.headers) if error.headers else None
        return Problem(error.status_code, code, detail, headers=headers).response()


def _told(fault: Mapping[str, Any]) -> str:
    """A fault of a request: parameters by their names, members of the body by their place in it."""
    part, *where = fault["loc"]
    if fault["type"] == "json_invalid":
        return f"the body is not JSON: look at character {where[0] if where else 0}"
    return sentence(fault, name=place(where) or f"the {part}")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry for these refusals of a route."""
    schema = {"schema": ProblemDocument.model_json_schema()}
    return {status: {"description": "Refused", "content": {MEDIA_TYPE: schema}} for status in statuses}
