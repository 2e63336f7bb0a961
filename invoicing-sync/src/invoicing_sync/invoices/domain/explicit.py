"""
Amounts that go onto a draft as invoice items of our own, and what stands between those wanted and those there.

An item has a natural key, which Stripe keeps with it; so a draft tells by itself what it has already got, and an item
is put there once, however often that is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.expected_invoice import Reason

KEY_LENGTH = 500  # of a metadata value at Stripe


@dataclass(frozen=True, slots=True)
class ExplicitItem:
    """
    One amount that is to be on a draft: signed, in minor units, for `[period_start, period_end)`.

    `key` names it among the items of its invoice and never changes; items are the same whatever their reasons.

    Raises:
        ValueError: the key is empty or longer than Stripe keeps, or the period ends before it starts.
    """

    key: str
    amount_minor: int
    currency: Currency
    description: str
    period_start: datetime
    period_end: datetime
    why: Reason | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= KEY_LENGTH:
            raise ValueError(f"the key of an invoice item has 1 to {KEY_LENGTH} characters, not {len(self.key)}")
        if self.period_end < self.period_start:
            raise ValueError(f"item {self.key}: its period ends before it starts")

    @property
    def amount(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An invoice item as Stripe has it; `key` is None where it is none of ours."""

    item_id: str
    key: str | None
    amount: Money
    description: str


def still_missing(wanted: Iterable[ExplicitItem], placed: Iterable[PlacedItem]) -> tuple[ExplicitItem, ...]:
    """
    The items that must still be put there, in their order. One whose key is there counts as there, whatever its amount:
    what a person changed is told by `item_differences` and never overwritten.
    """
    there = {item.key for item in placed}
    return tuple(item for item in wanted if item.key not in there)


def item_differences(wanted: Iterable[ExplicitItem], placed: Sequence[PlacedItem]) -> tuple[str, ...]:
    """
    What stands between the items wanted and those of ours that are there, as sentences; empty when they agree.

    Items without a key of ours are left to the comparison of lines, since Stripe makes some by itself (prorations).
    """
    ours = _by_key(placed)
    expected = {item.key: item for item in wanted}
    said = [f"item {key}: missing, {item.amount} expected" for key, item in sorted(expected.items()) if key not in ours]
    for key, found in sorted(ours.items()):
        if len(found) > 1:
            said.append(f"item {key}: there {len(found)} times")
        if key not in expected:
            said.append(f"item {key}: not expected, {found[0].amount} there")
        else:
            said += [
                f"item {key}: {one.amount} there, {expected[key].amount} expected"
                for one in found
                if one.amount != expected[key].amount
            ]
    return tuple(said)


def _by_key(placed: Iterable[PlacedItem]) -> Mapping[str, list[PlacedItem]]:
    ours: dict[str, list[PlacedItem]] = {}
    for item in placed:
        if item.key is not None:
            ours.setdefault(item.key, []).append(item)
    return ours
