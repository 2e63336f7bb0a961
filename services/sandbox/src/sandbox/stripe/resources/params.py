"""Reading parameters the way Stripe does: unknown ones are refused, types are checked, lists are paged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import invalid, missing, unsupported
from sandbox.stripe.state import Body

Params = dict[str, Any]


def only(params: Params, *allowed: str) -> None:
    """Refuse a parameter that Stripe takes and the sandbox does not carry out; those unknown to Stripe fell before."""
    for name in params:
        if name not in allowed and name not in ("expand", "include"):
            raise unsupported(name)


def text(params: Params, name: str, *, longest: int = 5000) -> str:
    """A required string."""
    value = params.get(name)
    if value in (None, ""):
        raise missing(name)
    if not isinstance(value, str):
        raise invalid(name, f"Invalid string: {name}")
    if len(value) > longest:
        raise invalid(name, f"Invalid string: must be at most {longest} characters")
    return value


def optional(params: Params, name: str) -> str | None:
    """A string, or None where it is absent or empty."""
    value = params.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(name, f"Invalid string: {name}")
    return value or None


def integer(params: Params, name: str, default: int | None = None) -> int | None:
    """A whole number."""
    value = params.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid(name, f"Invalid integer: {value}", code="parameter_invalid_integer") from None


def whole(params: Params, name: str, default: int) -> int:
    """A whole number that is always there in the end."""
    value = integer(params, name, default)
    return default if value is None else value


def boolean(params: Params, name: str, default: bool) -> bool:
    """true or false."""
    value = params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise invalid(name, f"Invalid boolean: {value}")
    return bool(value == "true")


def one_of(params: Params, name: str, values: Iterable[str], default: str | None = None) -> str:
    """A word of a closed list."""
    value = params.get(name, default)
    allowed = tuple(values)
    if value is None:
        raise missing(name)
    if value not in allowed:
        raise invalid(name, f"Invalid {name}: must be one of {', '.join(allowed)}")
    return str(value)


def metadata(params: Params, before: Body | None = None) -> dict[str, str]:
    """Metadata merged over what was there; an empty value removes its key."""
    merged = dict((before or {}).get("metadata") or {})
    given = params.get("metadata")
    if given is None:
        return merged
    if given == "":
        return {}
    if not isinstance(given, dict) or len(given) > 50:
        raise invalid("metadata", "Invalid metadata")
    for key, value in given.items():
        if len(key) > 40 or not isinstance(value, str) or len(value) > 500:
            raise invalid("metadata", "Metadata keys take 40 and values 500 characters")
        if value == "":
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged


def page(items: Iterable[Body], params: Params, url: str) -> Body:
    """A list object: newest first, `limit` 1 to 100, `starting_after` and `ending_before` by id."""
    limit = whole(params, "limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("limit", "Invalid integer: limit must be between 1 and 100", code="parameter_invalid_integer")
    rows = list(items)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after:
        rows = rows[_place(rows, after, "starting_after") + 1 :]
    if before:
        rows = rows[: _place(rows, before, "ending_before")]
        return {"object": "list", "data": rows[-limit:], "has_more": len(rows) > limit, "url": url}
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": url}


def _place(rows: list[Body], id_: str, param: str) -> int:
    for place, row in enumerate(rows):
        if row["id"] == id_:
            return place
    raise invalid(param, f"No such object: '{id_}'", code="resource_missing")


def created_filter(rows: Iterable[Body], params: Params) -> Iterable[Body]:
    """The rows whose `created` lies in the range asked for."""
    wanted = params.get("created")
    if wanted is None:
        return rows
    if isinstance(wanted, str):
        wanted = {"gte": wanted, "lte": wanted}
    low = max(int(wanted.get("gte", 0)), int(wanted.get("gt", -1)) + 1)
    high = min(int(wanted.get("lte", 2**62)), int(wanted.get("lt", 2**62)) - 1)
    return [row for row in rows if low <= row["created"] <= high]
