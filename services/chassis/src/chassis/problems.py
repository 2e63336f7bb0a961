"""Refusals as RFC 9457 problem documents: a stable code, a sentence a stranger understands, and the field."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

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
        return Problem(422, "invalid_request", first["msg"], field=field).response()

    @app.exception_handler(HTTPException)
    async def framework(_: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        headers = dict(error.headers) if error.headers else None
        return Problem(error.status_code, code, str(error.detail), headers=headers).response()


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry for these refusals of a route."""
    schema = {"schema": ProblemDocument.model_json_schema()}
    return {status: {"description": "Refused", "content": {MEDIA_TYPE: schema}} for status in statuses}
