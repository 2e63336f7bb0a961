"""What would break a reader or a writer between two versions of one JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

# Bounds that become tighter when they grow, and those that do when they shrink.
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


@dataclass(frozen=True, slots=True)
class Break:
    """One breaking change: where, what, and which side would have to deploy first if it were a new version."""

    place: str
    change: str
    deploy_first: str

    def __str__(self) -> str:
        return f"{self.place}: {self.change} ({self.deploy_first} would have to deploy first)"


def breaks(old: Schema, new: Schema) -> list[Break]:
    """
    The breaking changes from `old` to `new`.

    Within a version only optional fields may be added. What narrows what may be written breaks today's writers;
    what takes a field away, or lets it hold what it could not hold before, breaks today's readers.
    """
    return list(_walk(_resolved(old, old), _resolved(new, new), "$", old, new))


def additions(old: Schema, new: Schema) -> list[str]:
    """
    Optional fields that `new` adds to an object whose readers refuse what they do not know.

    They break nobody, but the readers must deploy first: until then they refuse what a writer may already send.
    """
    return sorted(set(_strict_fields(new, new, "$")) - set(_strict_fields(old, old, "$")))


def _strict_fields(schema: Schema, root: Schema, place: str) -> Iterator[str]:
    schema = _resolved(schema, root)
    for name, inner in schema.get("properties", {}).items():
        if schema.get("additionalProperties") is False:
            yield f"{place}.{name}"
        yield from _strict_fields(inner, root, f"{place}.{name}")
    inner_schemas = [schema.get("items"), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    for inner in inner_schemas:
        if isinstance(inner, Mapping):
            yield from _strict_fields(inner, root, f"{place}[]")


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**_resolved(target, root), **rest}


def _walk(old: Schema, new: Schema, place: str, old_root: Schema, new_root: Schema) -> Iterator[Break]:
    yield from _types(old, new, place)
    yield from _values(old, new, place)
    yield from _bounds(old, new, place)
    yield from _fields(old, new, place, old_root, new_root)
    for kind in ("items", "additionalProperties"):
        if isinstance(old.get(kind), Mapping) and isinstance(new.get(kind), Mapping):
            inner_old, inner_new = _resolved(old[kind], old_root), _resolved(new[kind], new_root)
            yield from _walk(inner_old, inner_new, f"{place}[]", old_root, new_root)
    yield from _positions(old, new, place, old_root, new_root)
    yield from _alternatives(old, new, place, old_root, new_root)


def _types(old: Schema, new: Schema, place: str) -> Iterator[Break]:
    if old.get("type") != new.get("type"):
        yield Break(place, f"type {old.get('type')} became {new.get('type')}", "every reader and writer")
    if old.get("format") != new.get("format"):
        yield Break(place, f"format {old.get('format')} became {new.get('format')}", "every writer")


def _values(old: Schema, new: Schema, place: str) -> Iterator[Break]:
    if old.get("const") != new.get("const"):
        yield Break(place, f"const {old.get('const')!r} became {new.get('const')!r}", "every reader and writer")
    before, after = old.get("enum"), new.get("enum")
    if before is not None and after is not None:
        if gone := [value for value in before if value not in after]:
            yield Break(place, f"values {gone} are no longer taken", "every writer")
        if added := [value for value in after if value not in before]:
            yield Break(place, f"values {added} are new in a closed list", "every reader")
    elif before != after:
        yield Break(place, "a closed list of values came or went", "every reader and writer")


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[Break]:
    if old.get("pattern") != new.get("pattern"):
        yield Break(place, f"pattern became {new.get('pattern')!r}", "every writer")
    for names, tighter in ((LOWER_BOUNDS, max), (UPPER_BOUNDS, min)):
        for name in names:
            before, after = old.get(name), new.get(name)
            if after is not None and (before is None or (after != before and tighter(before, after) == after)):
                yield Break(place, f"{name} became {after}, tighter than {before}", "every writer")


def _fields(old: Schema, new: Schema, place: str, old_root: Schema, new_root: Schema) -> Iterator[Break]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before.keys() - after.keys():
        yield Break(f"{place}.{name}", "the field is gone", "every reader")
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield Break(f"{place}.{name}", "the field is required now", "every writer")
    for name in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        if name in after:
            yield Break(f"{place}.{name}", "the field may be absent now", "every reader")
    if old.get("additionalProperties") is not False and new.get("additionalProperties") is False and before:
        yield Break(place, "unknown fields are refused now", "every writer")
    for name in before.keys() & after.keys():
        inner_old, inner_new = _resolved(before[name], old_root), _resolved(after[name], new_root)
        yield from _walk(inner_old, inner_new, f"{place}.{name}", old_root, new_root)


def _positions(old: Schema, new: Schema, place: str, old_root: Schema, new_root: Schema) -> Iterator[Break]:
    before, after = old.get("prefixItems", []), new.get("prefixItems", [])
    if len(before) != len(after):
        yield Break(place, f"it has {len(after)} positions, not {len(before)}", "every reader and writer")
        return
    for number, (one, two) in enumerate(zip(before, after, strict=True)):
        inner_old, inner_new = _resolved(one, old_root), _resolved(two, new_root)
        yield from _walk(inner_old, inner_new, f"{place}[{number}]", old_root, new_root)


def _alternatives(old: Schema, new: Schema, place: str, old_root: Schema, new_root: Schema) -> Iterator[Break]:
    for kind in ("anyOf", "oneOf"):
        before, after = old.get(kind), new.get(kind)
        if before is None and after is None:
            continue
        if before is None or after is None or len(before) != len(after):
            yield Break(place, f"its alternatives ({kind}) are others", "every reader and writer")
            continue
        for number, (one, two) in enumerate(zip(before, after, strict=True)):
            inner_old, inner_new = _resolved(one, old_root), _resolved(two, new_root)
            yield from _walk(inner_old, inner_new, f"{place}<{number}>", old_root, new_root)
