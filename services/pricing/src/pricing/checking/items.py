"""Items and their prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise

from pricing.checking.contradiction import Contradiction, exact_price, life, on_billing_days, overlap, quantities
from pricing.periods import say_instant
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Price, Tier, Volume
from pricing.terms import Licensed, Terms


def items(terms: Terms) -> Iterator[Contradiction]:
    """Keys, lives, quantities and prices of items, and meters with two prices or with a price though free."""
    for key, count in Counter(item.key for item in terms.items).items():
        if count > 1:
            yield Contradiction("duplicate_key", f"items.{key}", f"{count} items have this key; each needs its own")
    for item in terms.items:
        field = f"items.{item.key}"
        yield from life(field, item)
        yield from prices(f"{field}.price", item.price)
        if isinstance(item, Licensed):
            yield from _licensed(terms, field, item)
    yield from _meters(terms)


def prices(field: str, price: Price) -> Iterator[Contradiction]:
    """A price that no quantity can be multiplied by."""
    match price:
        case PerUnit():
            yield from exact_price(field, price.unit_price)
        case Flat():
            yield from exact_price(field, price.amount)
        case Package():
            yield from exact_price(field, price.pack_price)
            if price.size < 1 or price.free < 0:
                yield Contradiction("package_size", field, "a pack holds 1 unit or more, and 0 or more units are free")
        case Graduated() | Volume():
            yield from _tiers(field, price.tiers)
        case Included():
            pass


def _tiers(field: str, tiers: tuple[Tier, ...]) -> Iterator[Contradiction]:
    for place, tier in enumerate(tiers):
        yield from exact_price(f"{field}.tiers.{place}", tier.unit_price)
        yield from exact_price(f"{field}.tiers.{place}.flat_fee", tier.flat_fee)
    if not tiers or tiers[-1].up_to is not None:
        yield Contradiction("tiers_with_a_hole", field, "units above the last tier have no price; leave its up_to open")
    bounds = [0, *(tier.up_to for tier in tiers[:-1])]
    if tiers and tiers[-1].up_to is not None:
        bounds.append(tiers[-1].up_to)
    for below, bound in pairwise(bounds):
        if bound is None:
            sentence = "a tier without a bound stands before others, which no unit can reach"
            yield Contradiction("tiers_with_a_hole", field, sentence)
            return
        if below is not None and bound <= below:
            yield Contradiction("tiers_with_a_hole", field, f"bounds must grow, and {bound} comes after {below}")


def _licensed(terms: Terms, field: str, item: Licensed) -> Iterator[Contradiction]:
    yield from quantities(f"{field}.quantities", item.quantities)
    if isinstance(item.price, Included):
        yield Contradiction("included_licensed", f"{field}.price", "only a meter can be included; price the item 0")
    if item.term_anchor is not None:
        yield from on_billing_days(terms, f"{field}.term_anchor", [item.term_anchor])


def _meters(terms: Terms) -> Iterator[Contradiction]:
    for one, other in combinations(terms.metered, 2):
        if one.meter == other.meter and overlap(one, other):
            at = say_instant(max(one.start, other.start))
            sentence = (
                f"{one.meter} has two prices at {at}, by {one.key} and {other.key}; end one where the other begins"
            )
            yield Contradiction("meter_priced_twice", f"items.{other.key}.meter", sentence)
    for item in terms.metered:
        if item.meter in terms.free_meters:
            sentence = f"{item.meter} is declared free and has a price in {item.key}"
            yield Contradiction("free_meter_priced", "free_meters", sentence)
