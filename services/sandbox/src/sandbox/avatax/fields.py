"""
Reads JSON objects strictly: each field once, by its type, and what nobody asked for at the end.

Names and the values of enumerations are taken in any case, as AvaTax takes them (its SDK's own fixtures write
`SingleLocation`, its guide `taxAmount`). A null is as good as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.avatax import errors


class Fields:
    """One JSON object on its way in. `where` is its path, for the words of refusals."""

    def __init__(self, body: Any, where: str = "", *, strict: bool) -> None:
        if not isinstance(body, dict):
            raise errors.malformed(where or "body", body, "Object")
        self.raw: dict[str, Any] = body
        self._where, self._strict = where, strict
        self._names = {name.lower(): name for name in body}
        self._values = {name.lower(): value for name, value in body.items()}
        self._left = set(self._values)

    def path(self, name: str) -> str:
        """Where a field stands."""
        return f"{self._where}.{name}" if self._where else name

    def _take(self, name: str) -> Any:
        self._left.discard(name.lower())
        return self._values.get(name.lower())

    def _wanted(self, name: str, value: Any, *, required: bool) -> Any:
        if required and (value is None or value == ""):
            raise errors.required(self.path(name))
        return value

    def text(self, name: str, *, most: int = 50, required: bool = False) -> str | None:
        """A text of at most so many characters."""
        value = self._wanted(name, self._take(name), required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            raise errors.malformed(self.path(name), value, "String")
        if len(value) > most:
            raise errors.too_long(self.path(name), most)
        return value

    def amount(self, name: str, *, required: bool = False) -> Decimal | None:
        """A number, exact. A text is none, though AvaTax would convert it."""
        value = self._wanted(name, self._take(name), required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise errors.malformed(self.path(name), value, "Decimal")
        number = Decimal(value)
        if abs(number) >= Decimal(10) ** 15:
            raise errors.malformed(self.path(name), value, "Decimal")
        return number

    def flag(self, name: str, *, required: bool = False) -> bool | None:
        """True or false."""
        value = self._wanted(name, self._take(name), required=required)
        if value is None or isinstance(value, bool):
            return value
        raise errors.malformed(self.path(name), value, "Boolean")

    def day(self, name: str, *, required: bool = False) -> date | None:
        """A date, or the date of an instant."""
        value = self._wanted(name, self._take(name), required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            raise errors.malformed(self.path(name), value, "DateTime")
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).date()
        except ValueError:
            raise errors.bad_date(self.path(name), value) from None

    def choice(self, name: str, values: Iterable[str], kind: str, *, required: bool = False) -> str | None:
        """One of a closed list, as the list writes it."""
        value = self._wanted(name, self._take(name), required=required)
        if value is None:
            return None
        found = next((one for one in values if isinstance(value, str) and one.lower() == value.lower()), None)
        if found is None:
            raise errors.malformed(self.path(name), value, kind)
        return found

    def nested(self, name: str, *, required: bool = False) -> Fields | None:
        """An object within."""
        value = self._wanted(name, self._take(name), required=required)
        return None if value is None else Fields(value, self.path(name), strict=self._strict)

    def items(self, name: str) -> list[Fields]:
        """A list of objects within."""
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise errors.malformed(self.path(name), value, "Array")
        return [Fields(each, f"{self.path(name)}[{n}]", strict=self._strict) for n, each in enumerate(value)]

    def texts(self, name: str) -> list[str] | None:
        """A list of texts within."""
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise errors.malformed(self.path(name), value, "Array of String")
        return value

    def end(self, unsupported: Iterable[str] = ()) -> None:
        """
        Nothing else may be there.

        Raises:
            AvaTaxError: a field that AvaTax has and the stand-in does not carry out, or one that nobody knows.
        """
        known = {name.lower() for name in unsupported}
        for name in sorted(self._left):
            if self._values[name] is None:
                continue
            if name in known:
                raise errors.unsupported(self.path(self._names[name]))
            if self._strict:
                raise errors.no_such_field(self.path(self._names[name]))
