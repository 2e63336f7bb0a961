"""
Cuts Stripe's OpenAPI document to the operations in use: `python -m sandbox.openapi.reduce SOURCE.json.gz`.

Kept: schemas and parameters of the used operations. Dropped: descriptions, other operations, and the expanded form of
objects that the sandbox does not have (their ids stay).
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from sandbox.stripe.openapi.document import FILE
from sandbox.stripe.operations import METER_EVENTS, OPERATIONS

_PREFIX = "#/components/schemas/"
_EXPANDED = {
    "customer",
    "deleted_customer",
    "product",
    "deleted_product",
    "price",
    "subscription",
    "invoice",
    "line_item",
    "invoiceitem",
    "billing.meter",
    "coupon",
    "discount",
    "deleted_discount",
    "credit_note",
    "customer_balance_transaction",
}
_NOISE = {"description", "x-expandableFields", "x-resourceId", "x-expansionResources", "summary", "x-resourceIds"}
# Fields that the sandbox never has a value for, and that lead to hundreds of schemas.
_EMPTY = {
    "customer": {"sources", "subscriptions", "tax_ids", "cash_balance", "default_source", "discount", "tax"},
    "subscription": {"payment_settings", "pending_update", "schedule", "transfer_data", "application"},
    "invoice": {"payments", "payment_settings", "confirmation_secret", "last_finalization_error", "shipping_cost"},
}


def main() -> None:
    """Write the cut document beside this module."""
    document = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    used = {(op.method.lower(), op.path) for op in OPERATIONS} | {("post", METER_EVENTS)}
    paths: dict[str, Any] = {}
    for method, path in sorted(used, key=lambda pair: (pair[1], pair[0])):
        paths.setdefault(path, {})[method] = _clean(document["paths"][path][method], "")
    schemas: dict[str, Any] = {}
    waiting = sorted(_refs(paths))
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = _clean(document["components"]["schemas"][name], name)
            waiting += sorted(_refs(schemas[name]))
    cut = {
        "openapi": document["openapi"],
        "info": {"title": "Stripe API, cut to the operations in use", "version": document["info"]["version"]},
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    packed = json.dumps(cut, separators=(",", ":")).encode()
    FILE.write_bytes(gzip.compress(packed, 9, mtime=0))
    sys.stdout.write(f"{len(paths)} paths, {len(schemas)} schemas, {len(packed)} bytes, {FILE.stat().st_size} packed\n")


def _clean(node: Any, schema: str) -> Any:
    if isinstance(node, list):
        return [_clean(item, schema) for item in node]
    if not isinstance(node, dict):
        return node
    if "x-expansionResources" in node:
        kept = [b for b in node["anyOf"] if b.get("$ref", _PREFIX + "customer").removeprefix(_PREFIX) in _EXPANDED]
        node = {**node, "anyOf": kept}
    cleaned: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            empty = _EMPTY.get(schema, set())
            cleaned[key] = {name: {} if name in empty else _clean(inner, schema) for name, inner in value.items()}
        elif key not in _NOISE:
            cleaned[key] = _clean(value, "")
    return cleaned


def _refs(node: Any) -> set[str]:
    if isinstance(node, list):
        return {name for item in node for name in _refs(item)}
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].removeprefix(_PREFIX)} if isinstance(node.get("$ref"), str) else set()
    return own | {name for value in node.values() for name in _refs(value)}


if __name__ == "__main__":
    main()
