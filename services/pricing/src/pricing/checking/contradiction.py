"""One thing that cannot be meant, and the sentences that several checks share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from pricing.periods import is_billing_day, say_instant
from pricing.terms import QuantityFrom, Spanned, Terms

MOST = 1_000_000  # units of a licensed item, as the contract's own schema has it
DIGITS, PLACES = 15, 12  # of a price: what amounts.part_of relies on


@dataclass(frozen=True, slots=True)
class Contradiction:
    """`code` is stable, `field` a path such as `items.seat.price`, `sentence` plain English."""

    code: str
    field: str
    sentence: str


def exact_price(field: str, price: Decimal) -> Iterator[Contradiction]:
    """A price is finite, not negative, and short enough to be multiplied without rounding."""
    if not price.is_finite() or price < 0:
        yield Contradiction("negative_price", field, f"a price is 0 or more, not {price}")
        return
    _, digits, exponent = price.as_tuple()
    if isinstance(exponent, int) and (-exponent > PLACES or max(len(digits), -exponent) + max(exponent, 0) > DIGITS):
        yield Contradiction("price_too_long", field, f"a price has at most {DIGITS} digits and {PLACES} decimals")


def quantities(field: str, timeline: Sequence[QuantityFrom], *, most: int = MOST) -> Iterator[Contradiction]:
    """A timeline goes forward, and its quantities can be counted."""
    for before, after in pairwise(timeline):
        if before.at >= after.at:
            sentence = f"{say_instant(after.at)} does not come after {say_instant(before.at)}; sort the timeline"
            yield Contradiction("timeline_unsorted", field, sentence)
    for entry in timeline:
        if entry.quantity < 0:
            sentence = f"{entry.quantity} at {say_instant(entry.at)}: a quantity cannot be negative"
            yield Contradiction("negative_quantity", field, sentence)
        elif entry.quantity > most:
            sentence = f"{entry.quantity} at {say_instant(entry.at)}: at most {most} can be agreed"
            yield Contradiction("quantity_too_large", field, sentence)


def life(field: str, clause: Spanned) -> Iterator[Contradiction]:
    """What ends comes after its beginning."""
    if clause.start is not None and clause.until is not None and clause.until <= clause.start:
        sentence = f"ends at {say_instant(clause.until)}, which is not after its start, {say_instant(clause.start)}"
        yield Contradiction("empty_life", f"{field}.until", sentence)


def on_billing_days(terms: Terms, field: str, instants: Sequence[datetime | None]) -> Iterator[Contradiction]:
    """What is not prorated begins and ends with a period."""
    for instant in instants:
        if instant is not None and not is_billing_day(terms.billing_anchor, instant):
            sentence = f"{say_instant(instant)} is no billing day, and what holds for whole periods changes only on one"
            yield Contradiction("not_a_billing_day", field, sentence)


def overlap(one: Spanned, other: Spanned) -> bool:
    """Whether two lives have an instant in common."""
    return (one.start is None or other.until is None or one.start < other.until) and (
        other.start is None or one.until is None or other.start < one.until
    )
