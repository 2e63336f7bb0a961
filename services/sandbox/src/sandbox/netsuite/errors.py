"""Refusals in NetSuite's own words and shape. Source: "Error Handling in REST Web Services" (Oracle's online help)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

_SECTION = {400: "15.5.1", 401: "15.5.2", 403: "15.5.4", 404: "15.5.5", 405: "15.5.6", 406: "15.5.7", 409: "15.5.10"}
_RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-"
_TYPES = {status: _RFC + section for status, section in _SECTION.items()} | {
    429: "https://www.rfc-editor.org/rfc/rfc6585.html#section-4",
    500: _RFC + "15.6.1",
}
AUDIT_TRAIL = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles > "
    "User Management > View Login Audit Trail."
)
_ACCESSING = "Error while accessing a resource. "

Where = Literal["o:errorPath", "o:errorQueryParam", "o:errorHeader", "o:errorUrl"]


class NetSuiteError(Exception):
    """An error answer with one detail; `where` says which part of the request it is about and `place` which one."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        where: Where = "o:errorPath",
        place: str | None = None,
        title: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.where, self.place = where, place
        self.title = title or HTTPStatus(status).phrase
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        detail = {"detail": self.detail, "o:errorCode": self.code}
        if self.place is not None:
            detail[self.where] = self.place
        kind = _TYPES.get(self.status, "about:blank")
        return {"type": kind, "title": self.title, "status": self.status, "o:errorDetails": [detail]}


def content(detail: str, path: str | None) -> NetSuiteError:
    """The body has something at `path` that no such record can have."""
    return NetSuiteError(400, "INVALID_CONTENT", detail, place=path)


def invalid_value(value: object, field: str, path: str) -> NetSuiteError:
    """A field names what is not there, or what it may not name."""
    said = f"Error while accessing a resource. You have entered an Invalid Field Value {value} for the following field"
    return content(f"{said}: {field}", path)


def wrong_type(path: str, wanted: str) -> NetSuiteError:
    """A value is of another JSON type than its field."""
    field = path.rpartition(".")[2]
    return content(f"Invalid value for the resource or sub-resource field '{field}'. Provide {wanted}.", path)


def unknown_field(record: str, path: str) -> NetSuiteError:
    """The record has no such field, with X-NetSuite-PropertyNameValidation: Error."""
    field = path.rpartition(".")[2]
    return content(f"Unknown reference or field '{field}' of the resource '{record}'. Provide a known name.", path)


def user_error(detail: str, path: str | None = None, *, code: str = "USER_ERROR") -> NetSuiteError:
    """What the state of things, or a rule of the record, does not allow: the catch-all whose text decides."""
    return NetSuiteError(400, code, _ACCESSING + detail, place=path)


def missing(label: str, path: str | None = None) -> NetSuiteError:
    """A mandatory field has no value."""
    return user_error(f"Please enter value(s) for: {label}.", path)


def request_error(detail: str, where: Where, place: str) -> NetSuiteError:
    """Something is wrong with URL, query or headers."""
    return NetSuiteError(400, "INVALID_REQUEST", detail, where=where, place=place)


def parameter(detail: str, name: str) -> NetSuiteError:
    """A query parameter cannot be used."""
    return NetSuiteError(400, "INVALID_PARAMETER", detail, where="o:errorQueryParam", place=name)


def query_error(detail: str) -> NetSuiteError:
    """SuiteQL that is not understood."""
    said = f"Invalid search query. Detailed unprocessed description follows. {detail}"
    return NetSuiteError(400, "INVALID_PARAMETER", said, where="o:errorQueryParam", place="q")


def absent(url: str) -> NetSuiteError:
    """No record has this id."""
    said = "The record instance does not exist. Provide a valid record instance ID."
    return NetSuiteError(404, "NONEXISTENT_ID", said, where="o:errorUrl", place=url)


def invalid_login(*, bearer: bool = False) -> NetSuiteError:
    """Not let in. Why stands in the login audit alone."""
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="Invalid login attempt."'}
    return NetSuiteError(401, "INVALID_LOGIN", AUDIT_TRAIL, headers=headers if bearer else None)


def forbidden(what: str) -> NetSuiteError:
    """The role may not do it."""
    said = f"Permission Violation: You need the '{what}' permission to access this page."
    return NetSuiteError(403, "INSUFFICIENT_PERMISSION", said)


def too_many() -> NetSuiteError:
    """The account's concurrency limit. There is no Retry-After."""
    said = "Concurrent request limit exceeded. Request blocked."
    return NetSuiteError(429, "CONCURRENCY_LIMIT_EXCEEDED", said)


def changed_meanwhile() -> NetSuiteError:
    """Somebody else has the record."""
    return NetSuiteError(409, "RCRD_HAS_BEEN_CHANGED", _ACCESSING + "Record has been changed.")


def failure(error_id: str) -> NetSuiteError:
    """Something went wrong over there."""
    said = f"An unexpected error occurred. Error ID: {error_id}"
    return NetSuiteError(500, "UNEXPECTED_ERROR", said)


def unsupported(what: str, *, where: Where = "o:errorPath", place: str | None = None) -> NetSuiteError:
    """NetSuite has this; the stand-in would have to ignore it, and says so instead."""
    said = f"The stand-in of NetSuite does not carry out {what}."
    return NetSuiteError(400, "SANDBOX_UNSUPPORTED", said, where=where, place=place)
