"""SuiteQL over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.netsuite.errors import forbidden, missing, query_error, request_error
from sandbox.netsuite.operations import Work, wrong_method
from sandbox.netsuite.replies import COLLECTION, Reply, Request, answered, page, paged
from sandbox.netsuite.suiteql.evaluate import answer
from sandbox.netsuite.suiteql.parser import parse
from sandbox.netsuite.suiteql.tree import QueryError, Value


def suiteql(work: Work, request: Request) -> Reply:
    """One page of a query's rows."""
    if request.method != "POST":
        raise wrong_method(request)
    if request.headers.get("prefer", "").replace(" ", "").lower() != "transient":
        said = "The required request header 'Prefer' is missing or is not set to 'transient'."
        raise request_error(said, "o:errorHeader", "Prefer")
    if work.caller.role.records is not None and "suiteql" not in work.caller.role.records:
        raise forbidden("SuiteAnalytics Workbook")
    limit, offset = page(request.parameters("limit", "offset"))
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("q"), str) or body.keys() - {"q", "params"}:
        raise missing("q", "q")
    try:
        rows = answer(work.book, parse(body["q"], _bound(body.get("params", []))))
    except QueryError as error:
        raise query_error(str(error)) from None
    items = [{"links": [], **row} for row in rows]
    return answered(paged(items, limit=limit, offset=offset, url=request.base + request.path), kind=COLLECTION)


def _bound(given: Any) -> list[Value]:
    """Bound parameters: texts and numbers."""
    if not isinstance(given, list):
        raise QueryError("Search error occurred: params is a list.")
    bound: list[Value] = []
    for value in given:
        if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int, Decimal))):
            raise QueryError("Search error occurred: A parameter is a text or a number.")
        bound.append(Decimal(value) if isinstance(value, int) else value)
    return bound
