"""Where each single unit of a period goes, one at a time in order of time; then what each item's units cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from workload.mix.calendar import at

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Units of a meter at an instant, in microseconds: charged less reversed."""

    instant: int
    meter: str
    units: int


@dataclass(slots=True)
class Placed:
    """Units by item, and by (clause, item) where an allowance or a commitment pays for them."""

    priced: Counter[str] = field(default_factory=Counter)
    allowed: Counter[tuple[str, str]] = field(default_factory=Counter)
    committed: Counter[tuple[str, str]] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    above_limit: Counter[str] = field(default_factory=Counter)


def lives(clause: Document, instant: int) -> bool:
    """Whether an instant lies in a clause's life."""
    begins, ends = clause.get("from"), clause.get("until")
    return (begins is None or at(begins) <= instant) and (ends is None or instant < at(ends))


def place(
    contract: Document, entries: Iterable[Entry], allowances: list[Document], commitments: dict[str, int]
) -> Placed:
    """
    Each unit walks: has its meter a price now, is it within the limit now, does an allowance pay, does a commitment,
    or is it the item's to price. `commitments` says how many units each covers.
    """
    placed = Placed()
    charged: Counter[str] = Counter()
    for entry in sorted(entries):
        item = next((i for i in contract["items"] if i.get("meter") == entry.meter and lives(i, entry.instant)), None)
        if item is None:
            placed.unpriced[entry.meter] += entry.units
            continue
        limits = [c for c in contract.get("limits", ()) if c["meter"] == entry.meter and lives(c, entry.instant)]
        open_allowances = [c for c in allowances if c["meter"] == entry.meter and lives(c, entry.instant)]
        for _ in range(entry.units):
            if any(charged[entry.meter] >= limit["quantity"] for limit in limits):
                placed.above_limit[entry.meter] += 1
                continue
            charged[entry.meter] += 1
            _spend(placed, contract, item, open_allowances, commitments)
    return placed


def _spend(
    placed: Placed, contract: Document, item: Document, allowances: list[Document], commitments: dict[str, int]
) -> None:
    for clause in allowances:
        if sum(n for (key, _), n in placed.allowed.items() if key == clause["key"]) < clause["quantity"]:
            placed.allowed[clause["key"], item["key"]] += 1
            return
    for clause in contract.get("commitments", ()):
        if clause["meter"] == item["meter"]:
            spent = sum(n for (key, _), n in placed.committed.items() if key == clause["key"])
            if spent < commitments.get(clause["key"], 0):
                placed.committed[clause["key"], item["key"]] += 1
                return
    placed.priced[item["key"]] += 1


def costs(price: Document, units: int) -> list[Fraction]:
    """What so many units cost, unit by unit, in major units: an amount for each line; nothing for no unit."""
    if units == 0:
        return []
    scheme = price["scheme"]
    if scheme == "graduated":
        lines: dict[int, Fraction] = {}
        for unit in range(1, units + 1):
            number, tier = _tier(price, unit)
            lines.setdefault(number, Fraction(tier.get("flat_fee", "0")))
            lines[number] += Fraction(tier["unit_price"])
        return list(lines.values())
    if scheme == "volume":
        _, tier = _tier(price, units)
        return [sum((Fraction(tier["unit_price"]) for _ in range(units)), Fraction(tier.get("flat_fee", "0")))]
    if scheme == "package":
        paid = [unit for unit in range(units) if unit >= price.get("free", 0)]
        opened = sum(Fraction(price["pack_price"]) for number, _ in enumerate(paid) if number % price["size"] == 0)
        return [Fraction(opened)] if paid else []
    if scheme == "flat":
        return [Fraction(price["amount"])]
    if scheme == "included":
        return [Fraction(0)]
    return [sum((Fraction(price["unit_price"]) for _ in range(units)), Fraction(0))]


def _tier(price: Document, unit: int) -> tuple[int, Document]:
    """The tier in whose bounds a unit lies."""
    for number, tier in enumerate(price["tiers"]):
        if tier.get("up_to") is None or unit <= tier["up_to"]:
            return number, tier
    raise ValueError("a tier table without an end")
