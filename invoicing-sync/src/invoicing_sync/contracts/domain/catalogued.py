"""What Stripe has to sell, held against what the door made there: whose each object is, and what a person changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from event_schemas.values import EXACT, Currency
from invoicing_sync.contracts.domain.plan.prices import StripePrice, StripeTier
from invoicing_sync.stripe_door.convert import from_lookup_key

Kind = Literal["meter", "product", "price", "coupon"]
Row = dict[str, Any]

MOST_TWINS = 100  # equal items of one contract, each with a price of its own


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
        yield "it was deactivated" if kind == "meter" else "it was archived"
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
        price = _price(row, key)
        if price is None or not _stands_for(price, key):
            says = "a rhythm that the door never gives" if price is None else str(price)
            yield f"its amounts are not those that its lookup key stands for: it says {says}"


def _price(row: Row, key: str) -> StripePrice | None:
    """What a price at Stripe says now, under the name that its key has; None for a form that the door never makes."""
    recurring = row.get("recurring") or {}
    if recurring.get("interval") not in ("month", "year") or recurring.get("interval_count", 1) != 1:
        return None
    kind, name = from_lookup_key(key)
    currency = Currency(str(row["currency"]).upper())
    tiered = row["billing_scheme"] == "tiered"
    shown = row.get("tiers") or [] if tiered else [row | {"up_to": None}]
    return StripePrice(
        kind="usage" if kind == "usage" else "advance",
        name=name,
        currency=currency,
        mode=row["tiers_mode"] if tiered else "per_unit",
        tiers=tuple(_tier(tier, currency) for tier in shown),
        interval=recurring["interval"],
        pack=int((row.get("transform_quantity") or {}).get("divide_by", 1)),
    )


def _tier(tier: Row, currency: Currency) -> StripeTier:
    fee = tier.get("flat_amount_decimal")
    return StripeTier(tier["up_to"], _major(tier.get("unit_amount_decimal"), currency), _major(fee, currency))


def _major(minor: object, currency: Currency) -> Decimal:
    return Decimal(str(minor or 0)).scaleb(-currency.minor_digits, EXACT)


def _stands_for(price: StripePrice, key: str) -> bool:
    """Whether a key was made of this content, whichever of several equal items of a contract it serves."""
    return any(replace(price, twin=twin).lookup_key == key for twin in range(MOST_TWINS))
