"""A request read whole, and an answer on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from sandbox.documents import decode, encoder
from sandbox.netsuite.errors import NetSuiteError, content, parameter, request_error

JSON = "application/vnd.oracle.resource+json; type=singular"
COLLECTION = "application/vnd.oracle.resource+json; type=collection"
ERROR = "application/vnd.oracle.resource+json; type=error"
LARGEST_PAGE = 1000


@dataclass(slots=True)
class Request:
    """One request. `base` is scheme and host as the client called them; header names are in lower case."""

    method: str
    path: str
    query: str
    base: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def url(self) -> str:
        """The whole URL with its query."""
        return f"{self.base}{self.path}{'?' + self.query if self.query else ''}"

    def parameters(self, *known: str) -> dict[str, str]:
        """The query's parameters. Raises NetSuiteError for one that is not known, or comes twice."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            if name not in known or name in found:
                raise parameter(f"Invalid query parameter name. Parameter '{name}' is not allowed.", name)
            found[name] = value
        return found

    def json(self) -> Any:
        """The body. Raises NetSuiteError where it is no JSON, or the header says that it is something else."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise request_error("Set the Content-Type header to application/json.", "o:errorHeader", "Content-Type")
        try:
            return decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise content("Invalid content in the request body. Provide a valid JSON.", None) from None


@dataclass(slots=True)
class Reply:
    """An answer on its way."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answered(body: Any, *, kind: str = JSON) -> Reply:
    """200 with JSON."""
    return Reply(200, encoder.encode(body), {"Content-Type": kind})


def saved(location: str, ignored: list[str]) -> Reply:
    """204 with where the record is. Names that were no field are told in a Warning header (assumption N5)."""
    headers = {"Location": location}
    if ignored:
        headers["Warning"] = f'199 - "Unknown fields were ignored: {", ".join(ignored)[:500]}"'
    return Reply(204, b"", {name: value.replace("\n", " ").replace("\r", " ") for name, value in headers.items()})


def refusal(error: NetSuiteError) -> Reply:
    """An error as an answer."""
    return Reply(error.status, encoder.encode(error.body()), {"Content-Type": ERROR, **error.headers})


def page(parameters: Mapping[str, str]) -> tuple[int, int]:
    """(limit, offset). Raises NetSuiteError: not whole numbers, above 1000, or an offset that is no multiple."""
    limit = _whole(parameters, "limit", LARGEST_PAGE)
    offset = _whole(parameters, "offset", 0)
    if not 1 <= limit <= LARGEST_PAGE:
        raise parameter(f"Provide a limit from 1 to {LARGEST_PAGE}.", "limit")
    if offset % limit:
        raise parameter("The offset must be divisible by the limit.", "offset")
    return limit, offset


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise parameter(f"Invalid value '{text[:40]}' of the parameter. Provide a whole number.", name)
    return int(text)


def paged(items: list[Any], *, limit: int, offset: int, url: str, q: str | None = None) -> dict[str, Any]:
    """One page of a collection; its links lead to itself and to the next page of the same question."""
    asked = f"{url}?{urlencode({'q': q}) + '&' if q is not None else ''}"
    shown = items[offset : offset + limit]
    more = offset + limit < len(items)
    links = [{"rel": "self", "href": f"{asked}limit={limit}&offset={offset}"}]
    if more:
        links.insert(0, {"rel": "next", "href": f"{asked}limit={limit}&offset={offset + limit}"})
    return {
        "links": links,
        "count": len(shown),
        "hasMore": more,
        "items": shown,
        "offset": offset,
        "totalResults": len(items),
    }
