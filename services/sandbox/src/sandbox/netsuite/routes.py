"""The REST surface: which path is which operation."""

from __future__ import annotations

from urllib.parse import unquote

from sandbox.netsuite.errors import forbidden, parameter, request_error
from sandbox.netsuite.operations import LIMITS, RECORD, SUITEQL, Work, no_resource, only
from sandbox.netsuite.query_route import suiteql
from sandbox.netsuite.record_routes import records
from sandbox.netsuite.records import metadata
from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.replies import Reply, Request, answered


def carry_out(work: Work, request: Request) -> Reply:
    """One operation, whole and without awaiting. Raises NetSuiteError, and then nothing has changed."""
    if request.path == SUITEQL:
        return suiteql(work, request)
    if request.path == LIMITS:
        return only("GET", request, lambda: answered({"accountConcurrencyLimit": work.concurrency}))
    parts = [unquote(part) for part in request.path.removeprefix(RECORD).strip("/").split("/")]
    if not request.path.startswith(f"{RECORD}/"):
        raise no_resource(request)
    if parts[0] == "metadata-catalog" and len(parts) <= 2:
        return only("GET", request, lambda: _metadata(work, request, parts[1:]))
    if parts[0] not in RECORDS:
        raise no_resource(request)
    kind, more = RECORDS[parts[0]], parts[1:]
    if not work.caller.role.may(kind.name, write=request.method != "GET"):
        raise forbidden(kind.label)
    return records(work, request, kind, more)


def _metadata(work: Work, request: Request, named: list[str]) -> Reply:
    wanted = request.parameters("select").get("select")
    names = named or (wanted.split(",") if wanted else list(RECORDS))
    unknown = [name for name in names if name not in RECORDS]
    if unknown and named:
        raise no_resource(request)
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
