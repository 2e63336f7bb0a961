"""A contract of version 2 with plain defaults, for tests: two seats and resolutions from 2026-02-01 on, in USD."""

from __future__ import annotations

import copy
from typing import Any

Document = dict[str, Any]

START = "2026-02-01T00:00:00Z"


def a_change(revision: int = 1, **fields: Any) -> Document:
    """An entry of the history."""
    return {
        "revision": revision,
        "agreed_at": "2026-01-20T10:00:00Z",
        "effective_at": START,
        "actor": "self-serve",
        "reason": "signed up",
        "channel": "self_serve",
    } | fields


def seats(quantity: int = 2, *, key: str = "seat", price: str | Document = "39", **fields: Any) -> Document:
    """A licensed item."""
    entry = {"at": fields.get("from", START), "quantity": quantity, "agreed_in": 1}
    return _item(key, price) | {"kind": "licensed", "quantities": [entry]} | fields


def metered(
    meter: str = "resolution", *, key: str | None = None, price: str | Document = "0.99", **fields: Any
) -> Document:
    """A metered item."""
    return _item(key or meter, price) | {"kind": "metered", "meter": meter} | fields


def clause(key: str = "clause", **fields: Any) -> Document:
    """Any dated clause."""
    return {"key": key, "from": START, "agreed_in": 1} | fields


def _item(key: str, price: str | Document) -> Document:
    return clause(key) | {
        "product": key.replace("-", "_"),
        "currency": "USD",
        "price": {"scheme": "per_unit", "unit_price": price} if isinstance(price, str) else price,
        "price_version": f"{key}/1",
    }


def a_document(**fields: Any) -> Document:
    """A whole contract, as JSON has it."""
    return {
        "schema_version": 2,
        "customer": "acme",
        "channel": "self_serve",
        "currency": "USD",
        "billing_anchor": START,
        "revision": 1,
        "history": [a_change()],
        "billing": [{"at": START, "agreed_in": 1, "name": "Acme Ltd", "issuer": "settled-us"}],
        "policies": [{"at": START, "agreed_in": 1, "policy": {"version": "standard-1"}, "charges": ["resolution"]}],
        "items": [seats(), metered()],
    } | copy.deepcopy(fields)


def document_with(path: str, value: Any, document: Document | None = None) -> Document:
    """A document with one value set, by a path such as `items/0/until`."""
    changed = copy.deepcopy(document if document is not None else a_document())
    *parents, last = path.split("/")
    target: Any = changed
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    target[int(last) if last.isdigit() else last] = value
    return changed
