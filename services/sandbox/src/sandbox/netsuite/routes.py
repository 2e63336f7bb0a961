"""The REST surface: which path is which operation, and what each answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from sandbox.documents import Body
from sandbox.netsuite.auth.access import Caller
from sandbox.netsuite.errors import (
    NetSuiteError,
    absent,
    forbidden,
    missing,
    parameter,
    query_error,
    request_error,
    unsupported,
)
from sandbox.netsuite.records import metadata, saving
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import GROUPS, RECORDS
from sandbox.netsuite.records.filtering import filtering
from sandbox.netsuite.records.reading import Given, Reader, check_external_id
from sandbox.netsuite.records.saving import Order
from sandbox.netsuite.records.showing import Shower
from sandbox.netsuite.records.transforming import TARGETS, begun
from sandbox.netsuite.records.types import RecordType
from sandbox.netsuite.replies import COLLECTION, Reply, Request, answered, page, paged, saved
from sandbox.netsuite.suiteql.evaluate import answer
from sandbox.netsuite.suiteql.parser import parse
from sandbox.netsuite.suiteql.tree import QueryError, Value

ROOT = "/services/rest"
RECORD, SUITEQL = f"{ROOT}/record/v1", f"{ROOT}/query/v1/suiteql"
LIMITS = f"{ROOT}/system/v1/governanceLimits"
_NAMES, _VALUES = "x-netsuite-propertynamevalidation", "x-netsuite-propertyvaluevalidation"


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation needs: the records, who asks, how to save, and the account's concurrency limit."""

    book: Book
    caller: Caller
    order: Order
    concurrency: int


def carry_out(work: Work, request: Request) -> Reply:
    """One operation, whole and without awaiting. Raises NetSuiteError, and then nothing has changed."""
    if request.path == SUITEQL:
        return _suiteql(work, request)
    if request.path == LIMITS:
        return _only("GET", request, lambda: answered({"accountConcurrencyLimit": work.concurrency}))
    parts = [unquote(part) for part in request.path.removeprefix(RECORD).strip("/").split("/")]
    if not request.path.startswith(f"{RECORD}/"):
        raise _no_resource(request)
    if parts[0] == "metadata-catalog" and len(parts) <= 2:
        return _only("GET", request, lambda: _metadata(work, request, parts[1:]))
    if parts[0] not in RECORDS:
        raise _no_resource(request)
    kind, more = RECORDS[parts[0]], parts[1:]
    if not work.caller.role.may(kind.name, write=request.method != "GET"):
        raise forbidden(kind.label)
    _refuse_async(request)
    if not more:
        return _collection(work, request, kind)
    if len(more) == 3 and more[1] == "!transform":
        return _only("POST", request, lambda: _transform(work, request, kind, more[0], more[2]))
    if len(more) == 1:
        return _one(work, request, kind, more[0])
    return _only("GET", request, lambda: _below(work, request, kind, more))


def _only(method: str, request: Request, run: Callable[[], Reply]) -> Reply:
    if request.method != method:
        raise _wrong_method(request)
    return run()


def _no_resource(request: Request) -> NetSuiteError:
    said = f"Record type or resource '{request.path.rpartition('/')[2]}' does not exist."
    return NetSuiteError(404, "INVALID_URL", said, where="o:errorUrl", place=request.path)


def _wrong_method(request: Request) -> NetSuiteError:
    said = f"The method {request.method} is not allowed for this resource."
    return NetSuiteError(405, "INVALID_METHOD", said, where="o:errorUrl", place=request.path)


def _refuse_async(request: Request) -> None:
    if "respond-async" in request.headers.get("prefer", "").lower():
        raise unsupported("asynchronous requests", where="o:errorHeader", place="Prefer")
    if "type=collection" in request.headers.get("content-type", "").lower():
        raise unsupported("batches", where="o:errorHeader", place="Content-Type")


