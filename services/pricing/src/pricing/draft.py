"""An invoice in the making: what does not change (the basis) and what the steps add to (the draft)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from pricing.lines import ZERO, Line, TaxRow
from pricing.periods import term_of
from pricing.terms import Licensed, Metered, Rhythm, Taxes, Terms, in_force
from pricing.usage import BilledBefore, Used


@dataclass(frozen=True, slots=True)
class Basis:
    """All that an invoice is made of."""

    terms: Terms
    billing_day: datetime
    ended: Period
    starts: Period
    in_trial: bool
    usage: tuple[Used, ...]
    before: BilledBefore
    taxes: Taxes
    by_meter: Mapping[str, Sequence[Metered]]

    @property
    def currency(self) -> Currency:
        """The one currency."""
        return self.terms.currency

    def term(self, item: Licensed, instant: datetime) -> Period:
        """The term of an item that holds an instant of one of the two periods."""
        if item.rhythm is Rhythm.MONTH:  # a month's term is the period itself; nine in ten items need no calendar
            return self.starts if instant >= self.starts.start else self.ended
        return term_of(self.terms, item, instant)

    def item_of(self, meter: str, instant: datetime) -> Metered | None:
        """
        The item that prices a meter at an instant.

        Raises:
            ValueError: there are two.
        """
        found = [item for item in self.by_meter.get(meter, ()) if in_force(item, instant)]
        if len(found) > 1:
            raise ValueError(f"items.{found[1].key}: {meter} has a price already, by {found[0].key}")
        return found[0] if found else None

    def alive(self, meter: str, period: Period) -> list[Metered]:
        """The items that price a meter somewhere in a period, in order of time."""
        alive = [
            item
            for item in self.by_meter.get(meter, ())
            if item.start < period.end and (item.until is None or period.start < item.until)
        ]
        return sorted(alive, key=lambda item: item.start)

    def name_of(self, meter: str, period: Period) -> str:
        """Under which item a clause of a meter shows: the last one alive in the period, else the meter's name."""
        alive = self.alive(meter, period)
        return alive[-1].key if alive else meter


@dataclass(frozen=True, slots=True)
class Segment:
    """
    Units of a meter over a part of the period in which the same clauses hold. `left` waits to be priced.

    Each clause takes what it covers from `left`, so charged - reversed = left + capped + included + committed.
    """

    meter: str
    span: Period
    item: Metered | None
    free: bool
    charged: Decimal
    reversed: Decimal
    left: Decimal
    capped: Decimal = ZERO
    capped_at: int | None = None
    included: Decimal = ZERO
    committed: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is left to pay."""

    total: Money
    balance_applied: Money
    amount_due: Money
    customer_credit_after: Money
    payable: Money


@dataclass(frozen=True, slots=True)
class Draft:
    """What the steps so far have made."""

    lines: tuple[Line, ...] = ()
    segments: tuple[Segment, ...] = ()
    in_price: Mapping[str, Decimal] = field(default_factory=dict)  # by meter: let go by the price, on no line
    drawn: Mapping[str, int] = field(default_factory=dict)
    tax: tuple[TaxRow, ...] = ()
    settlement: Settlement | None = None

    def plus(self, lines: Iterable[Line]) -> Draft:
        """The draft with further lines."""
        return replace(self, lines=(*self.lines, *lines))

    def with_segments(self, segments: Iterable[Segment]) -> Draft:
        """The draft with its units taken apart further."""
        return replace(self, segments=tuple(segments))


def net_minor(lines: Iterable[Line]) -> int:
    """The sum of lines in minor units."""
    return sum(line.amount.minor for line in lines)


def net_by_item(basis: Basis, lines: Iterable[Line]) -> dict[str, int]:
    """What is left of each item with a line, in minor units: the contract's order, then that of the lines."""
    sums = dict.fromkeys((item.key for item in basis.terms.items), 0)
    there = set()
    for line in lines:
        sums[line.item] = sums.get(line.item, 0) + line.amount.minor
        there.add(line.item)
    return {item: amount for item, amount in sums.items() if item in there}
