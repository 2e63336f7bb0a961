"""The surface: every call that the stand-in carries out, by method and path below /api/v2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.avatax.desk import Answer, Call, Desk
from sandbox.avatax.resources import life, reading, recording, refunds, utilities

_DOCUMENT = "/companies/{companyCode}/transactions/{transactionCode}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `by_default` is what `$include` is where it is not there; `query` the parameters that it reads."""

    method: str
    path: str
    run: Callable[[Desk, Call], Answer]
    by_default: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset({"$include"})
    open_to_all: bool = False

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path."""
        return tuple(self.path.strip("/").split("/"))


_SHOWN = frozenset({"summary", "addresses"})
_OF_DOCUMENT = frozenset({"$include", "documenttype"})
_LIST = frozenset({"$include", "$filter", "$top", "$skip"})
_ADDRESS = frozenset(
    ("line1", "line2", "line3", "city", "region", "country", "postalcode", "textcase", "latitude", "longitude")
)

UNSUPPORTED_QUERY = frozenset({"$orderby", "datasourceid"})  # AvaTax has them; the stand-in would have to ignore them


def _on_document(name: str, run: Callable[[Desk, Call], Answer]) -> Operation:
    return Operation("POST", f"{_DOCUMENT}/{name}", run, query=_OF_DOCUMENT)


OPERATIONS = (
    Operation("GET", "/utilities/ping", utilities.ping, query=frozenset(), open_to_all=True),
    Operation("POST", "/transactions/create", recording.create, _SHOWN),
    Operation("POST", "/transactions/createoradjust", recording.create_or_adjust, _SHOWN),
    Operation("GET", "/transactions/{id}", reading.by_id),
    Operation("GET", "/companies/{companyCode}/transactions", reading.listed, query=_LIST),
    Operation("GET", _DOCUMENT, reading.by_code, query=_OF_DOCUMENT),
    Operation("GET", f"{_DOCUMENT}/types/{{documentType}}", reading.by_code_and_type),
    Operation("POST", f"{_DOCUMENT}/adjust", recording.adjust, _SHOWN, _OF_DOCUMENT),
    Operation("POST", f"{_DOCUMENT}/refund", refunds.refund, _SHOWN, _OF_DOCUMENT | {"usetaxdateoverride"}),
    _on_document("commit", life.commit),
    _on_document("uncommit", life.uncommit),
    _on_document("void", life.void),
    _on_document("unvoid", life.unvoid),
    _on_document("lock", life.lock),
    _on_document("changecode", life.change_code),
    _on_document("verify", life.verify),
    Operation("GET", "/addresses/resolve", utilities.resolve, query=_ADDRESS),
    Operation("POST", "/addresses/resolve", utilities.resolve, query=frozenset()),
    Operation("GET", "/definitions/taxcodes", utilities.tax_codes, query=frozenset({"$filter", "$top", "$skip"})),
    Operation("GET", "/definitions/entityusecodes", utilities.use_codes, query=frozenset()),
)

# Codes in a path cannot hold these as they are; the SDKs write them so.
_ENCODED = {"_-ava2f-_": "/", "_-ava2b-_": "+", "_-ava3f-_": "?", "_-ava25-_": "%", "_-ava23-_": "#"}


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation of a request, and what its path names, decoded. `path` begins behind /api/v2."""
    parts = path.strip("/").split("/")
    for operation in OPERATIONS:
        wanted = operation.segments
        if operation.method != method or len(wanted) != len(parts):
            continue
        if all(segment.startswith("{") or segment == part.lower() for segment, part in zip(wanted, parts, strict=True)):
            named = (part for segment, part in zip(wanted, parts, strict=True) if segment.startswith("{"))
            return operation, tuple(decoded(part) for part in named)
    return None


def decoded(part: str) -> str:
    """A code out of a path."""
    for code, character in _ENCODED.items():
        part = part.replace(code, character)
    return part
