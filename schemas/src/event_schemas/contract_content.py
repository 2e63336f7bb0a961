"""What a contract says, without how it is written: its fingerprint, and the fields in which two of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from event_schemas.times import iso

if TYPE_CHECKING:
    from event_schemas.contract_v2 import AnyContract

_NAMES = (
    "key",
    "meter",
    "item",
    "effective_from",
    "at",
    "revision",
)  # what tells the members of a list apart, where they have it


def fingerprint(contract: AnyContract) -> str:
    """
    The same for contracts that say the same: 32 hexadecimal digits.

    A field that is left out and one that holds its default say the same, so a field that is added to the schema later
    leaves the fingerprints of the contracts before it as they were.
    """
    return sha256(json.dumps(content_of(contract), sort_keys=True).encode()).hexdigest()[:32]


def content_of(contract: AnyContract) -> dict[str, Any]:
    """The contract as JSON, without what holds its default."""
    content: dict[str, Any] = _plain(contract.model_dump(exclude_defaults=True))
    return content


def _plain(value: Any) -> Any:
    """As JSON, and every instant in UTC, whatever offset it was written with."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def differing_fields(one: AnyContract, other: AnyContract) -> list[str]:
    """The fields in which two contracts differ, such as `metered.resolution.price.unit_price`; sorted."""
    ours, theirs = dict(_leaves("", content_of(one))), dict(_leaves("", content_of(other)))
    return sorted(path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, member)
    elif isinstance(value, list):
        names = [_name_of(member, place) for place, member in enumerate(value)]
        for place, (name, member) in enumerate(zip(names, value, strict=True)):
            unique = name if names.count(name) == 1 else f"{name}.{place}"
            yield from _leaves(f"{path}.{unique}", member)
    else:
        yield path, value


def _name_of(member: Any, place: int) -> str:
    names = [member[name] for name in _NAMES if name in member] if isinstance(member, dict) else []
    return str(names[0]) if names else str(place)
