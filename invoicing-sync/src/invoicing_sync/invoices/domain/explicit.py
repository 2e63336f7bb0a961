"""
Amounts that go onto a draft as invoice items of our own, and what is to be done so that a draft has them.

An item has a natural key, which Stripe keeps with it; so a draft tells by itself what it has already got, and an item
is put there once, however often that is tried. What a person did to one is a difference, and never overwritten; what
we put there ourselves and is wanted otherwise by now is taken off and put there anew.

The key begins with the kind and the item of the line that it stands for: `usage/resolution/1`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.expected_invoice import Line, Reason

KEY_LENGTH = 500  # of a metadata value at Stripe
DESCRIPTION_LENGTH = 500


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


@dataclass(frozen=True, slots=True)
class ToldItem:
    """
    What Stripe was told of an item last.

    Attributes:
        state: `intended`: a call may have been made; `placed`; `taking`: a call to delete it may have been made.
        put_back: whether a person has agreed, since it was placed, that it is put there again where it is missing.
    """

    amount_minor: int
    state: Literal["intended", "placed", "taking"]
    put_back: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """What to take off a draft, what to put there after it, and what a person did, as sentences with their causes."""

    take: tuple[PlacedItem, ...] = ()
    put: tuple[ExplicitItem, ...] = ()
    forget: tuple[str, ...] = ()  # keys that are gone from the draft by our own doing
    differences: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def steps(wanted: Iterable[ExplicitItem], placed: Iterable[PlacedItem], told: Mapping[str, ToldItem]) -> Steps:
    """
    What brings a draft to the items that it must have.

    Items without a key of ours are left to the comparison of lines, since Stripe makes some by itself (prorations).

    Args:
        told: by key what Stripe was told of this draft's items.
    """
    there, items = _by_key(placed), {item.key: item for item in wanted}
    take: list[PlacedItem] = []
    put: list[ExplicitItem] = []
    forget: list[str] = []
    said: list[tuple[str, str]] = []
    for key in sorted(there.keys() | items.keys() | told.keys()):
        found, item, known = there.get(key, []), items.get(key), told.get(key)
        if len(found) > 1:
            said.append((f"item {key}: there {len(found)} times", f"the invoice item {key} was added by hand"))
        elif found and known is not None and known.state == "taking":
            take += found
            put += [item] if item is not None else []
        elif found and item is not None and found[0].amount == item.amount:
            continue
        elif found and known is not None and found[0].amount.minor == known.amount_minor:
            take += found
            put += [item] if item is not None else []
        elif found:
            wants = f"{item.amount} expected" if item is not None else "not expected"
            how = "added" if known is None else "changed"
            said.append((f"item {key}: {found[0].amount} there, {wants}", f"the invoice item {key} was {how} by hand"))
        elif item is None:
            forget.append(key)
        elif known is not None and known.state == "placed" and not known.put_back:
            sentence = f"item {key}: missing, {item.amount} expected"
            said.append((sentence, f"the invoice item {key} was removed by hand; close the case to have it back"))
        else:
            put.append(item)
    return Steps(tuple(take), tuple(put), tuple(forget), *_unzipped(said))


def _unzipped(said: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sentence for sentence, _ in said), tuple(cause for _, cause in said)


def _by_key(placed: Iterable[PlacedItem]) -> Mapping[str, list[PlacedItem]]:
    ours: dict[str, list[PlacedItem]] = {}
    for item in placed:
        if item.key is not None:
            ours.setdefault(item.key, []).append(item)
    return ours


# --- lines that go as items ------------------------------------------------------------------------------------------


def with_keys(lines: Iterable[Line], kinds: Iterable[str]) -> tuple[Line, ...]:
    """The same lines; those of these kinds that bill something get the key under which they go onto a draft."""
    explicit, count = frozenset(kinds), Counter[tuple[str, str]]()
    keyed = []
    for line in lines:
        count[line.kind, line.item] += 1
        goes = line.kind in explicit and line.amount.minor != 0
        keyed.append(replace(line, key=f"{line.kind}/{line.item}/{count[line.kind, line.item]}") if goes else line)
    return tuple(keyed)


def items_of(lines: Iterable[Line], period: Period) -> tuple[ExplicitItem, ...]:
    """The items that carry the lines with a key; `period` is what they bill, where a line does not say."""
    return tuple(_item(line, line.period or period) for line in lines if line.key)


def _item(line: Line, period: Period) -> ExplicitItem:
    amount = line.amount
    return ExplicitItem(line.key, amount.minor, amount.currency, _said(line), period.start, period.end, why=line.why)


def as_shown(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines as Stripe's invoice shows them: one with a key as an item of ours, once, at its whole amount."""
    return tuple(shown(line.key, line.amount, line.why) if line.key else line for line in lines)


def matched(expected: Iterable[Line], found: Sequence[Line]) -> list[Line | None]:
    """For each line found the expected line that it shows; None where there is none (left)."""
    lines = tuple(expected)
    there: dict[Line, list[Line]] = {}
    for line, as_it_shows in zip(lines, as_shown(lines), strict=True):
        there.setdefault(as_it_shows, []).append(line)
    return [left.pop(0) if (left := there.get(line)) else None for line in found]


def shown(key: str, amount: Money, why: Reason | None = None) -> Line:
    """The line of an item of ours."""
    return Line("explicit", key, Decimal(1), amount, why)


def stands_for(key: str) -> tuple[str, str]:
    """Kind and item of the line that a key stands for."""
    kind, _, rest = key.partition("/")
    return kind, rest.rpartition("/")[0] or rest


def _said(line: Line) -> str:
    """What the customer reads."""
    text = line.item if line.why is None else f"{line.item}: {line.why.formula}"
    return text[:DESCRIPTION_LENGTH]