# -- records ------------------------------------------------------------------------------------------------------


def _reader(work: Work, request: Request) -> Reader:
    """How strictly names are taken. Values are always checked: to have them ignored is refused."""
    names, values = (request.headers.get(one, default) for one, default in ((_NAMES, "Warning"), (_VALUES, "Error")))
    for name, value in ((_NAMES, names), (_VALUES, values)):
        if value.lower() not in ("error", "warning", "ignore"):
            raise request_error(f"Invalid header value '{value[:40]}'.", "o:errorHeader", name)
    if values.lower() != "error":
        raise unsupported("a property value validation other than Error", where="o:errorHeader", place=_VALUES)
    return Reader(work.book, strict_names=names.lower() == "error")


def _shower(work: Work, request: Request, parameters: dict[str, str]) -> Shower:
    expand, simple = (_flag(parameters, name) for name in ("expandSubResources", "simpleEnumFormat"))
    return Shower(work.book, f"{request.base}{RECORD}", simple_enums=simple, expand=expand)


def _flag(parameters: dict[str, str], name: str) -> bool:
    text = parameters.get(name, "false")
    if text not in ("true", "false"):
        raise parameter("Provide true or false.", name)
    return text == "true"


def _found(work: Work, request: Request, kind: RecordType, id_: str) -> Body:
    """The record of an id or `eid:`; an external id of another type of the group is not found here."""
    if id_.startswith("eid:"):
        holder = work.book.by_external(GROUPS[kind.name], id_.removeprefix("eid:"))
        id_ = holder[1] if holder is not None and holder[0] == kind.name else ""
    record = work.book.get(kind.name, id_)
    if record is None:
        raise absent(request.path)
    return record


def _collection(work: Work, request: Request, kind: RecordType) -> Reply:
    if request.method == "POST":
        _must_be_written(kind)
        request.parameters()
        given = _reader(work, request).read(kind, request.json())
        record = saving.create(work.book, kind, given, work.order)
        return saved(f"{request.base}{RECORD}/{kind.name}/{record['id']}", given.ignored)
    if request.method != "GET":
        raise _wrong_method(request)
    parameters = request.parameters("q", "limit", "offset")
    limit, offset = page(parameters)
    fits = filtering(kind, parameters["q"]) if "q" in parameters else lambda record: True
    shower = _shower(work, request, {})
    records = sorted(filter(fits, work.book.records[kind.name].values()), key=lambda record: int(record["id"]))
    items = [{"links": [{"rel": "self", "href": shower.link(one)}], "id": one["id"]} for one in records]
    return answered(paged(items, limit=limit, offset=offset, url=request.base + request.path), kind=COLLECTION)


def _must_be_written(kind: RecordType) -> None:
    if kind.setup:
        raise unsupported(f"writing records of the type {kind.name}: they come from the company file")


def _one(work: Work, request: Request, kind: RecordType, id_: str) -> Reply:
    if request.method == "GET":
        parameters = request.parameters("expandSubResources", "simpleEnumFormat", "fields")
        shown = _shower(work, request, parameters).show(_found(work, request, kind, id_))
        return answered(_only_fields(kind, shown, parameters.get("fields")))
    if request.method not in ("PATCH", "PUT", "DELETE"):
        raise _wrong_method(request)
    _must_be_written(kind)
    if request.method == "DELETE":
        request.parameters()
        saving.delete(work.book, _found(work, request, kind, id_), work.order)
        return Reply(204)
    if request.method == "PUT" and not id_.startswith("eid:"):
        raise _wrong_method(request)
    order = _replacing(kind, request, work.order)
    given = _reader(work, request).read(kind, request.json())
    record = _upserted(work, kind, id_.removeprefix("eid:"), given, order) if request.method == "PUT" else None
    if record is None:
        record = saving.change(work.book, kind, _found(work, request, kind, id_), given, order)
    return saved(f"{request.base}{RECORD}/{kind.name}/{record['id']}", given.ignored)


