"""What a record type is made of: fields, sublists, and the group that shares its internal and external ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "integer", "boolean", "date", "instant", "ref", "enum"]
Group = Literal[
    "transaction", "entity", "item", "subsidiary", "currency", "account", "term", "accountingPeriod", "link"
]


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field.

    `to` names the record types that a reference may be to, `values` the ids of an enumeration. `computed` ones are
    shown and never written; a body that has one is taken, and the value ignored, as with a record sent back whole.
    """

    kind: Kind
    label: str
    to: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    most: int = 300  # characters of a text
    computed: bool = False
    fixed: bool = False  # cannot change once the record is saved


@dataclass(frozen=True, slots=True)
class Sublist:
    """Lines of a record. `keys` are the fields by which an existing line is addressed."""

    label: str
    fields: dict[str, Field]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordType:
    """One record type. `code` is its name in SuiteQL's `transaction.type`; `setup` ones come from the company file."""

    name: str
    label: str
    group: Group
    fields: dict[str, Field]
    sublists: dict[str, Sublist] = field(default_factory=dict)
    code: str = ""
    setup: bool = False


def text(label: str, most: int = 300, *, computed: bool = False) -> Field:
    """A text of at most so many characters."""
    return Field("text", label, most=most, computed=computed)


def number(label: str, *, computed: bool = False) -> Field:
    """An exact decimal, in major units where it is an amount."""
    return Field("number", label, computed=computed)


def integer(label: str, *, computed: bool = False) -> Field:
    """A whole number."""
    return Field("integer", label, computed=computed)


def boolean(label: str, *, computed: bool = False) -> Field:
    """True or false."""
    return Field("boolean", label, computed=computed)


def date(label: str, *, computed: bool = False) -> Field:
    """A day as YYYY-MM-DD."""
    return Field("date", label, computed=computed)


def instant(label: str) -> Field:
    """A moment that the system has noted."""
    return Field("instant", label, computed=True)


def ref(label: str, *to: str, computed: bool = False, fixed: bool = False) -> Field:
    """A reference to a record of one of these types."""
    return Field("ref", label, to=to, computed=computed, fixed=fixed)


def enum(label: str, *values: str, computed: bool = False) -> Field:
    """One of some ids."""
    return Field("enum", label, values=values, computed=computed)
