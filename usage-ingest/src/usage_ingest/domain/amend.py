"""What an operator changes in a quarantined event before it is driven again: fields dropped or set, a time accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from event_schemas.wire import (
    ConversationSignal,
    EventReference,
    Resolution,
    ResolutionData,
    SignalData,
    Usage,
    UsageData,
)

STAYS = frozenset({"id", "source", "receivedat"})  # the identity makes a repeat harmless; the door says when it came
PATHS_MAX = 20
PATH_LENGTH_MAX = 200
_STRUCTS = (ConversationSignal, Resolution, Usage, SignalData, ResolutionData, UsageData, EventReference)
_OUR_NAMES = {"type"}.union(*(struct.__struct_fields__ for struct in _STRUCTS))


@dataclass(frozen=True, slots=True)
class NoSuchField:
    """An event in which a path leads nowhere; nothing of it was changed."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """The changes to each event of one replay. Paths are dotted names from the event's top, such as `data.text`."""

    drop: tuple[str, ...] = ()
    set: tuple[tuple[str, Any], ...] = ()
    accept_time: bool = False

    @property
    def changes_fields(self) -> bool:
        """Whether the event itself is changed."""
        return bool(self.drop or self.set)

    def flaw(self) -> str | None:
        """What is wrong with the paths themselves; None where they can be followed in some event."""
        paths = [*self.drop, *(path for path, _ in self.set)]
        if len(paths) > PATHS_MAX:
            return f"a replay drops and sets at most {PATHS_MAX} fields"
        for path in paths:
            names = path.split(".")
            if not all(names) or len(path) > PATH_LENGTH_MAX:
                return "a path is names with dots between them, such as data.text, of at most 200 characters"
            if names[0] in STAYS:
                return f"{names[0]} stays as it is: it makes the event the same one"
        for path in paths:
            if sum(_covers(path, other) for other in paths) > 1:
                return "two of the paths are the same, or one lies inside the other"
        return None

    def facts(self) -> dict[str, Any] | None:
        """
        What the row and the log say about the changes; None where nothing is changed.

        Only names of our schemas: a field's name that a sender chose could hold text, and is told as `*`.
        """
        said = {"drop": [_told(path) for path in self.drop], "set": [_told(path) for path, _ in self.set]}
        found: dict[str, Any] = {name: paths for name, paths in said.items() if paths}
        return {**found, **({"accept_time": True} if self.accept_time else {})} or None


def amended(event: Mapping[str, Any], amendment: Amendment) -> dict[str, Any] | NoSuchField:
    """The event with all changes made, or the first path that leads nowhere. The event given is left alone."""
    changed = dict(event)
    for path in amendment.drop:
        holder, name = _holder(changed, path)
        if holder is None or name not in holder:
            return NoSuchField(path, f"it has no field {path} that could be dropped; nothing of it was changed")
        del holder[name]
    for path, value in amendment.set:
        holder, name = _holder(changed, path)
        if holder is None:
            return NoSuchField(path, f"it has nothing in which {path} could be set; nothing of it was changed")
        holder[name] = value
    return changed


def _holder(event: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """The object that holds a path's last name, a copy in its place; None where the way there ends before."""
    *way, name = path.split(".")
    holder = event
    for step in way:
        inner = holder.get(step)
        if not isinstance(inner, dict):
            return None, name
        holder[step] = dict(inner)
        holder = holder[step]
    return holder, name


def _covers(path: str, other: str) -> bool:
    return other == path or other.startswith(path + ".")


def _told(path: str) -> str:
    return ".".join(name if name in _OUR_NAMES else "*" for name in path.split("."))