def _upserted(work: Work, kind: RecordType, external: str, given: Given, order: Order) -> Body | None:
    """The new record of an upsert; None where it is there already and is to be changed."""
    holder = work.book.by_external(GROUPS[kind.name], external)
    if holder is not None and holder[0] == kind.name:
        return None
    check_external_id(external)
    return saving.create(work.book, kind, given, order, external=external)  # refuses an id that another type has


def _replacing(kind: RecordType, request: Request, order: Order) -> Order:
    parameters = request.parameters("replace", "replaceSelectedFields")
    names = frozenset(filter(None, parameters.get("replace", "").split(",")))
    for name in names:
        if name not in kind.sublists and name not in kind.fields:
            raise parameter(f"'{name}' is no field or sublist of {kind.name}.", "replace")
    return replace(order, replace=names, resets=_flag(parameters, "replaceSelectedFields"))


def _only_fields(kind: RecordType, shown: Body, fields: str | None) -> Body:
    if fields is None:
        return shown
    names = fields.split(",")
    for name in names:
        if name not in kind.fields and name not in kind.sublists:
            raise parameter(f"'{name}' is no field or sublist of {kind.name}.", "fields")
    return {name: value for name, value in shown.items() if name in ("links", "id", *names)}


def _below(work: Work, request: Request, kind: RecordType, parts: list[str]) -> Reply:
    """A sublist, or one line of it."""
    record = _found(work, request, kind, parts[0])
    if parts[1] not in kind.sublists or len(parts) > 3:
        raise _no_resource(request)
    shower = _shower(work, request, request.parameters("expandSubResources", "simpleEnumFormat"))
    shown = shower.lines(record, parts[1])
    if len(parts) == 2:
        return answered({"links": [{"rel": "self", "href": shower.link(record, parts[1])}], **shown}, kind=COLLECTION)
    key = (*kind.sublists[parts[1]].keys, "line")[0]
    for line, item in zip(record["lines"].get(parts[1], ()), shown["items"], strict=True):
        if str(line.get(key)) == parts[2]:
            return answered(item)
    raise absent(request.path)


def _transform(work: Work, request: Request, kind: RecordType, id_: str, target: str) -> Reply:
    source = _found(work, request, kind, id_)
    if target not in TARGETS.get(kind.name, ()):
        raise unsupported(f"the transformation of {kind.name} into {target}", where="o:errorUrl", place=request.path)
    if not work.caller.role.may(target, write=True):
        raise forbidden(RECORDS[target].label)
    given = _reader(work, request).read(RECORDS[target], request.json() if request.body else {})
    made = saving.create(work.book, RECORDS[target], begun(work.book, source, target, given), work.order)
    return saved(f"{request.base}{RECORD}/{target}/{made['id']}", given.ignored)


def _metadata(work: Work, request: Request, named: list[str]) -> Reply:
    wanted = request.parameters("select").get("select")
    names = named or (wanted.split(",") if wanted else list(RECORDS))
    unknown = [name for name in names if name not in RECORDS]
    if unknown and named:
        raise _no_resource(request)
    if unknown:
        raise parameter(f"Record type '{unknown[0]}' does not exist.", "select")
    base, accept = f"{request.base}{RECORD}", request.headers.get("accept", "application/json")
    if "application/swagger+json" in accept:
        return answered(metadata.openapi(base, names), kind="application/swagger+json")
    if "application/schema+json" in accept:
        if not named:
            raise request_error("Name one record type in the URL.", "o:errorHeader", "Accept")
        return answered(metadata.schema(RECORDS[named[0]]), kind="application/schema+json")
    return answered(metadata.catalogue(base, names))


# -- SuiteQL ------------------------------------------------------------------------------------------------------


def _suiteql(work: Work, request: Request) -> Reply:
    if request.method != "POST":
        raise _wrong_method(request)
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
