"""What a query is made of, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.netsuite.suiteql.tree import Aggregate, Column


def inner_parts(part: Any) -> Iterator[Any]:
    """The parts of which a part is made."""
    if isinstance(part, tuple):
        yield from part
    elif hasattr(part, "__dataclass_fields__"):
        for name in part.__dataclass_fields__:
            value = getattr(part, name)
            if isinstance(value, tuple) or hasattr(value, "__dataclass_fields__"):
                yield value


def columns_of(part: Any) -> Iterator[Column]:
    if isinstance(part, Column):
        yield part
    for inner in inner_parts(part):
        yield from columns_of(inner)


def has_aggregate(part: Any) -> bool:
    return isinstance(part, Aggregate) or any(has_aggregate(inner) for inner in inner_parts(part))
