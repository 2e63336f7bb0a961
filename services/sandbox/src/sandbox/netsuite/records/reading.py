"""A JSON body into values: every field of its type and of nothing else, every reference to something that is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.errors import content, invalid_value, unknown_field, unsupported, wrong_type
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.catalogue import GROUPS, REFUSED
from sandbox.netsuite.records.types import Field, RecordType, Sublist

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_IGNORED = frozenset({"links", "refName", "id"})  # a record that is sent back as it was read has them
MOST = Decimal(10) ** 15  # no amount, rate or quantity is as large


@dataclass(slots=True)
class Given:
    """What a body says: fields (null clears one) and lines of sublists; `ignored` are names that are no field."""

    fields: Body = field(default_factory=dict)
    lines: dict[str, list[Body]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads bodies. `strict_names` is X-NetSuite-PropertyNameValidation: Error; else unknown names are ignored."""

    book: Book
    strict_names: bool

    def read(self, kind: RecordType, body: Any) -> Given:
        """
        A whole body.

        Raises:
            NetSuiteError: INVALID_CONTENT with the path of what is wrong.
        """
        if not isinstance(body, dict):
            raise content("Invalid content in the request body. Provide a JSON object.", None)
        given = Given()
        for name, value in body.items():
            if name in kind.sublists:
                given.lines[name] = self._lines(kind, kind.sublists[name], name, value, given)
            elif name in kind.fields:
                if not kind.fields[name].computed:
                    given.fields[name] = self._value(kind.fields[name], name, value)
            else:
                self._unknown(kind.name, kind.name, name, name, given)
        if given.fields.get("externalId") is not None:
            check_external_id(given.fields["externalId"])
        return given

    def _unknown(self, table: str, record: str, name: str, path: str, given: Given) -> None:
        if name in REFUSED.get(table, ()):
            raise unsupported(f"the field {name}", place=path)
        if name in _IGNORED:
            return
        if self.strict_names:
            raise unknown_field(record, path)
        given.ignored.append(path)

    def _lines(self, kind: RecordType, sublist: Sublist, name: str, value: Any, given: Given) -> list[Body]:
        if not isinstance(value, dict) or not isinstance(value.get("items"), list):
            raise wrong_type(name, 'an object with the list "items"')
        for other in value.keys() - {"items", "links", "totalResults", "count", "hasMore", "offset"}:
            self._unknown(kind.name, kind.name, other, f"{name}.{other}", given)
        lines = []
        for number, line in enumerate(value["items"]):
            path = f"{name}.items[{number}]"
            if not isinstance(line, dict):
                raise wrong_type(path, "an object")
            read: Body = {}
            for key, given_value in line.items():
                if key in sublist.fields:
                    if not sublist.fields[key].computed:
                        read[key] = self._value(sublist.fields[key], f"{path}.{key}", given_value)
                else:
                    self._unknown(name, kind.name, key, f"{path}.{key}", given)
            lines.append(read)
        return lines

    def _value(self, wanted: Field, path: str, value: Any) -> Any:
        if value is None:
            return None
        match wanted.kind:
            case "text":
                return _text(wanted, path, value)
            case "number":
                return _number(path, value)
            case "integer":
                if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= MOST:
                    raise wrong_type(path, "a whole number")
                return value
            case "boolean":
                if not isinstance(value, bool):
                    raise wrong_type(path, "true or false")
                return value
            case "date":
                return _date(path, value)
            case "ref":
                return self._reference(wanted, path, value)
            case _:
                raise content(f"The field {path} is read-only.", path)

    def _reference(self, wanted: Field, path: str, value: Any) -> str:
        """The internal id of what is referred to; `{"id"}`, `{"externalId"}` or an id alone."""
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            value = {"id": value}
        if not isinstance(value, dict) or value.keys() - {"id", "externalId", "refName", "links"}:
            raise wrong_type(path, 'a reference such as {"id": "1"} or {"externalId": "x"}')
        id_, external = value.get("id"), value.get("externalId")
        if (id_ is None) == (external is None):
            raise wrong_type(path, "either id or externalId")
        label = path.rpartition(".")[2]
        if external is not None:
            found = isinstance(external, str) and self.book.by_external(GROUPS[wanted.to[0]], external)
            if not found or found[0] not in wanted.to:
                raise invalid_value(external, label, path)
            return found[1]
        if isinstance(id_, bool) or not isinstance(id_, (str, int)):
            raise wrong_type(path, "an internal id")
        if isinstance(id_, str) and id_.startswith("eid:"):
            return self._reference(wanted, path, {"externalId": id_.removeprefix("eid:")})
        if self.book.find(wanted.to, str(id_)) is None:
            raise invalid_value(id_, label, path)
        return str(id_)


def check_external_id(external: str) -> None:
    """Raise where an external id has other characters than letters, digits, underscore and hyphen."""
    if not EXTERNAL_ID.match(external):
        raise content("An external ID consists of letters, digits, underscores and hyphens.", "externalId")


def _text(wanted: Field, path: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type(path, "text")
    if len(value) > wanted.most:
        raise content(f"The field {path} contained more than the maximum number ({wanted.most}) of characters.", path)
    if "\0" in value:
        raise wrong_type(path, "text without the character NUL")
    return value


def _number(path: str, value: Any) -> Decimal:
    """An exact decimal: the JSON number as it was written."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise wrong_type(path, "a number")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact) >= MOST or exact.as_tuple().exponent < -20:  # type: ignore[operator]
        raise wrong_type(path, "a number of fewer digits")
    return exact


def _date(path: str, value: Any) -> str:
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise wrong_type(path, "a date as YYYY-MM-DD") from None
