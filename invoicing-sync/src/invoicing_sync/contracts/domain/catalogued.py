"""What Stripe has to sell, held against what the door made there: whose each object is, and what a person changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from event_schemas.values import Currency, decimal_text
from invoicing_sync.stripe_door.convert import digest, from_lookup_key

Kind = Literal["meter", "product", "price", "coupon"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offered:
    """An object at Stripe. `item` is the meter or item that one of ours stands for; `edits` are sentences."""

    kind: Kind
    stripe_id: str
    name: str
    active: bool
    ours: bool
    item: str | None
    edits: tuple[str, ...]


def catalogued(rows: Mapping[Kind, Sequence[Row]], made: Mapping[Kind, Mapping[str, str]]) -> tuple[Offered, ...]:
    """
    Every object by kind and name; `made` has those that the door made or took over, their key by id.

    One of ours that Stripe no longer lists is told as an edit, too.
    """
    found: list[Offered] = []
    for kind, keys in made.items():
        there = {str(row["id"]): row for row in rows.get(kind, ())}
        found += [_offered(kind, row, keys.get(stripe_id)) for stripe_id, row in there.items()]
        found += [
            Offered(kind, stripe_id, key, False, True, _item(kind, key), ("it is gone: somebody deleted it",))
            for stripe_id, key in keys.items()
            if stripe_id not in there
        ]
    return tuple(sorted(found, key=lambda one: (one.kind, one.name, one.stripe_id)))


def _offered(kind: Kind, row: Row, key: str | None) -> Offered:
    active = row.get("status") == "active" if kind == "meter" else bool(row.get("active", row.get("valid", True)))
    name = {"meter": "event_name", "price": "lookup_key"}.get(kind, "name")
    edits = tuple(_edits(kind, row, key, active=active)) if key is not None else ()
    item = _item(kind, key) if key is not None else None
    return Offered(kind, str(row["id"]), str(row.get(name) or key or row["id"]), active, key is not None, item, edits)


def _item(kind: Kind, key: str) -> str:
    if kind == "price":
        return from_lookup_key(key)[1]
    return key.split("-", 2)[2] if kind == "product" and key.startswith("settled-") else key


def _edits(kind: Kind, row: Row, key: str, *, active: bool) -> Iterator[str]:
    """What differs from what was made, in words."""
    if not active:
        yield "it was archived" if kind != "meter" else "it was deactivated"
    metadata, item = row.get("metadata") or {}, _item(kind, key)
    if kind == "product":
        if row["name"] != item:
            yield f"its name was {item} and is {row['name']}"
        if metadata.get("settled_item") != item:
            yield f"its metadata settled_item was {item} and is {metadata.get('settled_item') or 'gone'}"
    if kind == "price":
        if row.get("lookup_key") != key:
            yield f"its lookup key was {key} and is {row.get('lookup_key') or 'gone'}"
        if row.get("nickname"):
            yield f"it was given the nickname {row['nickname']}"
        field = "settled_meter" if from_lookup_key(key)[0] == "usage" else "settled_item"
        if metadata.get(field) != item:
            yield f"its metadata {field} was {item} and is {metadata.get(field) or 'gone'}"
        content = _content(row)
        if content is not None and digest(content) != key.rpartition(".")[2]:
            yield "its amounts are not those that its lookup key stands for"


def _content(price: Row) -> list[Any] | None:
    """What the lookup key of a monthly price was made of; None for a form whose key is made otherwise."""
    recurring = price.get("recurring") or {}
    if (
        recurring.get("interval") != "month"
        or recurring.get("interval_count", 1) != 1
        or price.get("transform_quantity")
    ):
        return None
    digits = Currency(str(price["currency"]).upper()).minor_digits
    if price["billing_scheme"] == "per_unit":
        unit_price = _major(price["unit_amount_decimal"], digits)
        return ["per_unit", [[None, unit_price]]] if recurring["usage_type"] == "metered" else [unit_price]
    tiers = price.get("tiers")
    if price.get("tiers_mode") != "graduated" or not tiers or any(tier.get("flat_amount_decimal") for tier in tiers):
        return None
    return ["graduated", [[tier["up_to"], _major(tier["unit_amount_decimal"], digits)] for tier in tiers]]


def _major(minor: object, digits: int) -> str:
    return decimal_text(Decimal(str(minor)).scaleb(-digits))
