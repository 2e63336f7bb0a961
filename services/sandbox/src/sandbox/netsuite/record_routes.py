"""The record service: collections, single records by id or external id, their sublists, transformations."""

from __future__ import annotations

from dataclasses import replace

from sandbox.documents import Body
from sandbox.netsuite.errors import absent, forbidden, parameter, request_error, unsupported
from sandbox.netsuite.operations import RECORD, Work, no_resource, only, wrong_method
from sandbox.netsuite.records import saving
from sandbox.netsuite.records.catalogue import GROUPS, RECORDS
from sandbox.netsuite.records.filtering import filtering
from sandbox.netsuite.records.reading import Given, Reader, check_external_id
from sandbox.netsuite.records.saving import Order
from sandbox.netsuite.records.showing import Shower
from sandbox.netsuite.records.transforming import TARGETS, begun
from sandbox.netsuite.records.types import RecordType
from sandbox.netsuite.replies import COLLECTION, Reply, Request, answered, page, paged, saved

_NAMES, _VALUES = "x-netsuite-propertynamevalidation", "x-netsuite-propertyvaluevalidation"


def records(work: Work, request: Request, kind: RecordType, more: list[str]) -> Reply:
    """A request about records of a type; `more` is what follows the type in the path."""
    _refuse_async(request)
    if not more:
        return _collection(work, request, kind)
    if len(more) == 3 and more[1] == "!transform":
        return only("POST", request, lambda: _transform(work, request, kind, more[0], more[2]))
    if len(more) == 1:
        return _one(work, request, kind, more[0])
    return only("GET", request, lambda: _below(work, request, kind, more))


def _refuse_async(request: Request) -> None:
    if "respond-async" in request.headers.get("prefer", "").lower():
        raise unsupported("asynchronous requests", where="o:errorHeader", place="Prefer")
    if "type=collection" in request.headers.get("content-type", "").lower():
        raise unsupported("batches", where="o:errorHeader", place="Content-Type")


def _reader(work: Work, request: Request) -> Reader:
    """How strictly names are taken. Values are always checked: to have them ignored is refused."""
    defaults = ((_NAMES, work.book.answers.unknown_names), (_VALUES, "Error"))
    names, values = (request.headers.get(one, default) for one, default in defaults)
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
        raise wrong_method(request)
    parameters = request.parameters("q", "limit", "offset")
    limit, offset = page(parameters)
    fits = filtering(kind, parameters["q"]) if "q" in parameters else lambda record: True
    shower = _shower(work, request, {})
    records = sorted(filter(fits, work.book.records[kind.name].values()), key=lambda record: int(record["id"]))
    items = [{"links": [{"rel": "self", "href": shower.link(one)}], "id": one["id"]} for one in records]
    url = request.base + request.path
    return answered(paged(items, limit=limit, offset=offset, url=url, q=parameters.get("q")), kind=COLLECTION)


def _must_be_written(kind: RecordType) -> None:
    if kind.setup:
        raise unsupported(f"writing records of the type {kind.name}: they come from the company file")


def _one(work: Work, request: Request, kind: RecordType, id_: str) -> Reply:
    if request.method == "GET":
        parameters = request.parameters("expandSubResources", "simpleEnumFormat", "fields")
        shown = _shower(work, request, parameters).show(_found(work, request, kind, id_))
        return answered(_only_fields(kind, shown, parameters.get("fields")))
    if request.method not in ("PATCH", "PUT", "DELETE"):
        raise wrong_method(request)
    _must_be_written(kind)
    if request.method == "DELETE":
        request.parameters()
        saving.delete(work.book, _found(work, request, kind, id_), work.order)
        return Reply(204)
    if request.method == "PUT" and not id_.startswith("eid:"):
        raise wrong_method(request)
    order = _replacing(kind, request, work.order)
    given = _reader(work, request).read(kind, request.json())
    if request.method == "PUT" and work.book.answers.put_lines == "replaced":
        order = replace(order, replace=order.replace | given.lines.keys())
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
        raise no_resource(request)
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
